"""The page on the matmul ladder without a browser: nothing measured by itself, asked for, stopped, stored."""

import json
import math
import runpy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import command
from app.figures import ladder, ladder_charts, ladder_layout, ladder_memory
from engine.measure import Run, Timing, service
from engine.measure.peaks import ARITHMETIC, MEMORY, STREAM
from engine.studies.ladder import EXAMPLES, LadderResult, intensity, run
from engine.studies.ladder_kernels import RUNGS
from engine.studies.ladder_layout import LAYOUTS
from engine.studies.ladder_plans import WEIGHTS, plan
from engine.studies.ladder_setup import LadderSetup
from tests.app import visit
from tests.app.visit import address, components, messages, text

ALL = [(experiment, name) for experiment, examples in EXAMPLES.items() for name in examples]
STEPS_DRAWN = ("Block size", "Working set", "Data layout")  # sizes of caches, whatever is measured
SMALL = {"v": "1", "experiment": "Cache", "real_side": "16"}  # measured in a moment


pytestmark = pytest.mark.usefixtures("nothing_measured_yet")


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("ladder", query)


def made_up(setup: LadderSetup) -> LadderResult:
    """A result as if all of the plan had been measured: every call took 2 ms, quartiles 1.5 and 2.5."""
    chosen = plan(setup)
    timings = tuple(
        Timing(work.series, work.at, work.amount, work.unit, 0.1, 0.01, (1e-3, 2e-3, 3e-3), 1e-6, work.note)
        for work in chosen.works()
    )
    service().store.keep(Run(chosen.key, "m", "2026-01-02T03:04:05+00:00", 0.5, timings))
    return run(setup)


# ---- pictures


@pytest.mark.parametrize(("experiment", "name"), ALL)
@pytest.mark.parametrize("is_measured", [False, True])
def test_every_example_is_drawn_within_its_axes(experiment: str, name: str, is_measured: bool) -> None:
    setup = EXAMPLES[experiment][name]
    result = made_up(setup) if is_measured else run(setup)
    assert all(ladder.notes(result)) or not is_measured
    if experiment == "Cache":
        json.dumps(ladder.picture(result, present=False), allow_nan=False)
        assert ("not measured" in ladder.cache_table(result)) != is_measured
        return
    chart = ladder_charts.chart(result, present=False)
    json.dumps(chart, allow_nan=False)
    groups = {group["key"] for group in chart["groups"]}
    for series in chart["series"]:
        assert series["group"] in groups
        assert all(chart["x"]["low"] <= x <= chart["x"]["high"] for x in series["x"])
        assert all(y is None or chart["y"]["low"] <= y <= chart["y"]["high"] for y in series["y"])
    assert bool(chart["series"]) == is_measured or experiment in STEPS_DRAWN


def test_bars_are_the_measured_rates() -> None:
    result = made_up(LadderSetup(side=64))
    drawn = ladder_charts.bars(result, present=False)
    for row, name in zip(drawn["rows"], RUNGS, strict=True):
        (bar,) = row["bars"]
        (timing,) = result.timings(name)
        assert 10 ** bar["at"] == pytest.approx(1e-9 * timing.amount / 2e-3)
        assert 10 ** bar["low"] == pytest.approx(1e-9 * timing.amount / 2.5e-3)
        assert 10 ** bar["high"] == pytest.approx(1e-9 * timing.amount / 1.5e-3)
        assert drawn["low"] < bar["low"] < bar["high"] < drawn["high"]


def test_what_was_not_measured_has_no_bar() -> None:
    rows = ladder_charts.bars(run(LadderSetup()), present=False)["rows"]
    assert [row["bars"] for row in rows] == [[]] * len(RUNGS)
    assert {row["text"] for row in rows} == {"not measured"}


def test_roofs_are_straight_until_the_peak() -> None:
    def rate(series: str, at: float, gigas: float, note: str = "") -> Timing:
        return Timing(series, at, 1e9 * gigas, "", 0.0, 0.0, (1.0, 1.0, 1.0), None, note)

    chosen = plan(LadderSetup())
    timings = (rate(ARITHMETIC, 1, 64), rate(STREAM, 1 << 14, 128, "L1"), rate(STREAM, 1 << 27, 8, MEMORY))
    service().store.keep(Run(chosen.key, "m", "2026-01-02T03:04:05+00:00", None, timings))
    series = ladder_charts.chart(run(LadderSetup()), present=False)["series"]
    memory = next(each for each in series if each["kind"] == "line")
    assert memory["x"] == [-2, 3, 8]  # the ridge: 64 GFLOP/s over 8 GB/s is 8 operations a byte
    assert memory["y"] == pytest.approx([math.log10(2), math.log10(64), math.log10(64)], abs=1e-4)


