"""The tensor grid's payload against numpy, and the torch snippet run for real."""

import json
import runpy
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.figures import strides
from app.figures.grids import MOST_CELLS, MOST_LINES, shown_indices
from engine.jsonable import decode_number
from engine.studies.strides import EXAMPLES, StridesResult, StridesSetup, run
from engine.studies.view_steps import LINE_ELEMENTS
from engine.tensor_summary import summarise


def result(**fields: Any) -> StridesResult:
    return run(StridesSetup(**fields))


def payload(**fields: Any) -> dict[str, Any]:
    return strides.payload(result(**fields), 600, present=False)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_payload_is_strict_json(name: str) -> None:
    json.dumps(strides.payload(run(EXAMPLES[name]), 600, present=False), allow_nan=False)


@pytest.mark.parametrize(
    "shape", [(300, 300), (7, 9, 11, 13), (2000,), (1, 5000), (10, 10, 10, 10, 10), (30, 40)]
)
def test_a_large_tensor_is_shown_by_its_corners(shape: tuple[int, ...]) -> None:
    shown = shown_indices(shape)
    drawn = [[index for index in axis if index is not None] for axis in shown]
    assert prod(map(len, drawn)) <= MOST_CELLS
    for axis, length in zip(shown, shape, strict=True):
        assert axis[0] == 0
        assert axis[-1] == length - 1
        assert None in axis or axis == list(range(length))
    assert (prod(shape) > MOST_CELLS) == any(None in axis for axis in shown)


def test_cells_hold_the_elements_that_numpy_finds() -> None:
    made = payload(shape="100, 200", chain="x.T[::-1]")
    grid = made["steps"][-1]["grid"]
    drawn = [[index for index in axis if index is not None] for axis in grid["shown"]]
    expected = np.arange(20_000).reshape(100, 200).T[::-1][np.ix_(*drawn)]
    assert grid["elements"] == expected.reshape(-1).tolist()
    assert len(made["storages"][0]["slots"]) <= MOST_LINES * LINE_ELEMENTS
    for slot, element in zip(made["storages"][0]["slots"], made["storages"][0]["elements"], strict=True):
        assert slot == element
    assert all(decode_number(made["values"][str(element)]) == element for element in grid["elements"])


def test_a_copy_has_a_storage_of_its_own() -> None:
    made = payload(shape="2, 3", chain="x.T.reshape(6)")
    assert [storage["elements"] for storage in made["storages"]] == [[0, 1, 2, 3, 4, 5], [0, 3, 1, 4, 2, 5]]
    assert [step["memory"] for step in made["steps"]] == [0, 0, 1]


def test_slots_beyond_the_storage_are_drawn_where_a_view_goes() -> None:
    made = payload(edit="strides", shape="4", size="3", stride="3", offset=-1, break_it=True)
    (storage,) = made["storages"]
    assert storage["slots"] == [-1, 0, 1, 2, 3, 4, 5]
    assert storage["elements"] == [-1, 0, 1, 2, 3, -1, -1]
    assert made["steps"][-1]["grid"]["elements"] == [-1, 2, -1]


def test_figures_are_of_all_elements_and_count_what_is_not_finite() -> None:
    values = np.array([3.0, np.nan, -1.0, np.inf, 4.0, -np.inf, np.nan], np.float32)
    summary = summarise(values)
    assert (summary.least, summary.mean, summary.greatest) == (-1.0, 2.0, 4.0)
    assert (summary.nan, summary.infinite, sum(summary.bins)) == (2, 2, 3)
    nothing = summarise(np.array([np.nan]))
    assert (nothing.least, nothing.mean, nothing.greatest) == (None, None, None)
    shown = payload(shape="100, 100", chain="x[:50]", contents="random")["steps"][-1]["grid"]["figures"]
    drawn = np.random.default_rng(0).standard_normal(10_000).astype(np.float32)[:5000].astype(np.float64)
    assert shown["mean"] == pytest.approx(drawn.mean())
    assert (shown["least"], shown["greatest"]) == (drawn.min(), drawn.max())
    assert sum(shown["bins"]) == 5000


@pytest.mark.parametrize("contents", ["positions", "random", "random with NaN"])
def test_the_torch_snippet_prints_the_layouts_on_screen(
    contents: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = result(chain="x.transpose(0, 1)[::2].reshape(6, 4).view(3, 3)", contents=contents)
    file = tmp_path / "snippet.py"
    file.write_text(strides.torch_code(shown), encoding="utf-8")
    values = runpy.run_path(str(file))["x"].numpy()
    printed = capsys.readouterr().out.splitlines()
    assert printed[:4] == [
        "(6, 8) (8, 1) 0", "(8, 6) (1, 8) 0 view", "(4, 6) (2, 8) 0 view", "(6, 4) (4, 1) 0 copy",
    ]  # fmt: skip
    assert "shape '[3, 3]' is invalid" in printed[4]
    assert np.array_equal(values, shown.values[shown.last.elements], equal_nan=True)
