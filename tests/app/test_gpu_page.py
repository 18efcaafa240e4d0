"""The page of GPUs without a browser, its payload against numpy, and its snippet run in numba's simulator."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import command, permalink, take_away
from app.figures import gpu
from engine.jsonable import decode_number
from engine.studies.gpu import EXAMPLES, STUDY, GpuResult, GpuSetup, run
from engine.studies.gpu_setup import Capability, KernelChoice
from engine.studies.gpu_timing import Timed
from tests.app import visit
from tests.app.visit import messages, payload


@pytest.fixture
def app() -> AppTest:
    return opened({})


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("gpu", query)


def result(**fields: Any) -> GpuResult:
    return run(GpuSetup(**fields))


def shown(**fields: Any) -> dict[str, Any]:
    return gpu.payload(result(**fields), 700, present=False)


def array(made: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in made["arrays"] if one["name"] == name)


def marks(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.info))


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_one_click_away(app: AppTest, name: str) -> None:
    app.pills(key="gpu_example").set_value(name).run()
    made = payload(app)
    assert messages(app) == ""
    assert made["steps"]
    assert (made["fault"] is not None) == (EXAMPLES[name].mistake != "none")


@pytest.mark.parametrize("kernel", get_args(KernelChoice))
def test_payloads_are_strict_json_with_a_line_for_every_step(kernel: KernelChoice) -> None:
    made = shown(kernel=kernel, elements=64)
    json.dumps(made, allow_nan=False)
    lines = made["source"]["lines"]
    assert lines[0].startswith("def ")
    for kind, line, _, _, number, _, elements, *_ in made["steps"]:
        if kind == "barrier":
            assert lines[line].strip() == "cuda.syncthreads()"
        else:
            assert made["arrays"][number]["name"] in lines[line]
            assert max(elements) < made["arrays"][number]["drawn"]


def test_arrays_hold_the_numbers_of_the_launch() -> None:
    found = result(kernel="matmul", n=5, block=3)
    made = gpu.payload(found, 700, present=False)
    a, b, out = (
        np.array([decode_number(x) for x in array(made, name)["values"]]) for name in ("a", "b", "out")
    )
    product = a.reshape(5, 5) @ b.reshape(5, 5)
    product[4:, 4:] = 0  # the element of the block on show
    assert np.array_equal(out.reshape(5, 5), product)
    assert array(made, "a_strip")["values"] is None
    assert array(shown(kernel="convolution", n=4), "out")["shape"] == [4, 4, 4]


def test_of_shared_memory_only_what_is_used_is_drawn() -> None:
    totals = array(shown(kernel="sum", threads=64), "totals")
    assert (totals["size"], totals["drawn"], totals["width"]) == (256, 64, 32)
    rows = array(shown(kernel="scatter add", elements=64), "rows")
    assert (rows["width"] * rows["itemsize"], rows["segmented"]) == (128, True)


def test_planted_lines_are_marked_and_costs_stand_beside_their_lines() -> None:
    made = shown(kernel="sum", mistake="missing barrier")
    assert [made["source"]["lines"][line].strip() for line in made["planted"]] == ["# cuda.syncthreads()"]
    costs = shown(kernel="shared memory", stride=4)["line_costs"]
    assert {(cost["unit"], cost["requests"], cost["cost"]) for cost in costs} == {
        ("passes", 1, 4),
        ("segments", 1, 1),
    }


def test_a_hidden_mistake_says_so() -> None:
    assert "these sizes hide it" in shown(kernel="matmul", mistake="out of bounds")["verdict"]
    assert shown()["verdict"] == shown(mistake="missing barrier")["verdict"] == ""


def test_what_cannot_be_is_said_and_the_last_picture_kept(app: AppTest) -> None:
    app.selectbox(key="gpu:kernel").set_value("map").run()
    app.slider(key="gpu:elements").set_value(128).run()
    before = payload(app)
    app.selectbox(key="gpu:mistake").set_value("missing barrier").run()
    assert "map_mul waits at no barrier" in messages(app)
    assert payload(app)["steps"] == before["steps"]
    app.selectbox(key="gpu:mistake").set_value("none").run()
    app.slider(key="gpu:elements").set_value(200).run()
    app.slider(key="gpu:stride").set_value(33).run()
    assert "take at most 128 elements" in messages(app)
    assert payload(app)["steps"]


def test_what_the_board_reports_becomes_fields() -> None:
    assert gpu.changed_fields({"name": "step", "value": {"step": 3}}) == {"step": 3}
    assert gpu.changed_fields({"name": "block", "value": {"block": 2, "step": 1}}) == {"block": 2, "step": 1}
    swept = gpu.changed_fields({"name": "sweep", "value": {"field": "tile", "value": 8}})
    assert swept == {"tile": 8, "step": 0, "block": 0}


def test_a_count_is_predicted_and_then_shown() -> None:
    app = opened({"v": "1", "kernel": "matmul", "n": "8", "tile": "4"})
    assert payload(app)["veiled"] is True
    app.number_input(key="prediction_guess").set_value(2 * 8**3 / 4).run()
    app.button(key="prediction_commit").click().run()
    assert "Right" in marks(app)
    assert payload(app)["veiled"] is False


def test_without_a_gpu_there_is_no_time_but_a_reason(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.studies.gpu_timing.backends.get", no_gpu)
    app.button(key="gpu_measure").click().run()
    assert "Not timed. There is no GPU here." in marks(app).replace("\\", "")
    app.slider(key="gpu:seed").set_value(1).run()
    assert "Not timed" not in marks(app)  # of another launch nothing is known


def no_gpu(_: str) -> None:
    from engine.errors import BackendError

    raise BackendError("there is no GPU here")


def test_times_are_shown_part_by_part() -> None:
    table = gpu.timing_table(Timed(10, 250_000, 6.25, 4, right=True))
    assert "| transfer to the GPU | **10.0 µs** |" in table
    assert "| compilation, once | **250,000.0 µs** |" in table
    assert "differs" in gpu.timing_table(Timed(1, 1, 1, 1, right=False))


def test_the_address_holds_the_page(app: AppTest) -> None:
    app.slider(key="gpu:elements").set_value(64).run()
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert permalink.decode(STUDY, query).setup == GpuSetup(elements=64)
    assert payload(opened(query)) == payload(app)


@pytest.mark.parametrize("capability", get_args(Capability))
def test_a_link_keeps_the_gpu(capability: Capability) -> None:
    """Capabilities look like numbers, and are names."""
    setup = GpuSetup(gpu=capability)
    assert permalink.decode(STUDY, permalink.encode(STUDY, setup)) == permalink.Decoded(setup)


def test_presenter_mode_shows_the_board_and_the_controls_of_its_link() -> None:
    app = opened({"v": "1", "present": "1", "show": "elements"})
    assert payload(app)["present"] is True
    assert [slider.label for slider in app.slider] == ["Elements"]


def test_the_command_line_gives_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["gpu", "--kernel", "matmul", "--n", "12", "--tile", "4", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["summary"]["global reads, counted"] == 2 * 12**3 / 4
    assert command.main(["gpu", "--kernel", "branches", "--mistake", "missing barrier"]) == 2
    assert "waits at no barrier" in capsys.readouterr().err


def test_the_notebook_carries_the_setup() -> None:
    found = result()
    notebook = take_away.notebook(STUDY, found.setup, found, gpu.numba_code(found))
    assert "reduce_sum" in json.dumps(json.loads(notebook))


def test_the_snippet_runs_in_numbas_simulator(tmp_path: Path) -> None:
    found = result(kernel="matmul", n=3)
    file = tmp_path / "snippet.py"
    file.write_text(gpu.numba_code(found) + "print(out_.sum())\n", encoding="utf-8")
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(
        [sys.executable, str(file)], env=environment, check=True, capture_output=True, timeout=60
    )
    assert float(done.stdout.split()[-1]) == found.launched.output.sum()
