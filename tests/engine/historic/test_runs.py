"""Runs of the nets of 1986: beside torch sweep by sweep, to the bit again, and stuck where they must be."""

from typing import Any

import numpy as np
import pytest

from engine.compiler import background
from engine.historic.families import PEOPLE, facts
from engine.historic.network import difference_of_units
from engine.historic.oracle import torch_curve
from engine.historic.patterns import split
from engine.historic.run import Run
from engine.historic.seeds import median_sweeps, with_seed, with_seeds
from engine.historic.setup import HistoricSetup
from engine.studies.historic import EXAMPLES, FAMILY, SYMMETRY, XOR
from engine.training.model import values
from engine.training.position import Position


def begun(setup: HistoricSetup) -> Run:
    """A run whose kernels are all compiled."""
    Run(setup)
    background.settle()
    return Run(setup)


def parts(run: Run) -> dict[str, Any]:
    """The numbers of a row by name."""
    lengths = run.shape()["lengths"]
    return dict(zip(lengths, np.split(run.row(), np.cumsum(list(lengths.values()))[:-1]), strict=True))


@pytest.mark.parametrize(
    "setup",
    [
        SYMMETRY,
        SYMMETRY.model_copy(update={"warm_up": 10, "decay": 0.001, "hidden": 3}),
        XOR.model_copy(update={"skips": True, "hidden": 1, "optimiser": "SGD"}),
        FAMILY,
        FAMILY.model_copy(update={"margin": True, "warm_up": 20, "decay": 0.002, "rate": 0.01}),
    ],
)
def test_the_curve_is_torchs(setup: HistoricSetup) -> None:
    run = begun(setup)
    ours = [run.judged()[0][0]]
    for _ in range(60):
        run.step_epoch()
        ours.append(run.judged()[0][0])
    np.testing.assert_allclose(ours, torch_curve(setup, 60), rtol=2e-4)


@pytest.mark.parametrize("setup", [SYMMETRY, XOR, FAMILY])
def test_a_run_comes_again_to_the_bit_with_what_was_done_to_it(setup: HistoricSetup) -> None:
    run = begun(setup)
    run.go_to(Position(5))
    run.edit("weight.1.0.1", 0.75)
    run.change(run.controls.model_copy(update={"rate": 0.02, "pattern": "011010", "person": "Sophia"}))
    run.go_to(Position(9))
    again = Run(run.setup)
    np.testing.assert_array_equal(run.row(), again.row())
    assert run.setup.past.startswith('5:{"weight.1.0.1":0.75}')


@pytest.mark.parametrize("init", ["alike", "zeros"])
@pytest.mark.parametrize("setup", [SYMMETRY, XOR, FAMILY])
def test_units_that_begin_alike_stay_alike(setup: HistoricSetup, init: str) -> None:
    run = begun(setup.model_copy(update={"init": init, "warm_up": 100}))
    before = run.judged()[0][0]
    run.go_to(Position(150))
    assert difference_of_units(run.model.net) < 1e-6
    assert run.judged()[0][0] < before + 1e-6
    assert run.judged()[0][1] < 1.0


def test_a_gentle_start_succeeds_where_the_papers_rate_is_stuck() -> None:
    stuck, gentle = EXAMPLES["symmetry"]["A seed that is stuck"], EXAMPLES["symmetry"]["Gentle start"]
    assert stuck.seed == gentle.seed
    begun(stuck)
    assert with_seed(stuck, stuck.seed).solved is None
    found = with_seed(gentle, gentle.seed)
    assert found.solved is not None
    assert found.form == "1 : 2 : 4"
    assert (found.trained, found.tested) == (1.0, 1.0)


def test_one_hidden_unit_and_no_way_round_never_learns_xor() -> None:
    """No line separates the classes: at most three of four are right (Minsky & Papert 1969)."""
    alone = XOR.model_copy(update={"hidden": 1, "sweeps": 400, "seeds": 3})
    begun(alone)
    found = list(with_seeds(alone))
    assert [seeded.seed for seeded in found] == [0, 1, 2]
    assert all(seeded.solved is None and seeded.trained <= 0.75 for seeded in found)
    assert np.isnan(median_sweeps(found))
    way_round = with_seed(alone.model_copy(update={"skips": True, "sweeps": 1000}), 0)
    assert way_round.solved is not None


def test_outputs_and_sums_are_those_of_the_weights() -> None:
    run = begun(SYMMETRY.model_copy(update={"pattern": "110011"}))
    run.go_to(Position(30))
    found, net = parts(run), run.model.net
    hidden, last = (
        (values(linear.weight).astype(np.float64), values(linear.bias)) for linear in net.linears()
    )

    def output(rows: Any) -> Any:
        sums = rows @ hidden[0].T + hidden[1]
        return sums, 1 / (1 + np.exp(-(1 / (1 + np.exp(-sums)) @ last[0].T + last[1])))

    sums, outputs = output(run.train.inputs)
    np.testing.assert_allclose(found["outputs"], outputs[:, 0], atol=1e-6)
    np.testing.assert_allclose(found["sums"], sums[0b110011], atol=1e-5)
    np.testing.assert_allclose(found["output"], outputs[0b110011], atol=1e-6)


def test_held_out_facts_are_held_out_and_answers_counted() -> None:
    setup = FAMILY.model_copy(update={"seed": 5, "held_out": 7})
    train, test = split(setup)
    assert (len(train), len(test)) == (97, 7)
    assert set(train.facts) | set(test.facts) == set(facts())
    run = begun(setup)
    run.go_to(Position(3))
    found = parts(run)
    assert found["held out"].shape == (7 * len(PEOPLE),)
    said = found["held out"].reshape(7, -1) > 0.5
    right = (said == (test.targets > 0.5)).all(1).mean()
    assert run.judged()[1][1] == pytest.approx(right)
    everywhere = (97 * run.judged()[0][1] + 7 * run.judged()[1][1]) / 104
    assert found["right"].mean() == pytest.approx(everywhere, abs=1e-6)


def test_family_trees_are_learned() -> None:
    run = begun(FAMILY)
    run.go_to(Position(2000))
    (_, trained), (_, tested) = run.judged()
    assert trained > 0.85
    assert 0.0 <= tested <= 1.0
    assert np.nanmax(parts(run)["told"].reshape(6, 3), axis=0).min() > 0.3


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"person": "Nobody"}, "Christopher, Penelope"),
        ({"relation": "cousin"}, "father, mother"),
        ({"pattern": "1002"}, "pattern"),
        ({"task": "parity"}, "symmetry"),
        ({"sweeps": 10**6}, "5000"),
    ],
)
def test_what_is_impossible_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        HistoricSetup(**fields)


@pytest.mark.parametrize("name", ["weight.0.2.0", "weight.2.0.0", "bias.0.5", "weight.0.0.6"])
def test_a_weight_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no parameter"):
        Run(SYMMETRY).edit(name, 1.0)
