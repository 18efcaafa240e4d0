"""A run is the same whenever and however it is taken up: to the bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.compiler import background
from engine.playground.run import Run
from engine.playground.setup import PlaygroundSetup
from engine.training.position import Position
from engine.training.run import KEPT_EVERY, MOST_KEPT
from tests.engine.playground.runs import begun, numbers, parameters, setup_of

SETUPS = {
    "default": setup_of(),
    "no hidden layer": setup_of(hidden="", loss="logistic", data="gauss"),
    "dropout": setup_of(dropout=0.3, hidden="4 relu"),
    "batch norm": setup_of(batch_norm=True, batch=29, hidden="4 relu"),
    "momentum": setup_of(optimiser="momentum", hidden="4 relu"),
    "Adam, residual, cosine": setup_of(
        optimiser="Adam", residual=True, hidden="3 tanh, 3 tanh", schedule="cosine", horizon=5
    ),
    "everything": setup_of(
        optimiser="Adam", dropout=0.2, batch_norm=True, hidden="4 relu", penalty="L2", data="reg-plane"
    ),
}


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS.keys())
def test_a_run_equals_itself_forwards_and_back_and_forth(setup: PlaygroundSetup) -> None:
    run, seen = begun(setup), {}
    for _ in range(14):
        seen[run.position] = numbers(run)
        run.step()
    again = begun(setup)
    for position, expected in seen.items():
        again.go_to(position)
        assert again.position == position
        assert numbers(again) == expected
    for position in (Position(1), Position(2, 14), Position(0, 14), Position(), Position(1)):
        run.go_to(position)
        if position in seen:
            assert numbers(run) == seen[position]
        assert numbers(Run(run.setup)) == numbers(run)


def test_the_last_bits_do_not_depend_on_where_memory_is() -> None:
    setup, found = SETUPS["batch norm"].model_copy(update={"epoch": "2"}), set()
    begun(setup)
    between = []
    for size in range(1, 25):
        between.append(np.zeros(7 * size, np.float32))  # so that what comes next lies elsewhere
        found.add(numbers(Run(setup)))
    assert len(found) == 1


def test_a_position_between_two_batches_is_that_of_the_next() -> None:
    assert Run(setup_of(epoch="1.3")).setup.epoch == "1.7"


def test_the_last_batch_is_what_is_left_and_with_batch_norm_never_a_single_point() -> None:
    for batch_norm, sizes in ((False, [29, 1]), (True, [30])):
        run = Run(setup_of(batch=29, batch_norm=batch_norm))
        assert len(run.train) == 30
        used = [0]
        while run.position.epoch == 0:
            run.step()
            used.append(run.position.used or 30)
        assert np.diff(used).tolist() == sizes


def test_each_epoch_uses_every_point_once_and_in_another_order() -> None:
    run, orders = Run(setup_of()), []
    for _ in range(3):
        assert sorted(run._inputs.tolist()) == sorted(run.train.inputs.tolist())
        orders.append(run._inputs.tolist())
        run.step_epoch()
    assert orders[0] != orders[1] != orders[2]
    still = Run(setup_of(shuffle=False))
    first = still._inputs.copy()
    assert first.tolist() == orders[0]
    still.step_epoch()
    np.testing.assert_array_equal(still._inputs, first)


def test_states_that_are_kept_are_bounded_and_lead_back_exactly() -> None:
    run = begun(setup_of(samples=20, batch=10, hidden=""))
    seen = {}
    for _ in range(3 * KEPT_EVERY + 5):
        seen[run.position] = numbers(run)
        run.step_epoch()
    assert len(run._kept) == 4
    for epoch in (KEPT_EVERY + 1, KEPT_EVERY, 3 * KEPT_EVERY, 3, 2 * KEPT_EVERY - 1):
        run.go_to(Position(epoch))
        assert numbers(run) == seen[Position(epoch)]
    run._kept_every = 1  # as if there had been very many epochs
    for _ in range(3 * MOST_KEPT):
        run.step_epoch()
    assert len(run._kept) <= MOST_KEPT
    run.go_to(Position(KEPT_EVERY + 7))
    assert numbers(run) == seen[Position(KEPT_EVERY + 7)]


# ---- changes on the way

CHANGES: list[dict[str, Any]] = [
    {"rate": 0.1},
    {"batch": 11},
    {"hidden": "5 tanh"},
    {"hidden": "4 tanh, 2 tanh, 2 relu"},
    {"hidden": "4 tanh"},
    {"penalty": "L1"},
    {"loss": "logistic", "shuffle": False},
    {"dropout": 0.25},
    {"batch_norm": True},
    {"optimiser": "Adam", "rate": 0.01},
    {"optimiser": "momentum"},
    {"schedule": "halving", "horizon": 2},
]
ACTIONS = st.one_of(
    st.just(("step",)),
    st.just(("epoch",)),
    st.tuples(st.just("change"), st.sampled_from(CHANGES)),
    st.tuples(st.just("edit"), st.sampled_from(["weight.0.1.0", "bias.0.2"]), st.sampled_from([-1.25, 0.5])),
    st.tuples(st.just("back"), st.integers(0, 20)),
)


def act(run: Run, action: tuple[Any, ...], seen: dict[Position, Any]) -> None:
    """Do it; `seen` is what was found at each position of this future."""
    match action:
        case ("step",):
            run.step()
        case ("epoch",):
            run.step_epoch()
        case ("back", far):
            run.go_to(list(seen)[-1 - far % len(seen)])
            assert numbers(run) == seen[run.position]
        case ("change", fields):
            run.change(PlaygroundSetup(**{**run.controls.at_start(), **fields}))
        case ("edit", name, value):
            run.edit(name, value)
    background.settle()
    if action[0] in ("change", "edit"):
        for position in [position for position in seen if position > run.position]:
            del seen[position]
    seen[run.position] = numbers(run)


@settings(max_examples=15)
@given(st.lists(ACTIONS, min_size=3, max_size=12), st.sampled_from(["SGD", "Adam", "momentum"]))
def test_the_link_of_any_program_of_actions_leads_to_the_same_numbers(
    program: list[tuple[Any, ...]], optimiser: str
) -> None:
    run = begun(setup_of(optimiser=optimiser, hidden="4 tanh"))
    seen = {run.position: numbers(run)}
    for action in program:
        act(run, action, seen)
    link = PlaygroundSetup(**run.setup.model_dump())
    again = Run(link)
    assert again.setup == link
    assert numbers(again) == numbers(run)
    for position in [position for position in seen if position <= run.position]:
        again.go_to(position)
        assert numbers(again) == seen[position]


def test_a_fork_leaves_the_way_there_as_it_was_and_forgets_what_was_to_come() -> None:
    run = begun(setup_of())
    run.go_to(Position(4))
    whole = numbers(run)
    run.go_to(Position(2))
    fork = Run(run.setup)
    fork.change(run.controls.model_copy(update={"rate": 0.3}))
    fork.step_epoch()
    run.step_epoch()
    assert numbers(fork) != numbers(run)
    run.go_to(Position(4))
    assert numbers(run) == whole
    run.go_to(Position(1))
    run.edit("weight.0.0.0", 2.0)
    run.go_to(Position(3))
    run.go_to(Position(0))
    run.edit("weight.0.0.0", 1.0)
    assert [change.position for change in run.changes] == [Position(0)]


def test_a_change_keeps_what_it_does_not_concern() -> None:
    for optimiser in ("SGD", "momentum", "Adam", "RMSprop"):
        run = begun(setup_of(optimiser=optimiser, hidden="4 tanh"))
        run.step_epoch()
        before = numbers(run)
        run.change(run.controls.model_copy(update={"loss": "logistic"}))
        assert numbers(run) == before


def test_a_layer_or_unit_that_is_added_leaves_the_others_as_they_were() -> None:
    run = begun(setup_of(hidden="4 tanh, 3 tanh"))
    run.step_epoch()
    first, bias, second, *_ = parameters(run)
    run.change(run.controls.model_copy(update={"hidden": "5 tanh, 3 tanh"}))
    wider = parameters(run)
    np.testing.assert_array_equal(wider[0][:4], first)
    np.testing.assert_array_equal(wider[1][:4], bias)
    np.testing.assert_array_equal(wider[2][:, :4], second)
    run.change(run.controls.model_copy(update={"hidden": "5 tanh, 3 tanh, 2 tanh"}))
    for before, after in zip(wider[:4], parameters(run), strict=False):
        np.testing.assert_array_equal(after, before)


def test_a_change_of_what_is_not_live_begins_again() -> None:
    run = begun(setup_of())
    run.step_epoch()
    run.change(run.controls.model_copy(update={"seed": 3}))
    assert run.setup == setup_of(seed=3)
    assert numbers(run) == numbers(begun(setup_of(seed=3)))


def test_an_edit_of_what_is_not_there_changes_nothing() -> None:
    run = begun(setup_of(hidden="4 tanh"))
    before = numbers(run)
    for name in ("weight.0.4.0", "weight.2.0.0", "bias.1.1", "weight.0.0"):
        with pytest.raises(ValueError, match=name.replace(".", r"\.")):
            run.edit(name, 1.0)
    assert numbers(run) == before
    assert run.setup.past == ""


def test_weights_set_by_hand_before_training_stay_when_a_control_is_changed() -> None:
    run = begun(setup_of(hidden="", rate=0.0))
    run.edit("weight.0.0.0", 2.0)
    run.change(run.controls.model_copy(update={"rate": 0.1}))
    assert parameters(run)[0][0, 0] == 2.0
    assert numbers(Run(run.setup)) == numbers(run)
    run.step_epoch()
    assert numbers(Run(run.setup)) == numbers(run)
    assert parameters(run)[0][0, 0] != 2.0
