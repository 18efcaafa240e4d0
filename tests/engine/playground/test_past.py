"""A past that is written down and read again is the same; what is no past is refused, and quoted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.playground.setup import PlaygroundSetup
from engine.training.past import Change, check_past, fold, unfold
from engine.training.position import Position, read_position

CONTROLS: dict[str, list[Any]] = {
    "rate": [0.1, 0.03, 1.0],
    "hidden": ["", "3 relu", "4 tanh, 2 tanh"],
    "batch": [1, 10, 30],
    "optimiser": ["SGD", "Adam"],
    "dropout": [0.0, 0.5],
    "shuffle": [True, False],
}
VALUES = st.floats(allow_nan=False, allow_infinity=False, width=32)
POSITIONS = st.builds(Position, st.integers(0, 99_999), st.integers(0, 999))


@st.composite
def histories(draw: st.DrawFn) -> tuple[PlaygroundSetup, list[Change], Position]:
    first = PlaygroundSetup(**{name: draw(st.sampled_from(values)) for name, values in CONTROLS.items()})
    *places, now = sorted(draw(st.lists(POSITIONS, min_size=1, max_size=6)))
    changes, controls = [], first.at_start()
    for place in places:
        if draw(st.booleans()):
            name = draw(st.sampled_from(["weight.0.1.0", "bias.1.0"]))
            changes.append(Change(place, {}, {name: draw(VALUES)}))
            continue
        name = draw(st.sampled_from(sorted(CONTROLS)))
        value = draw(st.sampled_from(CONTROLS[name]))
        controls[name] = value
        changes.append(Change(place, {name: value}, {}))
    return first, changes, now


@given(histories())
def test_unfold_takes_apart_what_fold_put_together(
    history: tuple[PlaygroundSetup, list[Change], Position],
) -> None:
    first, changes, now = history
    setup = fold(first, changes, now)
    assert unfold(PlaygroundSetup(**setup.model_dump())) == (first, changes)
    assert read_position(setup.epoch) == now
    for change in changes:  # the last value of each control is what the setup holds
        for name in change.controls:
            latest = [other.controls[name] for other in changes if name in other.controls][-1]
            assert getattr(setup, name) == latest


@given(POSITIONS)
def test_positions_are_read_as_they_are_written(position: Position) -> None:
    assert read_position(str(position)) == position


def test_positions_are_in_order_of_time() -> None:
    assert Position(0, 90) < Position(1) < Position(1, 5) < Position(1, 10) < Position(2)


BAD = {
    "nothing that can be read": "5",
    "no JSON": '3:{"rate":}',
    "no dictionary": "3:[1]",
    "nothing changed": "3:{}",
    "an unknown control": '3:{"speed":2}',
    "a control that is not live": '3:{"seed":2}',
    "a control and a weight": '3:{"rate":0.1,"weight.0.0.0":1}',
    "a weight that is no number": '3:{"weight.0.0.0":"much"}',
    "a weight that is nothing": '3:{"weight.0.0.0":null}',
    "a weight without a place": '3:{"weight":1}',
    "no position": '{"rate":0.1}',
    "a position that is no number": 'x:{"rate":0.1}',
    "back in time": '3:{"rate":0.1};2:{"rate":0.2}',
    "a value out of range": '3:{"rate":-1}',
    "a value of another kind": '3:{"hidden":"4 swish"}',
    "very deep": "3:" + "[" * 7000,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_is_no_past(text: str) -> None:
    with pytest.raises(ValueError, match=r"past|rate|hidden|activation"):
        check_past(PlaygroundSetup, text)
    with pytest.raises(ValueError, match=r"past|rate|hidden|activation"):
        PlaygroundSetup(past=text)


@given(st.text(alphabet='0123456789.:;{}[]",rateweightnuls-e ', max_size=60))
def test_any_text_is_a_past_or_refused(text: str) -> None:
    try:
        setup = PlaygroundSetup(past=text)
    except ValueError:
        return
    unfold(setup)
