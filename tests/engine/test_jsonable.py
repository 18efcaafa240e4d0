"""Strict JSON for numbers, arrays and dataclasses, with NaN and infinity as strings."""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jsonable import decode_number, encode


@dataclass(frozen=True)
class Pair:
    first: Any
    second: Any = None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (np.float32("nan"), "NaN"),
        (np.float64(-math.inf), "-Infinity"),
        (0.1, 0.1),
        (np.float64(0.1), 0.1),
        (np.int32(3), 3),
        (np.bool_(True), True),
        (True, True),
        (10**30, 10**30),
        (None, None),
        ("text", "text"),
        (np.array([[1.0, math.nan], [math.inf, 2.0]]), [[1.0, "NaN"], ["Infinity", 2.0]]),
        (np.array(2.5), 2.5),
        (np.array([], dtype=float), []),
        ((1, [2.0, (3,)]), [1, [2.0, [3]]]),
        ({"x": math.nan, 3: "y"}, {"x": "NaN", "3": "y"}),
        (Pair(1.0, Pair(math.inf)), {"first": 1.0, "second": {"first": "Infinity", "second": None}}),
    ],
)
def test_encode(value: Any, expected: Any) -> None:
    found = encode(value)
    assert found == expected
    assert type(found) is type(expected)
    json.dumps(found, allow_nan=False)


@given(st.floats())
def test_every_float_survives(value: float) -> None:
    found = decode_number(json.loads(json.dumps(encode(value), allow_nan=False)))
    assert found == value or (math.isnan(found) and math.isnan(value))
    assert math.isnan(value) or math.copysign(1.0, found) == math.copysign(1.0, value)


@pytest.mark.parametrize("value", ["nan", "inf", "1.5", "", True, None, [1.0], {"x": 1.0}])
def test_what_is_not_a_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="expected a number"):
        decode_number(value)


def test_whole_numbers_are_numbers() -> None:
    assert decode_number(3) == 3.0
    assert type(decode_number(3)) is float


@pytest.mark.parametrize("value", [object(), 1j])
def test_what_json_cannot_hold_raises(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)
