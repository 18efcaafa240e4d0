"""The page of one's own run without a browser: files, good and bad, and what is sent to the player."""

import io
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import own_file
from app.command import main
from app.figures import own_run, own_run_history
from engine.studies.own_run import EXAMPLES, OwnRunSetup, run
from engine.studies.own_run_examples import recorded
from engine.tracing.files import LARGEST_FILE, TraceFileError, read
from tests.app import visit
from tests.app.visit import messages, payload


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_one_click_away(name: str) -> None:
    app = visit.opened("own_run", {})
    app.pills(key="own_run_example").set_value(name).run()
    shown = payload(app)
    wrong = {node["symbol"] for node in shown["nodes"] if node["verdict"] == "failed"}
    assert wrong == {"healthy": set(), "wrong derivative": {"swish"}, "failed forward": {"reshape"}}[name]
    assert app.query_params["trace"] == name


@pytest.mark.parametrize("setup", EXAMPLES.values(), ids=list(EXAMPLES))
@pytest.mark.parametrize("fold", ["automatic", "modules", "nothing"])
def test_payloads_are_json_and_fit_together(setup: OwnRunSetup, fold: str) -> None:
    for graph in range(3):
        result = run(setup.model_copy(update={"graph": graph, "fold": fold, "node": "t1"}))
        made = own_run.payload(result, 600, present=False)
        assert json.dumps(made, allow_nan=False)
        names = {node["id"] for node in made["nodes"]}
        assert {step["node"] for step in made["steps"]} <= names
        assert {end for edge in made["edges"] for end in (edge["from"], edge["to"])} <= names
        assert 0 <= made["start"] < len(made["steps"])
        over_time = own_run_history.payload(result, present=False)
        assert json.dumps(over_time, allow_nan=False)
        assert all(len(series["norm"]) == len(over_time["moments"]) for series in over_time["series"])


def test_the_wrong_derivative_is_shown_first() -> None:
    result = run(EXAMPLES["wrong derivative"])
    made = own_run.payload(result, 600, present=False)
    node = made["steps"][made["start"]]["node"]
    assert next(each["symbol"] for each in made["nodes"] if each["id"] == node) == "swish"
    (contribution,) = made["steps"][made["start"]]["contributions"]
    assert contribution["check"]["verdict"] == "failed"


def test_an_opened_node_tells_what_it_sends() -> None:
    result = run(EXAMPLES["wrong derivative"].model_copy(update={"node": "t6"}))
    opened = own_run.payload(result, 600, present=False)["opened"]
    assert [cell["name"] for cell in opened["cells"]] == ["value", "gradient"]
    assert opened["check"]["verdict"] == "passed"  # of the gradient that came
    assert [(sent["name"], sent["check"]["verdict"]) for sent in opened["sends"]] == [("add", "failed")]


def test_a_link_to_a_trace_that_is_not_here_says_so_and_shows_the_example() -> None:
    app = visit.opened("own_run", {"v": "1", "trace": "0" * 32})
    assert "open that file again" in messages(app)
    assert payload(app)["counts"]["failed"] == 0


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    app.file_uploader(key="own_run_file").upload(name, data, "application/zip")
    return app.run()


def test_a_file_is_opened_and_a_bad_one_changes_nothing() -> None:
    app = visit.opened("own_run", {})
    data = recorded("wrong derivative")
    upload(app, "mine.unroll", data)
    assert app.query_params["trace"] == read(data).key
    assert {node["symbol"] for node in payload(app)["nodes"] if node["verdict"] == "failed"} == {"swish"}
    before = payload(app)
    upload(app, "evil.unroll", data[:100])
    assert "vil.unroll: this is not a trace" in messages(app)
    assert payload(app)["signature"] == before["signature"]


def test_only_the_command_line_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_file.named_file() is None
    path = tmp_path / "run.unroll"
    path.write_bytes(recorded("failed forward"))
    monkeypatch.setenv(own_file.VARIABLE, str(path))
    app = visit.opened("own_run", {})
    assert app.query_params["trace"] == read(path.read_bytes()).key
    assert "failed in step 6" in messages(app)
    other = visit.opened("own_run", {"v": "1", "trace": "/etc/passwd"})
    assert "open that file again" in messages(other)


def test_the_command_refuses_what_is_no_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = tmp_path / "large.unroll"
    large.write_bytes(b"\0" * (LARGEST_FILE + 1))
    for arguments, said in (
        ([], "name the file"),
        ([str(tmp_path / "none")], "No such file"),
        ([__file__], "not a trace"),
        ([str(large)], "at most 2 MB"),
    ):
        assert main(["open", *arguments]) == 2
        assert said in capsys.readouterr().err
    with pytest.raises(TraceFileError):
        own_file.bounded(large)


def test_a_good_file_is_handed_to_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.unroll"
    path.write_bytes(recorded("healthy"))
    seen: list[list[str]] = []
    monkeypatch.setattr("app.server.run", lambda arguments: seen.append(list(arguments)) or 0)
    monkeypatch.setenv(own_file.VARIABLE, "")
    assert main(["open", str(path), "--port", "0"]) == 0
    assert seen == [["--port", "0"]]
    assert own_file.named_file() == path.read_bytes()


def test_what_a_reader_does_becomes_fields() -> None:
    setup = OwnRunSetup(toggled="g1")
    assert own_run.changed_fields(setup, {"name": "look", "value": "t3"}) == {"node": "t3"}
    assert own_run.changed_fields(setup, {"name": "look", "value": None}) == {"node": ""}
    assert own_run.changed_fields(setup, {"name": "toggle", "value": "g2"})["toggled"] == "g1,g2"
    assert own_run.changed_fields(setup, {"name": "toggle", "value": "g1"})["toggled"] == ""


def test_names_from_a_file_are_only_text() -> None:
    """A trace may call a tensor whatever it likes."""
    file = read(recorded("healthy"))
    first = file.trace.steps[0]
    evil = first.tensors[0].model_copy(update={"name": "<script>alert(1)</script>"})
    step = first.model_copy(update={"tensors": (evil, *first.tensors[1:])})
    trace = file.trace.model_copy(update={"steps": (step,)})
    from engine.studies.own_run import opened
    from engine.tracing.files import TraceFile, packed

    again = read(packed(trace, file.arrays))
    opened.add(TraceFile("evil", again.trace, again.arrays))
    made = own_run.payload(run(OwnRunSetup(trace="evil")), 600, present=False)
    assert not any("<script" in node["math"] for node in made["nodes"])
    assert io.BytesIO(packed(trace, file.arrays)).read(2) == b"PK"
