"""The page of the backend race without a browser: raced when asked, stopped, stored; pictures and words."""

import json
import math
import runpy
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.figures import race, race_charts
from engine.measure import Plan, Run, Timing, service
from engine.race import cold
from engine.race.lanes import COMPILED, CUDA, LATE, NAMES, OBJECTS, REPLAY, TORCH
from engine.studies import race_plans
from engine.studies.race import EXAMPLES, RaceResult, run
from engine.studies.race_plans import SWEPT_WIDTHS, cold_plan, race_plan, widths_plan
from engine.studies.race_setup import RaceSetup
from tests.app import visit
from tests.app.visit import components, messages

SMALL = {"v": "1", "hidden": "2", "points": "10", "batch": "5", "epochs": "3"}
SETUP = RaceSetup(hidden=2, points=10, batch=5, epochs=3)
DATE = "2026-01-02T03:04:05+00:00"
PACES = {name: 10.0 ** (-1 - place) for place, name in enumerate(NAMES)}  # seconds an epoch, made up


pytestmark = pytest.mark.usefixtures("nothing_measured_yet")


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("race", query)


def board(app: AppTest) -> dict[str, Any]:
    return next(each for each in components(app) if "lanes" in each)


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption))


def finish(app: AppTest) -> None:
    """Wait until what was asked for is measured, if it was not so fast that it is over."""
    if "race_ticket" in app.session_state:
        assert app.session_state["race_ticket"].wait(60)
        app.run()


def keep(plan: Plan, timings: list[Timing], curves: dict[str, tuple[float, ...]] | None = None) -> None:
    service().store.keep(Run(plan.key, "m", DATE, 0.1, tuple(timings), True, curves or {}))


def made_up(setup: RaceSetup, everything: bool = True) -> RaceResult:
    """A result as if all had been raced: lanes ten times as fast as the one before, the first one stopped."""
    timings, curves = [], {}
    for name in NAMES[:-1]:
        count = min(setup.epochs, 2) if name == OBJECTS else setup.epochs
        note = "stopped after its 3 s" if name == OBJECTS else "finished"
        timings.append(Timing(name, 0.0, 1.0, "epoch", 0.1, 0.1, (PACES[name],) * count, None, note))
        curves[f"{name}: loss"] = tuple(1 / (epoch + 1) for epoch in range(count))
        curves[f"{name}: turns"] = (1.0,) * count
    timings.append(Timing(CUDA, 0.0, 1.0, "epoch", 0.0, 0.0, (), None, "no GPU here"))
    curves |= {f"{CUDA}: loss": (), f"{CUDA}: turns": ()}
    keep(race_plan(setup), timings, curves)
    if everything:
        keep(cold_plan(setup), [Timing(name, 0, 1, "start", 2.0, 0, (2.0,)) for name in LATE])
        swept = [(name, h, 1e-4 * (1 + h * h / 1e3)) for name in (REPLAY, COMPILED) for h in SWEPT_WIDTHS]
        swept += [(TORCH, h, 2e-3 * (1 + h * h / 1e6)) for h in SWEPT_WIDTHS]
        keep(widths_plan(setup), [Timing(n, h, 1, "epoch", 0, 0, (t, t, t)) for n, h, t in swept])
    return run(setup)


# ---- pictures


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("is_measured", [False, True])
def test_every_example_is_drawn_within_its_axes(name: str, is_measured: bool) -> None:
    setup = EXAMPLES[name]
    result = made_up(setup) if is_measured else run(setup)
    drawn = race_charts.board(result, present=False)
    json.dumps(drawn, allow_nan=False)
    assert [lane["name"] for lane in drawn["lanes"]] == list(NAMES)
    for lane in drawn["lanes"]:
        assert len(lane["clock"]) == len(lane["losses"]) == len(lane["epochs"])
        assert all(10 ** drawn["low"] <= seconds <= 10 ** drawn["high"] for seconds in lane["clock"])
        assert all(drawn["loss_low"] <= math.log10(loss) <= drawn["loss_high"] for loss in lane["losses"])
    chart = race_charts.widths(result, present=False)
    json.dumps(chart, allow_nan=False)
    groups = {group["key"] for group in chart["groups"]}
    for series in chart["series"]:
        assert series["group"] in groups
        assert all(y is None or chart["y"]["low"] <= y <= chart["y"]["high"] for y in series["y"])
    assert bool(race.notes(result)) == is_measured
    assert race.table(result).count("\n") == len(NAMES) + 1