def test_the_roof_is_set_beside_what_was_measured() -> None:
    """Every call took 2 ms: of the made-up roofs, the fastest repetition of 1 ms counts."""
    result = made_up(LadderSetup(experiment="Batch"))
    peaks = result.peaks
    table = ladder.roof_table(result).splitlines()[2:]
    assert peaks is not None
    if not peaks.arithmetic:  # a processor whose registers the engine does not know
        assert table == []
        return
    assert len(table) == 9
    for row, batch in zip(table, (2**power for power in range(9)), strict=True):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        worked = 2 * batch * WEIGHTS**2 / (4 * (2 * batch * WEIGHTS + WEIGHTS**2))
        roof = min(peaks.arithmetic[1], worked * peaks.memory.speed)
        measured = 2e-9 * batch * WEIGHTS**2 / 2e-3
        assert [float(cell) for cell in cells[:4]] == pytest.approx([batch, worked, roof, measured], rel=5e-3)
    assert ladder.roof_table(run(LadderSetup())) == ""


@pytest.mark.parametrize("batch", [1, 2, 16, 100, 256])
def test_the_marker_stands_at_a_batchs_intensity(batch: int) -> None:
    place = ladder_charts.chart(run(LadderSetup(experiment="Batch", batch=batch)), present=False)["marker"][
        "x"
    ]
    assert 2**place == pytest.approx(intensity(batch, WEIGHTS, WEIGHTS))
    nearest = min((2**power for power in range(9)), key=lambda power: abs(math.log2(power / batch)))
    assert ladder_charts.changed_fields({"value": place}) == {"batch": nearest}


def test_the_picture_holds_the_level_of_every_access() -> None:
    result = run(LadderSetup(experiment="Cache", order="jki"))
    drawn = ladder.picture(result, present=False)
    served = np.array([int(level) for level in drawn["served"]])
    assert np.bincount(served, minlength=3).tolist() == result.served["jki"].counts.sum(axis=0).tolist()


# ---- measuring


def test_a_page_measures_only_when_it_is_asked_to() -> None:
    app = opened(SMALL)
    assert "Nothing of this has been measured" in text(app)
    assert service()._thread is None
    app.button(key="ladder_measure").click().run()
    ticket = app.session_state["ladder_ticket"]
    assert ticket.wait(60)
    app.run()
    assert "Measured on this machine" in text(app)
    assert "not measured" not in text(app)
    assert messages(app) == ""
    assert "Measured on this machine" in text(opened(SMALL))  # whoever comes next sees it, too


def test_a_link_does_not_measure() -> None:
    app = opened(SMALL | {"measure": "true"})
    assert "A link does not start a measurement" in messages(app)
    assert service()._thread is None
    assert address(app)["measure"] == "false"


def test_stopping_keeps_what_was_reached() -> None:
    app = opened({"v": "1", "experiment": "Working set"})
    app.button(key="ladder_measure").click().run()
    ticket = app.session_state["ladder_ticket"]
    while not ticket.timings:
        ticket.wait(0.05)
    ticket.stop()
    assert ticket.wait(60)
    app.run()
    assert "were measured" in messages(app)
    assert "stopped before the end" in text(app)
    drawn = components(app)[-1]["series"]
    assert any(each["kind"] == "line" for each in drawn)


def test_a_server_may_show_stored_runs_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_MEASURE", "stored")
    made_up(LadderSetup(experiment="Cache", real_side=16))
    app = opened(SMALL)
    assert not [button for button in app.button if button.key == "ladder_measure"]
    assert "run Unroll yourself" in "\n".join(element.value for element in app.caption)
    assert "on another machine (m), 02 January 2026, 03:04 UTC" in text(app)


def test_the_command_line_measures(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--experiment", "Cache", "--real_side", "16", "--measure", "true", "--json"]
    assert command.main(["ladder", *options]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["summary"]["ijk, 16, per ns"] > 0


def test_the_command_line_says_why_it_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNROLL_MEASURE", "stored")
    assert command.main(["ladder", "--measure", "true"]) == 2
    assert "stored measurements" in capsys.readouterr().err


# ---- the page


@pytest.mark.parametrize("experiment", EXAMPLES)
def test_experiments_are_one_click_apart(experiment: str) -> None:
    app = opened({})
    app.segmented_control(key="ladder_experiment").set_value(experiment).run()
    assert messages(app) == ""
    assert address(app)["experiment"] == experiment


def test_an_impossible_cache_says_so_and_keeps_the_picture() -> None:
    app = opened(SMALL)
    before = components(app)[0]["served"]
    app.selectbox(key="ladder:l1_ways").set_value(64).run()
    assert "cannot be made of sets of 64 lines" in messages(app)
    assert components(app)[0]["served"] == before


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"side": "4096"}, "less than or equal to 1024"),
        ({"order": "kjj"}, "Loops cannot be"),
        ({"depth": "1"}, "depth"),
    ],
)
def test_a_bad_link_says_so(query: dict[str, str], said: str) -> None:
    assert said in messages(opened({"v": "1", **query}))


