"""The same controls with other seeds, beside runs made one by one and quartiles by hand."""

import math
from dataclasses import replace

from engine.playground.run import Run
from engine.playground.seeds import Seeded, quartiles, with_other_seeds
from tests.engine.playground.runs import begun, numbers, setup_of

SETUP = setup_of(epoch="3", past='2:{"rate":0.5}', hidden="3 tanh", dropout=0.2)


def test_each_is_the_run_with_that_seed() -> None:
    begun(SETUP)
    found = list(with_other_seeds(SETUP, 4))
    assert [seeded.seed for seeded in found] == [0, 1, 2, 3]
    for seeded in found:
        run = Run(SETUP.model_copy(update={"seed": seeded.seed}))
        assert seeded.setup == run.setup
        assert seeded.figures == run.figures()
        assert seeded.drawn.tobytes() == run.model.drawn().tobytes()
        assert numbers(Run(seeded.setup)) == numbers(run)
    assert len({seeded.drawn.tobytes() for seeded in found}) == 4


def test_it_ends_when_it_is_stopped() -> None:
    found: list[Seeded] = []
    for seeded in with_other_seeds(SETUP, 20, lambda: len(found) >= 2):  # noqa: B023  (the list stays the same)
        found += [seeded]
    assert len(found) == 2
    assert list(with_other_seeds(SETUP, 20, stopped=lambda: True)) == []


def test_quartiles() -> None:
    (first,) = with_other_seeds(setup_of(), 1)
    losses = [0.4, 0.1, 0.3, 0.2, 0.5, 0.7, 0.6, 0.8]
    found = [replace(first, figures=replace(first.figures, test_loss=loss)) for loss in losses]
    assert quartiles(found) == (0.2, 0.4, 0.6)
    lost = [replace(first, figures=replace(first.figures, test_loss=math.nan))] * 3
    assert quartiles([*found, *lost]) == (0.3, 0.6, math.inf)
    assert all(map(math.isnan, quartiles([])))