def test_bars_are_medians_beside_the_goal() -> None:
    drawn = race_charts.paces(made_up(SETUP))
    for row, name in zip(drawn["rows"][:-1], NAMES, strict=False):
        assert 10 ** row["bars"][0]["at"] == pytest.approx(PACES[name])
    assert drawn["rows"][-1] == {"name": CUDA, "bars": [], "text": "no GPU here", "note": ""}
    assert [10 ** line["at"] for line in drawn["lines"]] == pytest.approx([2.0])


@pytest.mark.parametrize("count", [0, 1, 249, 250, 251, 500, 1000])
def test_what_is_drawn_of_a_long_curve(count: int) -> None:
    kept = race_charts.drawn(count)
    assert kept == sorted(set(kept))
    assert len(kept) == min(count, race_charts.MOST_DRAWN)
    assert not count or (kept[0], kept[-1]) == (0, count - 1)


def test_compiling_moves_the_curves() -> None:
    made_up(SETUP)
    drawn = race_charts.board(run(SETUP.model_copy(update={"compiling": True})), present=False)
    late = {lane["name"]: lane["late"] for lane in drawn["lanes"]}
    assert (late[OBJECTS], late[COMPILED], late[TORCH]) == (0.0, 2.0, 2.0)


# ---- words


def test_what_was_not_run_to_the_end_is_called_extrapolated() -> None:
    setup = RaceSetup(hidden=2, points=10, batch=5, epochs=100)
    notes = "\n".join(race.notes(made_up(setup)))
    assert "scalar objects got to epoch 2 of 100; all of them would take 10 s (extrapolated)" in notes
    assert notes.count("extrapolated") == 1


def test_losing_is_said_first() -> None:
    notes = race.notes(made_up(SETUP))
    assert "torch takes 10,000 times" in notes[0]  # four places further on
    timings = [
        Timing(name, 0.0, 1.0, "epoch", 0.1, 0.1, (seconds,) * 3, None, "finished")
        for name, seconds in ((TORCH, 1e-3), (COMPILED, 2e-3))
    ]
    curves = {f"{name}: loss": (0.5,) * 3 for name in (TORCH, COMPILED)}
    curves |= {f"{name}: turns": (3.0,) for name in (TORCH, COMPILED)}
    keep(race_plan(SETUP), timings, curves)
    assert race.notes(run(SETUP))[0].startswith("**compiled step loses** to torch here: 2 times as long")


def test_the_crossing_is_predicted_and_found() -> None:
    """By the made-up laws 1e-4 + 1e-7 h² meets 2e-3 + 2e-9 h² at h = 139."""
    said = race.crossing(made_up(SETUP))
    assert "predicted from h = 1" in said
    assert "measured from h = 1" in said
    assert race.crossing(run(RaceSetup(points=20))) == ""


def test_the_table_says_when_compiling_has_paid() -> None:
    rows = {row.split("|")[1].strip(" *"): row for row in race.table(made_up(SETUP)).splitlines()[2:]}
    assert "from the start" in rows[COMPILED]  # both wait for 2 s
    assert "until epoch 20" in rows[OBJECTS]  # torch is 99 ms faster an epoch, and 2 s late
    assert rows[TORCH].endswith("|  |")


# ---- measuring


def test_a_page_races_only_when_it_is_asked_to() -> None:
    app = opened(SMALL)
    assert "Nothing of this has been measured" in text(app)
    assert service()._thread is None
    app.button(key="race_measure").click().run()
    finish(app)
    assert "Measured on this machine" in text(app)
    assert messages(app) == ""
    lanes = {lane["name"]: lane for lane in board(app)["lanes"]}
    assert lanes[TORCH]["note"] == "finished"
    assert len(lanes[TORCH]["losses"]) == 3
    assert "Measured on this machine" in text(opened(SMALL))  # whoever comes next sees it, too


