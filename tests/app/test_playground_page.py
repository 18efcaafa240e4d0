"""The Playground's page without a browser, and its live connection spoken to directly."""

import contextlib
import json
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app import live
from app.figures import playground
from engine.playground.frames import FIGURES
from engine.playground.points import made
from engine.playground.run import Run
from engine.playground.setup import PlaygroundSetup
from engine.studies.playground import EXAMPLES, PlaygroundResult
from engine.training.trainer import Trainer
from tests.app import visit
from tests.app.visit import messages, payload

SETUP = PlaygroundSetup(data="gauss", hidden="3 tanh", samples=60)


@pytest.fixture
def trainer() -> Trainer:
    return Trainer(Run, SETUP)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a server that has live runs and nothing else."""
    config = uvicorn.Config(Starlette(routes=[live.route]), port=0, log_level="error", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"ws://{host}:{port}/live"
    server.should_exit = True
    thread.join()


@pytest.fixture
def socket(address: str, trainer: Trainer) -> Iterator[ClientConnection]:
    with connect(f"{address}/{live.published(trainer)}") as socket:
        yield socket


def heard(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    while True:
        message = socket.recv(timeout=20)
        if isinstance(message, str):
            found: dict[str, Any] = json.loads(message)
            if found["kind"] == kind:
                return found


def next_row(socket: ClientConnection) -> tuple[int, np.ndarray]:
    """The last row of the next message of frames, and its shape's number."""
    while True:
        message = socket.recv(timeout=20)
        if isinstance(message, bytes):
            shape, count = struct.unpack("<II", message[:8])
            return shape, np.frombuffer(message, "<f4", offset=8).reshape(count, -1)[-1]


def test_examples_are_one_click_away() -> None:
    app = visit.opened("playground", {})
    for name, example in EXAMPLES.items():
        app.pills(key="playground_example").set_value(name).run()
        assert messages(app) == ""
        assert payload(app)["set"] == example.data
        assert payload(app)["layers"] == [list(layer) for layer in example.layers]


def test_a_link_is_followed_to_where_it_stands() -> None:
    app = visit.opened("playground", {"v": "1", "data": "gauss", "samples": "60", "epoch": "3"})
    assert messages(app) == ""
    assert payload(app)["moment"] == "3"


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("hidden", "4 tanh, 900", "1 to 32 units"),
        ("hidden", "4 swish", "'swish' is not an activation"),
        ("features", "x3", "'x3' is not an input"),
        ("points", "1 2", "write x y class"),
        ("past", "7:{}", "cannot be read"),
        ("epoch", "-3", "Epoch cannot be"),
        ("rate", "1e99", "Learning rate"),
    ],
)
def test_a_bad_link_says_what_is_wrong(field: str, text: str, said: str) -> None:
    app = visit.opened("playground", {"v": "1", field: text})
    assert said in messages(app)
    assert payload(app)["moment"] == "0"


def test_every_set_has_a_picture_of_itself() -> None:
    made = playground.payload(PlaygroundResult(Run(SETUP).still()), "token", present=False)
    assert json.dumps(made, allow_nan=False)
    for name in made["sets"]:
        places = np.array(made["thumbnails"][name])
        assert len(places) >= 4
        assert places[:, :2].min() >= -0.1
        assert places[:, :2].max() <= 1.1


def test_a_visitor_hears_frames_and_is_obeyed(socket: ClientConnection, trainer: Trainer) -> None:
    shapes = heard(socket, "shapes")["shapes"]
    assert shapes == [
        {
            "inputs": ["x1", "x2"],
            "layers": [{"units": 3, "activation": "tanh", "norm": False, "skips": False}],
            "output": "tanh",
        }
    ]
    _, row = next_row(socket)
    assert row[0] == 0
    socket.send(json.dumps({"do": "step", "what": "epoch"}))
    _, row = next_row(socket)
    expected = Run(SETUP.model_copy(update={"epoch": "1"}))
    np.testing.assert_array_equal(row[len(FIGURES) :], expected.model.drawn())
    np.testing.assert_allclose(row[2], expected.figures().train_loss, rtol=1e-6)
    socket.send(json.dumps({"do": "edit", "name": "weight.0.2.1", "value": 1.5}))
    _, row = next_row(socket)
    assert row[len(FIGURES) + 5] == 1.5
    socket.send(json.dumps({"do": "play"}))
    while not heard(socket, "state")["running"]:
        pass
    socket.send(json.dumps({"do": "pause"}))
    while heard(socket, "state")["running"]:
        pass
    assert not trainer.running


