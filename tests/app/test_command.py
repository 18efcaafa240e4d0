"""The command line follows from a study's Setup alone; shown on a small study made for the purpose."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import Field

from app import command
from engine import studies
from engine.studies.study import Check, Setup, Study


class PowerSetup(Setup):
    base: float = Field(default=2.0, ge=-10, le=10, description="What is multiplied; 100% real.")
    exponent: int = Field(default=3, ge=0, lt=64, description="How often.")
    method: Literal["loop", "library"] = Field(default="loop", description="How it is computed.")
    exact: bool = Field(default=False, description="Whether to compute in integers.")
    start_values: dict[str, float] = Field(default={}, description="Factors by name.")


@dataclass(frozen=True)
class PowerResult:
    value: float

    def summary(self) -> Mapping[str, float | int | str]:
        return {"value": self.value, "logarithm": math.log(self.value) if self.value > 0 else math.nan}

    def table(self) -> Mapping[str, Sequence[Any]]:
        return {"value": np.array([self.value, -math.inf])}  # type: ignore[dict-item]


def run(setup: PowerSetup) -> PowerResult:
    if setup.base == 0 and setup.exponent == 0:
        raise ValueError("0 to the power 0 is left undefined here")
    value = setup.base**setup.exponent * math.prod(setup.start_values.values())
    return PowerResult(float(round(value)) if setup.exact else value)


def check(result: PowerResult) -> list[Check]:
    sign = float(np.sign(result.value))
    return [Check("positive", "by hand", 1.0, sign, abs(1.0 - sign), 0.0)]


STUDY = Study("power", 4, "How fast does a power grow?", PowerSetup, run, check)


@pytest.fixture(autouse=True)
def _only_the_power_study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "NAMES", ("power",))
    monkeypatch.setattr(studies, "load", {"power": STUDY}.__getitem__)


def test_text_shows_figures_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["power", "--exponent", "10"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "How fast does a power grow?",
        "",
        "value      1024",
        "logarithm  6.931471806",
        "",
        "Checks",
        "  passed  positive: 1; by hand gives 1 (error 0, tolerance 0)",
    ]


def test_json_holds_everything(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--base", "-1.5e0", "--exponent=3", "--method", "library", "--start-values", '{"a": 2}']
    assert command.main(["power", *options, "--json"]) == 1  # the check fails for a negative value
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    setup = {"base": -1.5, "exponent": 3, "method": "library", "exact": False, "start_values": {"a": 2.0}}
    assert document == {
        "study": "power",
        "version": 4,
        "setup": setup,
        "summary": {"value": -6.75, "logarithm": "NaN"},
        "checks": [
            {
                "name": "positive",
                "oracle": "by hand",
                "expected": 1.0,
                "found": -1.0,
                "error": 2.0,
                "tolerance": 0.0,
                "passed": False,
            }
        ],
        "table": {"value": [-6.75, "-Infinity"]},
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--base", "11"], "base: Input should be less than or equal to 10 (given: '11')"),
        (["--exponent", "2.5"], "exponent: Input should be a valid integer"),
        (["--method", "magic"], "method: Input should be 'loop' or 'library'"),
        (["--base", "nan"], "base: "),
        (["--start_values", '{"a": "b"}'], "start_values.a: Input should be a valid number"),
        (["--base", "0", "--exponent", "0"], "0 to the power 0 is left undefined here"),
    ],
)
def test_wrong_values_are_named(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["power", *options]) == 2
    output = capsys.readouterr()
    assert output.err.startswith(f"unroll power: {message}")
    assert output.out == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bas", "1"], "unrecognized arguments"),
        (["--base"], "expected one argument"),
        (["--start-values", "{a: 2}"], "this is not JSON"),
        (["7"], "unrecognized arguments: 7"),
    ],
)
def test_bad_options_are_named(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        command.main(["power", *options])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_help_explains_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        command.main(["power", "--help"])
    assert exit_.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "What is multiplied; 100% real. (≥ -10, ≤ 10; default: 2.0)" in text
    assert "How often. (≥ 0, < 64; default: 3)" in text
    assert "How it is computed. (loop, library; default: 'loop')" in text
    assert "--start-values" in text


def test_unknown_command_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["powers"]) == 2
    assert "unroll power" in capsys.readouterr().err
    assert command.main([]) == 0
    assert "unroll run" in capsys.readouterr().out
