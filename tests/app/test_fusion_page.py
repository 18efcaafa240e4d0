"""The page on fusion without a browser: what its board is sent, what is asked, measured, told and refused."""

import json
import math
import runpy
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.figures import fusion, fusion_board, fusion_charts
from app.theme import LIGHT
from engine.measure import Plan, Run, Timing, service
from engine.measure.peaks import ARITHMETIC, MEMORY, STREAM
from engine.studies import fusion_gallery as gallery
from engine.studies import fusion_plans
from engine.studies.fusion import FusionResult, run
from engine.studies.fusion_bench import EAGER, TORCH, WAYS, WHOLE
from engine.studies.fusion_plans import SWEPT, plan
from engine.studies.fusion_setup import EXAMPLES, STAGES, FusionSetup
from engine.studies.fusion_stages import passed
from tests.app import visit
from tests.app.visit import components, messages, text

TINY = {"v": "1", "sizes": json.dumps({"n": 3, "d": 4})}


pytestmark = pytest.mark.usefixtures("nothing_measured_yet")


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("fusion", query)


def board(result: FusionResult, veiled: bool = False) -> dict[str, Any]:
    return fusion_board.payload(result, passed(result.compilation), 440, False, veiled)


def made_up(setup: FusionSetup, **seconds: float) -> FusionResult:
    """A result as if all of the plan had been measured: every call took 2 ms, or what is given by way."""
    peaks = (
        Timing(ARITHMETIC, 1, 64e9, "flop", 0, 0, (1.0,)),
        Timing(STREAM, 1 << 20, 8e9, "byte", 0, 0, (1.0,), None, MEMORY),
    )
    timings = []
    for work in plan(setup).works():
        if work.series in (ARITHMETIC, STREAM):
            continue
        took = seconds.get(work.series.split(",")[0].replace(" ", "_"), 2e-3)
        samples = (0.5 * took, took, 1.5 * took)
        timings.append(
            Timing(work.series, work.at, work.amount, work.unit, 0.1, 0.01, samples, 1e-6, work.note)
        )
    service().store.keep(Run(plan(setup).key, "m", "2026-01-02T03:04:05+00:00", 0.5, (*peaks, *timings)))
    return run(setup)


# ---- the board


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_drawn(name: str) -> None:
    result = run(EXAMPLES[name])
    drawn = board(result)
    json.dumps(drawn, allow_nan=False)
    nodes = {node["id"]: node for node in drawn["nodes"]}
    width, height = drawn["size"]
    for node in nodes.values():
        x, y = node["at"]
        assert x - node["width"] / 2 >= 0
        assert x + node["width"] / 2 <= width
        assert 0 <= y <= height
        assert node["symbol"]
        assert node["facts"]
    for stage in drawn["stages"]:
        assert set(stage["present"]) | set(stage["removed"]) <= set(nodes)
        assert all(f"{a}-{b}" in drawn["paths"] for a, b, _ in stage["edges"])
        assert stage["said"]
    assert all(hasattr(LIGHT, group["hue"]) for group in drawn["groups"])
    eager, fused = drawn["lanes"]
    assert {node for block in eager["blocks"] for node in block["nodes"]} >= {
        node for block in fused["blocks"] for node in block["nodes"]
    }


def test_nodes_do_not_overlap() -> None:
    drawn = board(run(EXAMPLES["MLP training"]))
    nodes = drawn["nodes"]
    for k, one in enumerate(nodes):
        for other in nodes[k + 1 :]:
            across = abs(one["at"][0] - other["at"][0]) >= (one["width"] + other["width"]) / 2
            down = abs(one["at"][1] - other["at"][1]) >= drawn["node_height"]
            assert across or down, (one, other)


def test_lines_of_the_kernel_name_the_node_they_compute() -> None:
    result = run(EXAMPLES["softmax"])
    operations = {node["id"]: node["symbol"] for node in board(result)["nodes"]}
    named = {
        line["text"].strip(): operations[line["nodes"][0]]
        for line in board(result)["code"]["kernel"]
        if line["nodes"]
    }
    assert named["v0 = larger(v0, a0_0)"] == "max"
    assert named["v2 = exp_float32(v1)"] == "exp"
    assert named["v3_part = v3_part + v2"] == "Σ"
    assert next(symbol for line, symbol in named.items() if line.endswith("] = v4")) == "÷"