def test_a_visitor_steps_sample_by_sample(socket: ClientConnection, trainer: Trainer) -> None:
    """Ten looks at a batch of ten, and the press that makes the step of them."""
    for seen in range(1, 11):
        socket.send(json.dumps({"do": "step", "what": "sample"}))
        while (state := heard(socket, "state"))["seen"] != seen:
            pass
        assert (state["epoch"], state["used"]) == (0, 0)
    made = playground.payload(PlaygroundResult(trainer.still()), "token", present=False)
    assert (made["moment"], made["sample"]["seen"], made["sample"]["size"]) == ("0.0.10", 10, 10)
    x, y = trainer.still().train.points[made["sample"]["rows"][-1]]
    assert made["sample"]["point"] == pytest.approx([x, y], abs=1e-3)
    socket.send(json.dumps({"do": "step", "what": "sample"}))
    while heard(socket, "state")["used"] != 10:
        pass
    expected = Run(SETUP.model_copy(update={"epoch": "0.10"}))
    assert trainer.still().setup == expected.setup


def test_bars_of_points_that_were_not_looked_at_are_pale() -> None:
    for epoch, pale in (("1", 0), ("1.10.3", 7)):
        run = Run(SETUP.model_copy(update={"epoch": epoch, "weight": "bias.0.1"}))
        made = playground.payload(PlaygroundResult(run.still()), "token", present=False)
        assert made["gradient"]["parts"] == sorted(made["gradient"]["parts"])
        assert sum(made["gradient"]["waiting"]) == pale


@pytest.mark.parametrize(
    "message",
    [
        "no json",
        "[1]",
        "{}",
        '{"do": "explode"}',
        '{"do": "edit", "name": "weight.0.0.9", "value": 1}',
        '{"do": "edit", "name": "__class__", "value": 1}',
        '{"do": "edit", "name": "weight.0.0.0", "value": "nan"}',
        '{"do": "go", "to": "soon"}',
        '{"do": "speed", "value": null}',
        "[" * 400,
        "x" * 10_000,
    ],
)
def test_what_makes_no_sense_is_answered_and_changes_nothing(
    socket: ClientConnection, trainer: Trainer, message: str
) -> None:
    before = trainer.still()
    socket.send(message)
    assert heard(socket, "problem")["text"]
    assert trainer.still().setup == before.setup
    assert trainer.still().figures == before.figures


def test_an_unknown_run_and_a_foreign_page_are_turned_away(address: str, trainer: Trainer) -> None:
    token = live.published(trainer)
    with connect(f"{address}/guess") as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == live.GONE
    with pytest.raises(InvalidStatus), connect(f"{address}/{token}", origin="http://elsewhere.example"):
        pass
    own = address.removesuffix("/live").replace("ws", "http", 1)
    with connect(f"{address}/{token}", origin=own) as socket:
        assert heard(socket, "state")


def test_a_lost_visitor_pauses_the_run_within_two_seconds(address: str, trainer: Trainer) -> None:
    with connect(f"{address}/{live.published(trainer)}") as socket:
        socket.send(json.dumps({"do": "play"}))
        while not heard(socket, "state")["running"]:
            pass
        assert live.training() == 1
    time.sleep(2)
    assert not trainer.running
    assert live.training() == 0


def test_fifty_look_on_and_can_do_nothing(address: str) -> None:
    session = live.Session(Run, SETUP)
    with contextlib.ExitStack() as stack:
        viewers = [stack.enter_context(connect(f"{address}/{session.view}")) for _ in range(50)]
        for viewer in viewers:
            viewer.send(json.dumps({"do": "step", "what": "epoch"}))
        session.trainer.step("epoch")
        expected = session.trainer.still()
        assert expected.setup.epoch == "1"
        for viewer in viewers:
            while (row := next_row(viewer)[1])[0] != 1:
                pass
            np.testing.assert_allclose(row[3], expected.figures.test_loss, rtol=1e-6)


@pytest.mark.parametrize("rule", ["2*sin(x)", "x**2 - 3", "1", "log(x)"])
def test_points_above_a_rule_are_of_class_one(rule: str) -> None:
    train, _ = made(PlaygroundSetup(data="y > f(x)", rule=rule, samples=200))
    x, y = train.points.astype(np.float64).T
    with np.errstate(invalid="ignore"):
        f = {"2*sin(x)": 2 * np.sin(x), "x**2 - 3": x**2 - 3, "1": 1 + 0 * x, "log(x)": np.log(x)}[rule]
    close = np.abs(y - f) < 1e-5
    np.testing.assert_array_equal((train.targets[:, 0] > 0)[~close], (y > f)[~close])


@pytest.mark.parametrize(
    ("rule", "said"),
    [("w*x", "without w"), ("2*", "cannot be"), ("x, x", "one expression in x"), ("", "cannot be")],
)
def test_a_bad_rule_says_so(rule: str, said: str) -> None:
    app = visit.opened("playground", {"v": "1", "rule": rule})
    assert said in messages(app)