def test_the_answer_is_veiled_until_it_is_predicted() -> None:
    app = opened(SMALL)
    assert components(app)[0]["veiled"] is True
    assert "L1 misses" not in text(app)
    app.number_input(key="prediction_guess").set_value(12.5).run()
    app.button(key="prediction_commit").click().run()
    assert "You said" in text(app)
    assert "L1 misses" in text(app)


def test_presenter_mode_shows_the_picture_and_no_controls() -> None:
    app = opened({"v": "1", "present": "1"})
    (bars,) = components(app)
    assert bars["present"] is True
    assert bars["reveals"] is True
    assert not app.selectbox
    assert not [button for button in app.button if button.key == "ladder_measure"]


@pytest.mark.parametrize("experiment", EXAMPLES)
def test_a_presenters_keys_do_something(experiment: str) -> None:
    """Bars and curves are revealed, a picture is stepped, a marker is moved: one of them on every page."""
    if experiment != "Cache":
        made_up(next(iter(EXAMPLES[experiment].values())))
    shown = components(opened({"v": "1", "experiment": experiment, "present": "1"}))
    listening = [each for each in shown if each.get("reveals") or each.get("marker") or "step" in each]
    assert len(listening) == 1
    assert all(each["present"] for each in shown)


def test_the_traffic_is_drawn_beside_the_law() -> None:
    result = run(LadderSetup(experiment="Block size", l1=2048, block=9))
    drawn = ladder_memory.traffic(result, present=False)
    law, counted = (each for each in drawn["series"] if each["kind"] == "line")
    for at, exponent, other, each in zip(law["x"], law["y"], counted["y"], result.traffic, strict=True):
        assert 2**at == pytest.approx(each.block, rel=1e-4)
        assert 10**exponent == pytest.approx(2 * 54**3 / each.block + 54**2, rel=1e-4)
        assert 10**other == pytest.approx(each.fetched, rel=1e-4)
    assert "blocks of 9: 37,908 fetched, 2n³/b + n² = 37,908" in drawn["marker"]["text"]


@pytest.mark.parametrize(("key", "way"), [(1, (2, 3, 6, 9, 18, 18)), (-1, (18, 9, 6, 3, 2, 2))])
def test_keys_go_through_all_blocks(key: int, way: tuple[int, ...]) -> None:
    """As the chart does: from the block's place a step on, rounded to steps, within the ends."""
    for block, following in pairwise(way):
        marker = ladder_memory.traffic(
            run(LadderSetup(experiment="Block size", l1=2048, block=block)), present=True
        )["marker"]
        place = round((marker["x"] + key * marker["step"]) / marker["step"]) * marker["step"]
        place = min(max(place, marker["low"]), marker["high"])
        assert ladder_memory.nearest_block({"value": place}) == {"block": following}


def test_layouts_are_set_beside_each_other() -> None:
    setup = LadderSetup(experiment="Data layout")
    assert ladder_layout.table(run(setup)).count("not measured") == 2 * len(LAYOUTS)
    assert ladder_layout.question(run(setup))[1] == 16
    result = made_up(setup)
    assert ladder_layout.question(result)[1] == pytest.approx(1)
    assert "not measured" not in ladder_layout.table(result)


def test_the_layouts_snippet_gives_one_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "snippet.py"
    file.write_text(ladder.torch_code(run(LadderSetup(experiment="Data layout"))), encoding="utf-8")
    runpy.run_path(str(file))
    by_rows, by_columns = (float(line.split()[-1]) for line in capsys.readouterr().out.splitlines())
    assert by_rows == pytest.approx(by_columns, rel=1e-4)


def test_the_snippet_measures_in_torch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "snippet.py"
    file.write_text(ladder.torch_code(run(LadderSetup(side=16))), encoding="utf-8")
    runpy.run_path(str(file))
    assert float(capsys.readouterr().out.split()[0]) > 0
