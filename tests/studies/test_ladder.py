"""The matmul ladder: rungs against numpy, the roofline's arithmetic, plans. No timings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.measure import service
from engine.studies import ladder_walks
from engine.studies.ladder import EXAMPLES, STUDY, fitting_block, intensity, run
from engine.studies.ladder_kernels import PYTHON, RUNGS, THREADS, product, rung, tile_plan
from engine.studies.ladder_plans import plan, works
from engine.studies.ladder_setup import LadderSetup
from engine.studies.ladder_walks import chain, chain_links
from engine.studies.walks import kernel

ALL = [(experiment, name) for experiment, examples in EXAMPLES.items() for name in examples]


@pytest.fixture(autouse=True)
def _nothing_measured_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_MEASURED", str(tmp_path))
    service.cache_clear()


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3), (33, 64, 65), (130, 129, 131)])
@pytest.mark.parametrize("name", RUNGS)
def test_every_rung_multiplies(name: str, shape: tuple[int, int, int]) -> None:
    if name == PYTHON and shape[0] > 100:
        return
    draw = np.random.default_rng(1)
    rows, depth, columns = shape
    a = draw.normal(size=(rows, depth)).astype(np.float32)
    b = draw.normal(size=(depth, columns)).astype(np.float32)
    assert np.allclose(product(name, a, b, block=16), a.astype(np.float64) @ b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [1, 8, 31, 64, 127, 128, 150])
def test_threads_multiply_at_any_size(side: int) -> None:
    """Below the size from which the engine uses them, too: the page shows how they lose there."""
    draw = np.random.default_rng(side)
    a, b = (draw.normal(size=(side, side)).astype(np.float32) for _ in range(2))
    out = np.zeros(side * side, np.float32)
    product(THREADS, a, b)  # compiles
    tile_plan(a.shape, b.shape, 2)(out, a.reshape(-1), b.reshape(-1))
    assert np.allclose(out.reshape(side, side), a.astype(np.float64) @ b, rtol=1e-4, atol=1e-4)


def test_work_is_counted() -> None:
    assert rung(RUNGS[1], 64, 0).amount == 2 * 64**3
    python = rung(PYTHON, 512, 0)
    assert python.note == "1 of 512 rows"
    assert python.amount == 2 * 512**2


def test_intensity_of_a_product() -> None:
    """A square product moves 3 n² numbers of 4 bytes for 2 n³ operations; a matvec half of one a byte."""
    assert intensity(60, 60, 60) == pytest.approx(60 / 6)
    assert intensity(1, 1000, 1000) == pytest.approx(0.5, rel=2e-3)
    assert intensity(64, 1, 1) < 0.5


def test_three_fitting_blocks_fit() -> None:
    cache = service().store.machine.caches[0]
    side = fitting_block(cache)
    assert 3 * 4 * side**2 <= cache.size < 3 * 4 * (side + 1) ** 2


# ---- plans


@pytest.mark.parametrize(("experiment", "name"), ALL)
def test_every_plan_names_what_it_measures_once(experiment: str, name: str) -> None:
    made = works(EXAMPLES[experiment][name])
    places = [(work.series, work.at) for work in made]
    assert len(set(places)) == len(places)
    assert all(work.amount > 0 for work in made)


def test_the_same_measurement_has_the_same_key() -> None:
    base = LadderSetup()
    assert plan(base).key == plan(base.model_copy(update={"batch": 3, "order": "jki", "measure": True})).key
    assert plan(base).key != plan(base.model_copy(update={"side": 64})).key
    assert plan(base).key != plan(base.model_copy(update={"seed": 1})).key
    keys = {plan(LadderSetup(experiment=experiment)).key for experiment in EXAMPLES}
    assert len(keys) == len(EXAMPLES)


@pytest.mark.parametrize(("experiment", "name"), ALL)
def test_nothing_is_measured_unless_it_is_asked_for(experiment: str, name: str) -> None:
    result = run(EXAMPLES[experiment][name])
    assert result.run is None
    assert all(check.passed for check in STUDY.check(result))
    lengths = {len(column) for column in result.table().values()}
    assert len(lengths) == 1


def test_measuring_is_stored_and_found_again() -> None:
    setup = LadderSetup(experiment="Cache", real_side=16, measure=True)
    measured = run(setup)
    assert measured.run is not None
    assert {timing.series for timing in measured.run.timings} == {
        "ijk",
        "ikj",
        "jik",
        "jki",
        "kij",
        "kji",
        "tiles",
    }
    assert "ijk, 16, per ns" in measured.summary()
    again = run(setup.model_copy(update={"measure": False}))
    assert again.run == measured.run
    assert "machine" not in again.summary()


# ---- walks through memory


def test_walks_visit_every_element(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder_walks, "FEWEST", 1)
    for name in (ladder_walks.ROWS, ladder_walks.COLUMNS):
        work = ladder_walks.walk_work(name, 4096, 0)
        assert work.bind(kernel())() == work.amount  # the array holds ones


@pytest.mark.parametrize("lines", [1, 2, 64, 1000])
def test_a_chain_visits_every_line_and_comes_back(lines: int) -> None:
    links, follow = chain_links(lines, seed=3), chain()
    visited = {int(follow(links, steps)) for steps in range(lines)}
    assert visited == set(range(0, 8 * lines, 8))
    assert follow(links, lines) == 0
