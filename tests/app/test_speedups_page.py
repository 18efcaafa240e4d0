"""The page on parallel speed-ups without a browser: what is drawn, said, asked; measured only on demand."""

import json
import runpy
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.figures import speedups, speedups_bars, speedups_charts, speedups_code, speedups_notes, speedups_race
from app.figures.speedups_snippets import snippet
from engine.measure import Run, Timing, service
from engine.studies import speedups_plans
from engine.studies.speedups import EXAMPLES, SpeedupsResult, run
from engine.studies.speedups_plans import ALONE, plan
from engine.studies.speedups_setup import SpeedupsSetup
from tests.app import visit
from tests.app.visit import address, components, messages, text

ALL = [(experiment, name) for experiment, examples in EXAMPLES.items() for name in examples]
RACE = {"v": "1", "experiment": "Race"}  # nothing to compile before it is shown


pytestmark = pytest.mark.usefixtures("nothing_measured_yet")


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("speedups", query)


def made_up(setup: SpeedupsSetup) -> SpeedupsResult:
    """As if all of the plan had been measured: 2 ms alone, 1.5 ms otherwise, a launch of 0.1 ms, a race."""
    chosen = plan(setup)
    timings = []
    for work in chosen.works():
        seconds = 2e-3 if work.series == ALONE else 1.5e-3
        launch = 1e-4 if work.empty else None
        samples = (0.9 * seconds, seconds, 1.1 * seconds)
        timings.append(
            Timing(work.series, work.at, work.amount, work.unit, 0.1, 0.01, samples, launch, work.note)
        )
    curves = {"shared": (0.1, 0.4, 0.3), "atomic": (0.0,) * 3, "private": (0.0,) * 3}
    found = Run(chosen.key, "m", "2026-01-02T03:04:05+00:00", 0.5, tuple(timings), True, curves)
    service().store.keep(found)
    return run(setup)


# ---- pictures and words


@pytest.mark.parametrize(("experiment", "name"), ALL)
@pytest.mark.parametrize("is_measured", [False, True])
def test_every_example_is_drawn_within_its_axes(experiment: str, name: str, is_measured: bool) -> None:
    setup = EXAMPLES[experiment][name]
    result = made_up(setup) if is_measured else run(setup)
    asked = speedups.question(result)
    assert (asked is not None) or (experiment == "Sizes")
    notes = speedups_notes.notes(result)
    assert all(notes)
    assert bool(notes) or not is_measured
    json.dumps(speedups_bars.phases(result), allow_nan=False)
    if experiment == "Race":
        json.dumps(speedups_race.board(result, present=False), allow_nan=False)
    if experiment in ("Loops found", "SIMD"):
        json.dumps(speedups_code.panes(result, present=False), allow_nan=False)
    if experiment not in speedups_charts.MAKERS:
        return
    chart = speedups_charts.chart(result, present=False)
    json.dumps(chart, allow_nan=False)
    groups = {group["key"] for group in chart["groups"]}
    for series in chart["series"]:
        assert series["group"] in groups
        assert all(chart["x"]["low"] <= x <= chart["x"]["high"] for x in series["x"])
        assert all(
            y is None or chart["y"]["low"] <= y <= chart["y"]["high"]
            for y in series["y"]
            if series["kind"] == "line"
        )
    assert any(series["kind"] == "line" for series in chart["series"]) == is_measured


def test_the_ledger_shows_every_part_and_what_was_measured() -> None:
    result = made_up(SpeedupsSetup(threads=2, serial=0.5))
    alone, two = speedups_bars.ledger(result)["rows"]
    assert alone["end"] == pytest.approx(2e-3)
    parts = {part["name"]: part["seconds"] for part in two["parts"]}
    if result.cores > 1:
        assert parts["ideal"] == pytest.approx(1e-3)
        assert parts["serial share"] == pytest.approx(0.5e-3)
        assert parts["launch"] == pytest.approx(1e-4)
    assert two["measured"] == pytest.approx(1.5e-3)
    assert two["end"] == pytest.approx(sum(parts.values()))


def test_the_table_sets_laws_beside_what_was_measured() -> None:
    """4/3 on two threads: by Amdahl half is serial, so three threads would be 3/2 as fast."""
    rows = speedups_notes.scaling_table(made_up(SpeedupsSetup(threads=3))).splitlines()[2:]
    two, three = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)
    assert two[:4] == ["2", "1.33", "1.33", "fitted"]
    assert three[:4] == ["3", "1.5", "1.33", "-11%"]


def test_losing_is_said_first() -> None:
    setup = SpeedupsSetup(size=1 << 12, threads=2)
    slow = made_up(setup)
    assert slow.run is not None
    timings = tuple(
        Timing(**{**vars(t), "samples": (9.0,) * 3}) if t.series == "same task" else t
        for t in (
            Timing(t.series, t.at, t.amount, t.unit, t.compiling, t.first, t.samples, t.launch, t.note)
            for t in slow.run.timings
        )
    )
    service().store.keep(Run(slow.run.key, "m", "2026-01-02T03:04:05+00:00", 0.5, timings))
    assert speedups_notes.notes(run(setup))[0].startswith("**Threads lose** here with 2 of them")