def test_the_race_is_seen_while_it_goes_on_and_stopping_keeps_it() -> None:
    app = opened({"v": "1", "epochs": "1000", "budget": "5"})
    app.button(key="race_measure").click().run()
    ticket = app.session_state["race_ticket"]
    while not any(timing.samples for timing in ticket.timings):
        assert not ticket.wait(0.05)
    app.run()
    seen = board(app)
    assert seen["live"] is True
    assert any(lane["losses"] for lane in seen["lanes"])
    app.button(key="race_stop").click()
    app.run()
    said = messages(app)  # it may be over by now, or a little later
    assert ticket.wait(60)
    app.run()
    assert "what was reached is kept" in said + messages(app)
    assert "stopped before the end" in text(app)
    assert board(app)["live"] is False


def test_another_setup_is_shown_while_a_race_goes_on() -> None:
    app = opened({"v": "1", "epochs": "1000", "budget": "5"})
    app.button(key="race_measure").click().run()
    app.selectbox(key="race:hidden").set_value(4).run()
    assert board(app)["live"] is False
    assert board(app)["raced"] is False
    app.session_state["race_ticket"].stop()


def test_widths_and_compiling_have_buttons_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold, "measured", lambda *_: 1.5)
    monkeypatch.setattr(race_plans, "SWEPT_WIDTHS", (2, 4))
    monkeypatch.setattr(race_plans, "SWEPT_SECONDS", 0.02)
    app = opened(SMALL)
    for key in ("race_sweep", "race_anew"):
        app.button(key=key).click().run()
        finish(app)
        assert messages(app) == ""
    found = run(SETUP)
    assert found.widths is not None
    assert found.widths.complete
    assert found.lane(COMPILED).cold == 1.5


def test_a_link_does_not_race() -> None:
    app = opened(SMALL | {"measure": "race"})
    assert "A link does not start a measurement" in messages(app)
    assert service()._thread is None


def test_a_server_may_show_stored_races_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_MEASURE", "stored")
    made_up(SETUP)
    app = opened(SMALL)
    assert not [button for button in app.button if button.key in ("race_measure", "race_sweep", "race_anew")]
    assert "run Unroll yourself" in text(app)
    assert "on another machine (m), 02 January 2026, 03:04 UTC" in text(app)


# ---- the page


def test_a_prediction_waits_for_the_race() -> None:
    app = opened(SMALL)
    assert board(app)["veiled"] is True
    app.number_input(key="prediction_guess").set_value(500).run()
    app.button(key="prediction_commit").click().run()
    assert "You said **500**; measure to see." in text(app)
    made_up(SETUP)
    app.run()
    assert "it is **1e+06**" in text(app)  # six places further on


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"hidden": "513"}, "less than or equal to 512"),
        ({"data": "xor"}, "Points cannot be"),
        ({"batch": "7"}, "cannot be made of 50 points; these fit: 1, 2, 5, 10"),
        ({"width": "1"}, "width"),
    ],
)
def test_a_bad_link_says_so(query: dict[str, str], said: str) -> None:
    assert said in messages(opened({"v": "1", **query}))


def test_presenter_mode_shows_the_race_and_no_controls() -> None:
    made_up(SETUP)
    app = opened(SMALL | {"present": "1"})
    assert board(app)["present"] is True
    assert not app.selectbox
    assert not [button for button in app.button if button.key == "race_measure"]
    assert [each["marker"] for each in components(app) if "marker" in each] == [None]  # keys move the race


def test_the_snippet_trains_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "snippet.py"
    file.write_text(race.torch_code(run(SETUP)), encoding="utf-8")
    runpy.run_path(str(file))
    printed = float(capsys.readouterr().out)
    swapped = race.torch_code(run(SETUP)).replace("import torch as library", "import engine as library")
    file.write_text("import engine.nn, engine.optim\n" + swapped, encoding="utf-8")
    runpy.run_path(str(file))
    assert float(capsys.readouterr().out) == pytest.approx(printed, rel=1e-5)