def test_machine_code_is_made_when_it_is_asked_for() -> None:
    setup = EXAMPLES["x·a + b"]
    assert board(run(setup))["code"]["machine"] is None
    for which in ("LLVM", "assembly"):
        machine = board(run(setup.model_copy(update={"code": which})))["code"]["machine"]
        assert machine["which"] == which
        assert all(0 <= k < len(machine["lines"]) for k in machine["vectors"])
        assert machine["said"]
    assert board(run(FusionSetup(program="x = data(n, n)\nx @ x", code="LLVM")))["code"]["machine"] is None


def test_what_was_not_measured_has_no_time() -> None:
    for lane in board(run(EXAMPLES["softmax"]))["lanes"]:
        assert lane["rest"] is None
        assert {block["time"] for block in lane["blocks"]} == {None}
        assert lane["said"]["time"] == "not measured"


def test_what_the_parts_leave_over_of_a_call_is_the_rest() -> None:
    setup = FusionSetup(program=gallery.BIAS_TANH, sizes={"n": 3, "d": 4})
    result = made_up(setup, eager=7e-3, operation=2e-3, one_function=9e-3, kernel=4e-3)
    eager, fused = board(result)["lanes"]
    assert eager["rest"]["time"] == pytest.approx(3e-3)
    assert fused["rest"]["time"] == pytest.approx(5e-3)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": "stage", "value": 4}, {"stage": "fused"}),
        ({"name": "stage", "value": 99}, {"stage": "fused"}),
        ({"name": "code", "value": "LLVM"}, {"code": "LLVM"}),
        ({"name": "scale", "value": "time"}, {"scale": "time"}),
        ({"name": "group", "value": 3}, {"group": 3}),
    ],
)
def test_what_is_done_in_the_board_changes_the_setup(change: dict[str, Any], fields: dict[str, Any]) -> None:
    assert fusion_board.changed_fields(change) == fields


# ---- charts and words


def test_bars_are_what_was_measured_and_predicted() -> None:
    result = made_up(FusionSetup(sizes={"n": 3, "d": 4}))
    rows = {row["name"]: row for row in fusion_charts.bars(result)["rows"]}
    assert set(rows) == {*WAYS, fusion_charts.COMPILE}
    launch, predicted, measured = (10 ** bar["at"] for bar in rows[EAGER]["bars"])
    assert (launch, measured) == pytest.approx((1e-6, 2e-3))
    assert predicted == pytest.approx(result.predicted(EAGER))


def test_the_charts_stay_within_their_axes() -> None:
    result = made_up(FusionSetup(sizes={"n": 20, "d": 4}, calls=300), eager=4e-3)
    for chart in (fusion_charts.earned(result), fusion_charts.sizes(result)):
        json.dumps(chart, allow_nan=False)
        for series in chart["series"]:
            assert all(chart["x"]["low"] <= x <= chart["x"]["high"] for x in series["x"])
            assert all(chart["y"]["low"] <= y <= chart["y"]["high"] for y in series["y"])
    upright = next(each for each in fusion_charts.earned(result)["series"] if each["kind"] == "bound")
    assert 10 ** upright["x"][0] == pytest.approx(0.1 / 2e-3)  # compiling over the gain of a call
    assert [t.at for t in result.run.of(SWEPT + TORCH)] == [2, 16, 20]  # type: ignore[union-attr]


@pytest.mark.parametrize(("place", "calls"), [(0.0, 1), (1.0, 10), (2.5, 320), (6.0, 1_000_000)])
def test_the_marker_gives_a_round_number_of_calls(place: float, calls: int) -> None:
    assert fusion_charts.changed_fields({"value": place}) == {"calls": calls}


@pytest.mark.parametrize(
    ("eager", "whole", "said"),
    [
        (6e-3, 2e-3, "3 times as fast"),
        (2.1e-3, 2e-3, "It hardly pays here"),
        (1e-3, 2e-3, "Fusion loses here"),
        (1.5e-6, 1e-6, "Launches rule"),
    ],
)
def test_where_it_loses_is_said_first(eager: float, whole: float, said: str) -> None:
    result = made_up(FusionSetup(sizes={"n": 3, "d": 4}), eager=eager, one_function=whole)
    assert said in " ".join(fusion.notes(result)[:2])


def test_a_product_is_compute_bound() -> None:
    assert "Compute-bound" in fusion.notes(made_up(EXAMPLES["matmul"]))[0]
    assert "Compute-bound" not in "".join(fusion.notes(made_up(EXAMPLES["gelu"])))


def test_few_calls_do_not_pay_and_a_slower_function_never_does() -> None:
    setup = FusionSetup(sizes={"n": 3, "d": 4}, calls=10)
    assert "so it does **not** pay" in "".join(fusion.notes(made_up(setup, eager=4e-3)))
    result = made_up(setup, eager=1e-3)
    assert result.break_even == math.inf
    assert "**never** earned back" in "".join(fusion.notes(result))
    assert "never meet" in fusion_charts.earned(result)["hint"]


