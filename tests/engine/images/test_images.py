"""Digits: what a run learns, what is told of it, and what its layers cost, beside torch and scikit-learn."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix

import engine
from engine.compiler import background
from engine.images.ledger import ALEXNET, ledger
from engine.images.network import ImageNet
from engine.images.oracle import compared
from engine.images.run import Run, judged_one_by_one, looked_at, probe_of
from engine.images.setup import ImagesSetup
from engine.studies.images import EXAMPLES
from engine.training.model import values
from engine.training.position import Position

SMALL: dict[str, Any] = {"channels": "3", "hidden": 8, "batch": 200}


def begun(setup: ImagesSetup) -> Run:
    """A run whose kernels are all compiled."""
    Run(setup)
    background.settle()
    return Run(setup)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_digits_above_97_per_cent(seed: int) -> None:
    run = begun(EXAMPLES["Above 97 %"].model_copy(update={"seed": seed}))
    run.go_to(Position(40))
    assert run.judged()[1][1] > 0.97


def test_mnist_above_95_per_cent() -> None:
    run = begun(EXAMPLES["MNIST"])
    run.go_to(Position(10))
    assert run.judged()[1][1] > 0.95


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kernel": 5, "pooling": "average", "activation": "tanh"},
        {"channels": "2, 3, 4", "hidden": 0},
        {"dropout": 0.5, "optimiser": "momentum", "rate": 0.01},
    ],
)
def test_losses_and_gradients_are_torchs(fields: dict[str, Any]) -> None:
    run = begun(ImagesSetup(**{**SMALL, **fields}))
    run.go_to(Position(2))
    assert all(check.passed for check in compared(run.still()))


def test_a_run_comes_again_to_the_bit() -> None:
    run = begun(ImagesSetup(**SMALL, dropout=0.3))
    run.go_to(Position(3))
    run.change(run.controls.model_copy(update={"rate": 0.01}))
    run.change(run.controls.model_copy(update={"dropout": 0.1}))
    run.go_to(Position(5, 200))
    background.settle()
    first, again = Run(run.setup), Run(run.setup)
    np.testing.assert_array_equal(first.row(), again.row())
    again.go_to(Position(1))
    again.go_to(Position(5, 200))
    np.testing.assert_array_equal(first.row(), again.row())


def test_being_looked_at_within_an_epoch_changes_nothing() -> None:
    def after_steps(setup: ImagesSetup, *, watched: bool) -> Any:
        run = begun(setup)
        for _ in range(4):
            run.step()
            if watched:
                run.still()
        return run.row()

    setup = ImagesSetup(**SMALL, dropout=0.5)
    np.testing.assert_array_equal(after_steps(setup, watched=True), after_steps(setup, watched=False))


def test_the_parts_of_a_row_are_where_its_shape_says() -> None:
    run = begun(ImagesSetup(**{**SMALL, "channels": "2, 3"}))
    lengths = run.shape()["lengths"]
    assert sum(lengths.values()) == len(run.row())
    parts = dict(zip(lengths, np.split(run.row(), np.cumsum(list(lengths.values()))[:-1]), strict=True))
    assert parts["probabilities"].sum() == pytest.approx(1.0)
    assert parts["confusion"].sum() == len(run.test)
    np.testing.assert_array_equal(
        parts["kernels 1"], values(run.model.net.stages[1].convolution.weight).ravel()
    )


def test_looking_elsewhere_changes_nothing_else() -> None:
    run = begun(ImagesSetup(**SMALL))
    run.go_to(Position(2))
    before = run.model.save()
    assert not run.change(run.controls.model_copy(update={"probe": "7"}))
    assert run.setup.past == ""
    assert run.setup.probe == "7"
    for old, new in zip(before.tensors, run.model.save().tensors, strict=True):
        np.testing.assert_array_equal(old, new)
    run.go_to(Position(1))
    assert run.setup.probe == "7"
    assert run.shape()["label"] == int(run.test.targets[7])


def test_a_drawing_is_read_pixel_by_pixel() -> None:
    setup = ImagesSetup(**SMALL, probe="0123456789abcdef" * 4)
    probe = probe_of(setup, Run(setup).test)
    np.testing.assert_allclose(probe.pixels.ravel(), np.tile(np.arange(16), 4) / 15, rtol=1e-6)
    assert probe.label is None


@pytest.mark.parametrize("probe", ["x", "12345", "f" * 63, "g" * 64, "-1", ""])
def test_what_is_no_image_is_refused(probe: str) -> None:
    with pytest.raises(ValueError, match="an image is a number"):
        ImagesSetup(probe=probe)


@pytest.mark.parametrize("channels", ["", "0", "17", "a", "1, 2, 3, 4", "2.5"])
def test_impossible_channels_are_refused(channels: str) -> None:
    with pytest.raises(ValueError, match="convolution"):
        ImagesSetup(channels=channels)


def test_saliency_is_torchs_gradient() -> None:
    run = begun(ImagesSetup(**SMALL))
    run.go_to(Position(2))
    pixels = run.test.inputs[3, 0]
    _, scores, saliency = looked_at(run.model.net, pixels)
    net = run.model.net
    x = torch.from_numpy(pixels[None, None].copy()).requires_grad_()
    stage = net.stages[0].convolution
    maps = torch.relu(
        torch.nn.functional.conv2d(
            x, torch.from_numpy(values(stage.weight)), torch.from_numpy(values(stage.bias)), padding=1
        )
    )
    out = torch.nn.functional.max_pool2d(maps, 2).flatten(1)
    for layer in (net.hidden, net.last):
        weight, bias = torch.from_numpy(values(layer.weight)), torch.from_numpy(values(layer.bias))
        out = torch.nn.functional.linear(out, weight, bias)
        out = torch.relu(out) if layer is net.hidden else out
    out.max().backward()
    np.testing.assert_allclose(values(scores), out.detach().numpy(), atol=1e-5)
    assert x.grad is not None
    np.testing.assert_allclose(saliency, x.grad.numpy()[0, 0], atol=1e-5)


def test_confusions_and_mistakes() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=(300, 10)).astype(np.float32)
    targets = random.integers(0, 10, 300)
    confusion, mistakes = judged_one_by_one(scores, targets)
    np.testing.assert_array_equal(confusion, confusion_matrix(targets, scores.argmax(1), labels=range(10)))
    chances = torch.softmax(torch.from_numpy(scores), 1).numpy()
    for number, answer, chance in mistakes:
        assert targets[int(number)] != answer == scores[int(number)].argmax()
        np.testing.assert_allclose(chance, chances[int(number)].max(), rtol=1e-5)
    assert all(a >= b for a, b in pairwise(mistakes[:, 2]))
    perfect = np.eye(10, dtype=np.float32)[targets]
    assert (judged_one_by_one(perfect, targets)[1] == -1).all()


@pytest.mark.parametrize(
    "fields", [{}, SMALL, {"data": "MNIST", "kernel": 5, "channels": "4, 6, 8", "hidden": 0}]
)
def test_the_ledger_counts_what_the_net_has(fields: dict[str, Any]) -> None:
    setup = ImagesSetup(**fields)
    net = ImageNet(setup)
    assert sum(layer.parameters for layer in ledger(setup)) == sum(x.numel() for x in net.parameters())
    maps, scores = net.maps(engine.zeros(1, 1, setup.size, setup.size))
    shapes = [layer.shape for layer in ledger(setup)]
    assert [tuple(found.shape[1:]) for found in maps] == shapes[0 : 2 * len(maps) : 2]
    assert tuple(scores.shape[1:]) == shapes[-1]


def test_alexnet_has_sixty_million_parameters() -> None:
    """60,965,224: "60 million parameters" in its abstract; the same as torchvision's count for two groups."""
    net = [
        torch.nn.Conv2d(3, 96, 11), torch.nn.Conv2d(96, 256, 5, groups=2), torch.nn.Conv2d(256, 384, 3),
        torch.nn.Conv2d(384, 384, 3, groups=2), torch.nn.Conv2d(384, 256, 3, groups=2),
        torch.nn.Linear(9216, 4096), torch.nn.Linear(4096, 4096), torch.nn.Linear(4096, 1000),
    ]  # fmt: skip
    counts = [sum(x.numel() for x in layer.parameters()) for layer in net]
    assert [layer.parameters for layer in ALEXNET] == counts
