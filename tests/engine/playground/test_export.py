"""The program that is handed out, run by torch in a process of its own, gives the losses of the run."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.playground.export import as_json, torch_code
from engine.playground.run import Run
from engine.playground.setup import PlaygroundSetup
from engine.training.position import Position, read_position
from tests.engine.playground.runs import begun, parameters, setup_of

PAST = (
    '0:{"weight.0.1.0":-0.75};1.14:{"rate":0.03};2:{"hidden":"4 tanh"};3:{"hidden":"5 tanh, 4 tanh"};'
    '3:{"optimiser":"SGD"};3.8:{"batch":8};4:{"weight.1.0.1":1.5};5:{"loss":"squared","dropout":0.0}'
)
SETUPS = {
    "default": PlaygroundSetup(epoch="12"),
    "in the middle of an epoch": setup_of(epoch="3.14", hidden="4 relu", optimiser="momentum"),
    "dropout, Adam, cosine": setup_of(
        epoch="9", hidden="4 relu", dropout=0.3, optimiser="Adam", schedule="cosine", horizon=6, rate=0.01
    ),
    "batch norm, residual, AdamW": setup_of(
        epoch="8",
        hidden="3 tanh, 3 sin",
        batch_norm=True,
        batch=29,
        residual=True,
        optimiser="AdamW",
        rate=0.01,
    ),
    "values, L2, no shuffle": setup_of(
        epoch="8", data="reg-gauss", penalty="L2", hidden="4 gelu", shuffle=False, init="xavier"
    ),
    "logistic, L1, all inputs": setup_of(
        epoch="8",
        data="xor",
        loss="logistic",
        penalty="L1",
        hidden="",
        init="normal",
        seed=5,
        features="x1, x2, x1^2, x2^2, x1*x2, sin(x1), sin(x2), cos(x1), cos(x2)",
        rate=0.001,
    ),
    "RMSprop, MiniTorch": setup_of(
        epoch="8",
        data="Xor",
        hidden="4 sigmoid",
        optimiser="RMSprop",
        rate=0.01,
        schedule="halving",
        horizon=3,
    ),
    "Adagrad, own points": setup_of(
        epoch="8", data="own points", hidden="3 linear", optimiser="Adagrad", batch=2, init="kaiming"
    ),
    "changes on the way": setup_of(
        epoch="7.8",
        batch=8,
        optimiser="Adam",
        hidden="4 tanh, 3 relu",
        dropout=0.2,
        loss="logistic",
        past=PAST,
    ),
}
RUN_ALL = """
import runpy, sys
for path in sys.argv[1:]:
    print("=")
    runpy.run_path(path)
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[float]]]:
    """What each program prints: [epoch, train loss, test loss] …"""
    folder: Path = tmp_path_factory.mktemp("programs")
    paths = [folder / f"run{number}.py" for number in range(len(SETUPS))]
    for path, setup in zip(paths, SETUPS.values(), strict=True):
        path.write_text(torch_code(setup), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, *map(str, paths)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    _, *parts = done.stdout.split("=\n")
    rows = [[list(map(float, line.split())) for line in part.splitlines()[1:]] for part in parts]
    return dict(zip(SETUPS, rows, strict=True))


@pytest.mark.parametrize("name", SETUPS)
def test_the_program_gives_the_same_losses(name: str, printed: dict[str, list[list[float]]]) -> None:
    setup = SETUPS[name]
    begun(setup)
    run = Run(setup.model_copy(update={"epoch": "0"}))
    end = read_position(setup.epoch)
    expected = []
    for epoch in range(end.epoch + 1):
        run.go_to(Position(epoch))
        figures = run.figures()
        expected.append([epoch, figures.train_loss, figures.test_loss])
    if end.used:
        run.go_to(end)
        figures = run.figures()
        expected.append([end.epoch, figures.train_loss, figures.test_loss])
    np.testing.assert_allclose(printed[name], expected, rtol=1e-4, atol=1e-5)


def test_weights_and_points_as_json() -> None:
    run = begun(setup_of(hidden="3 tanh", batch_norm=True))
    run.step_epoch()
    found = json.loads(as_json(run.still()))
    assert PlaygroundSetup(**found["setup"]) == run.setup
    arrays = [np.array(layer[name], np.float32) for layer in found["layers"] for name in ("weight", "bias")]
    for array, expected in zip(arrays, parameters(run), strict=True):
        np.testing.assert_array_equal(array, expected)
    assert found["layers"][0]["norm"]["num_batches_tracked"] == 5
    assert [layer["activation"] for layer in found["layers"]] == ["tanh", None]
    np.testing.assert_array_equal(np.array(found["train"]["points"], np.float32), run.train.points)
    np.testing.assert_array_equal(np.array(found["test"]["targets"], np.float32), run.test.targets[:, 0])
    assert found["figures"]["train_loss"] == pytest.approx(run.figures().train_loss)


def test_json_has_no_nan() -> None:
    run = begun(setup_of(hidden="", rate=0.0))
    run.model.set_parameter("weight.0.0.0", float("inf"))
    text = as_json(run.still())
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["layers"][0]["weight"][0][0] == "Infinity"