def test_the_table_holds_the_model_beside_the_measurement() -> None:
    result = made_up(FusionSetup(sizes={"n": 3, "d": 4}))
    rows = fusion.table(result).splitlines()[2:]
    assert [row.split("**")[1] for row in rows] == list(WAYS)
    assert fusion.table(run(FusionSetup())) == ""


@pytest.mark.parametrize("name", ["softmax", "x·a + b", "MLP training"])
def test_the_snippet_runs_in_torch(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setup = EXAMPLES[name]
    small = setup.model_copy(update={"sizes": dict.fromkeys(setup.sizes, 5)})
    file = tmp_path / "snippet.py"
    file.write_text(fusion.torch_code(run(small)), encoding="utf-8")
    runpy.run_path(str(file))
    assert ("loss" if setup.training else "tensor") in capsys.readouterr().out


# ---- the page


def test_the_answer_is_veiled_until_it_is_predicted() -> None:
    app = opened({"v": "1"})
    assert components(app)[0]["veiled"] is True
    assert "Bytes through memory" not in text(app)
    app.number_input(key="prediction_guess").set_value(4.0).run()
    app.button(key="prediction_commit").click().run()
    assert "You said" in text(app)
    assert components(app)[0]["veiled"] is False
    assert "32.02 MB eager, 8 MB fused" in text(app)


def test_a_page_measures_only_when_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion_plans, "peak_works", lambda _machine: ())
    monkeypatch.setattr(fusion_plans, "WAYS", (EAGER,))
    monkeypatch.setattr(fusion_plans, "swept", lambda *_: [])
    app = opened(TINY)
    app.button(key="prediction_skip").click().run()
    assert "Nothing of this has been measured" in text(app)
    assert service()._thread is None
    app.button(key="fusion_measure").click().run()
    ticket = app.session_state["fusion_ticket"]
    assert ticket.wait(60)
    app.run()
    assert "Measured on this machine" in text(app)
    assert messages(app) == ""
    assert "Measured on this machine" in text(opened(TINY))  # whoever comes next sees it, too


def test_a_link_does_not_measure() -> None:
    app = opened(TINY | {"measure": "true"})
    assert "A link does not start a measurement" in messages(app)
    assert service()._thread is None


def test_a_server_may_show_stored_runs_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_MEASURE", "stored")
    made_up(FusionSetup(sizes={"n": 3, "d": 4}))
    app = opened(TINY)
    app.button(key="prediction_skip").click().run()
    assert not [button for button in app.button if button.key == "fusion_measure"]
    assert "on another machine (m), 02 January 2026, 03:04 UTC" in text(app)
    assert len(components(app)) == 4  # the board, the bars, two charts
    assert "| **one function** |" in text(app)


def test_an_example_is_one_click_away_and_sizes_are_moved() -> None:
    app = opened({"v": "1"})
    app.button_group(key="fusion_example").set_value("gelu").run()
    assert messages(app) == ""
    assert "tanh(u)" in "".join(components(app)[0]["program"])
    app.select_slider(key="fusion_size:n").set_value(64).run()
    assert "64" in str(app.query_params["sizes"])
    assert components(app)[0]["nodes"][0]["shape"] == "64 × 1024"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"program": "x = data(n)\nx +"}, "Line 2, column"),
        ({"program": "x = data(n)\nx.numpy()"}, "there is no function"),
        ({"program": "x = data(n)\nsum(x)", "training": "true"}, "needs a parameter"),
        ({"stage": "inlined"}, "Pass cannot be"),
        ({"calls": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_says_so_and_keeps_a_picture(query: dict[str, str], said: str) -> None:
    app = opened({"v": "1", **query})
    assert said.lower() in messages(app).lower()
    assert components(app)[0]["stages"]


def test_presenter_mode_shows_the_board_and_no_controls() -> None:
    app = opened({"v": "1", "present": "1", "stage": "fused"})
    (drawn,) = components(app)
    assert drawn["present"] is True
    assert drawn["veiled"] is False
    assert drawn["stage"] == len(STAGES) - 1
    assert not app.select_slider
    assert not [button for button in app.button if button.key == "fusion_measure"]


def test_the_plan_is_made_before_anything_is_measured() -> None:
    assert isinstance(plan(FusionSetup()), Plan)
    assert WHOLE in {work.series for work in plan(FusionSetup(sizes={"n": 2, "d": 2})).works()}