def test_vectors_and_fused_loops_are_marked() -> None:
    simd = speedups_code.panes(run(SpeedupsSetup(experiment="SIMD")), present=False)
    off, on = ({line["hue"] for line in pane["lines"]} for pane in simd["panes"])
    assert "value" not in off
    assert "value" in on
    loops = speedups_code.panes(run(SpeedupsSetup(experiment="Loops found")), present=False)
    (pane,) = loops["panes"]
    groups = [line["group"] for line in pane["lines"]]
    assert len(set(groups[1:])) == 1
    assert "fused into loop 1" in pane["lines"][2]["note"]


def test_the_race_board_holds_every_situation() -> None:
    board = speedups_race.board(run(SpeedupsSetup(experiment="Race", updates=2)), present=False)
    assert board["nodes"][0]["outcomes"] == [[2, 702], [3, 216], [4, 6]]
    for node in board["nodes"]:
        for pending, after in zip(node["pending"], node["after"], strict=True):
            assert (pending is None) == (after is None)
    orders = {each["name"]: each["order"] for each in board["orders"]}
    assert orders["one after the other"] == "AAAAAABBBBBB"
    worst = run(SpeedupsSetup(experiment="Race", updates=2, order=orders["loses most"])).situation
    assert worst is not None
    assert worst.counted == 2


@pytest.mark.parametrize(
    ("name", "value", "fields"),
    [("at", 3.0, {"at": 3}), ("size", 12.0, {"size": 4096}), ("spacing", 64.0, {"spacing": 64})],
)
def test_markers_set_their_fields(name: str, value: float, fields: dict[str, int]) -> None:
    assert speedups_charts.changed_fields({"name": name, "value": value}) == fields


# ---- the page


def test_a_page_measures_only_when_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speedups_plans, "TRIALS", 3)
    app = opened(RACE)
    assert "Nothing of this has been measured" in text(app)
    assert service()._thread is None
    app.button(key="speedups_measure").click().run()
    ticket = app.session_state["speedups_ticket"]
    assert ticket.wait(60)
    app.run()
    assert "Measured on this machine" in text(app)
    assert messages(app) == ""
    assert all(len(real["lost"]) == 3 for real in components(app)[0]["real"])
    assert "Measured on this machine" in text(opened(RACE))  # whoever comes next sees it, too


def test_a_link_does_not_measure() -> None:
    app = opened(RACE | {"measure": "true"})
    assert "A link does not start a measurement" in messages(app)
    assert service()._thread is None
    assert address(app)["measure"] == "false"


def test_a_server_may_show_stored_runs_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_MEASURE", "stored")
    made_up(SpeedupsSetup(experiment="Race"))
    app = opened(RACE)
    assert not [button for button in app.button if button.key == "speedups_measure"]
    assert "run Unroll yourself" in "\n".join(element.value for element in app.caption)
    assert "on another machine (m), 02 January 2026, 03:04 UTC" in text(app)


def test_experiments_are_one_click_apart() -> None:
    app = opened(RACE)
    for experiment in EXAMPLES:
        app.segmented_control(key="speedups_experiment").set_value(experiment).run()
        assert messages(app) == ""
        assert not app.error
        assert address(app)["experiment"] == experiment


def test_another_program_starts_anew() -> None:
    app = opened(RACE | {"order": "ABAABB"})
    app.selectbox(key="speedups:updates").set_value(2).run()
    assert messages(app) == ""
    assert components(app)[0]["order"] == address(app)["order"] == ""
    app.pills(key="speedups_example").set_value("right by luck").run()
    assert address(app)["order"] == "AAABBB"


def test_the_answer_is_veiled_until_it_is_predicted() -> None:
    app = opened(RACE)
    assert components(app)[0]["veiled"] is True
    assert "lose an update" not in text(app)
    app.number_input(key="prediction_guess").set_value(2).run()
    app.button(key="prediction_commit").click().run()
    assert "Right." in text(app)
    assert "18 of 20 interleavings (90%) lose an update" in text(app)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"experiment": "Speed-up", "kernel": "matmul", "size": "1048576"}, "at most 262,144 elements"),
        ({"experiment": "Race", "order": "AAAA"}, "Thread A has finished"),
        ({"experiment": "Race", "order": "ABC"}, "Order of steps cannot be"),
        ({"experiment": "Race", "serial": "2"}, "Serial share cannot be"),
    ],
)
def test_a_bad_link_says_so(query: dict[str, str], said: str) -> None:
    assert said in messages(opened({"v": "1", **query}))


def test_presenter_mode_shows_the_picture_and_no_controls() -> None:
    app = opened(RACE | {"present": "1", "order": "AB"})
    (board,) = components(app)
    assert board["present"] is True
    assert board["order"] == "AB"
    assert not [button for button in app.button if button.key == "speedups_measure"]


@pytest.mark.parametrize(
    "setup",
    [
        SpeedupsSetup(size=256, kernel="zip"),
        SpeedupsSetup(experiment="Loops found", loop="sum"),
        SpeedupsSetup(experiment="SIMD"),
        SpeedupsSetup(experiment="False sharing"),
        SpeedupsSetup(experiment="Race"),
    ],
)
def test_the_code_runs(setup: SpeedupsSetup, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = snippet(run(setup)).replace("10_000_000", "10_000").replace("(1, 2, 4)", "(1,)")
    file = tmp_path / "snippet.py"
    file.write_text(code, encoding="utf-8")
    runpy.run_path(str(file))
    assert capsys.readouterr().out
