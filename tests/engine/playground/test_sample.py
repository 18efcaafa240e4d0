"""Stepping by one sample: nothing is learnt until the batch is full, and then exactly what a step learns."""

import random

import numpy as np
import pytest
import torch

from engine.playground.run import Run
from engine.playground.sample import seen_samples
from engine.training.position import Position, read_position
from tests.engine.playground.runs import begun, numbers, setup_of
from tests.engine.playground.torch_net import TorchNet

KINDS = {
    "squared": setup_of(hidden="4 tanh, 3 relu"),
    "logistic": setup_of(hidden="4 gelu", loss="logistic", data="xor"),
    "values": setup_of(hidden="3 sin", data="reg-plane", residual=True),
    "batch norm": setup_of(hidden="4 tanh, 4 tanh", batch_norm=True, residual=True),
    "no hidden layer": setup_of(hidden=""),
}


@pytest.mark.parametrize("text", ["0", "3", "3.10", "3.0.7", "3.10.7"])
def test_a_position_is_written_as_it_is_read(text: str) -> None:
    assert str(read_position(text)) == text


@pytest.mark.parametrize("text", ["", "x", "1.2.3.4", "1.x", "1.2.-3", "-1"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a position is written"):
        read_position(text)


@pytest.mark.parametrize("optimiser", ["SGD", "Adam"])
def test_all_samples_of_an_epoch_make_the_same_epoch(optimiser: str) -> None:
    """30 training points in batches of 7 make five steps, each after as many looks as its batch has."""
    setup = setup_of(hidden="3 tanh", optimiser=optimiser, dropout=0.3)
    slow = begun(setup)
    presses = 0
    while slow.position.epoch < 1:
        before = numbers(slow)
        slow.step_sample()
        presses += 1
        if slow.position.seen:
            assert numbers(slow) == before
    assert presses == 30 + 5
    found = numbers(slow)
    quick = Run(setup)
    quick.step_epoch()
    assert found == numbers(quick)


def test_links_lead_into_the_middle_of_a_batch() -> None:
    """However a run came to a sample, its link leads everybody to the same numbers, and on from there."""
    run = begun(setup_of(hidden="3 tanh", optimiser="momentum"))
    draw = random.Random(0)
    for _ in range(40):
        wish = draw.choice(["sample", "sample", "step", "go", "rate", "edit"])
        if wish == "sample":
            run.step_sample()
        elif wish == "step":
            run.step()
        elif wish == "go":
            run.go_to(Position(draw.randrange(3), draw.choice([0, 7, 14]), draw.choice([0, 3, 7])))
        elif wish == "rate":
            run.change(run.controls.model_copy(update={"rate": draw.choice([0.01, 0.1])}))
        else:
            run.edit("weight.0.1.0", draw.uniform(-1, 1))
        again = Run(run.setup)
        assert again.setup == run.setup
        assert numbers(again) == numbers(run)
    run.go_to(Position(2, 14, 5))
    again = Run(run.setup)
    for one in (run, again):
        for _ in range(4):
            one.step_sample()
    assert again.position == run.position == Position(2, 21, 1)
    assert numbers(again) == numbers(run)


def test_a_change_begins_the_batch_again() -> None:
    run = begun(setup_of(hidden="3 tanh"))
    run.go_to(Position(0, 7, 4))
    run.change(run.controls.model_copy(update={"batch": 5}))
    assert run.position == Position(0, 7)
    assert run.setup.past.startswith("0.7:")


def test_no_more_samples_are_seen_than_a_batch_has() -> None:
    run = begun(setup_of(hidden="3 tanh", epoch="0.28.7"))
    run.go_to(Position(0, 28, 7))
    assert run.position == Position(0, 28, 2)  # the last batch has two
    assert Run(setup_of(hidden="3 tanh", epoch="1.3.2")).position == Position(1, 7)  # no batch begins there


@pytest.mark.parametrize("setup", KINDS.values(), ids=KINDS.keys())
def test_each_sample_adds_what_torch_says(setup: object) -> None:
    run = begun(setup)  # type: ignore[arg-type]
    run.step_epoch()
    net = TorchNet(run)
    for block, norm in zip(run.model.net.blocks, net.norms, strict=False):
        if block.norm is not None:
            norm.weight.data, norm.bias.data = (
                torch.tensor(part.detach().numpy().copy()) for part in (block.norm.weight, block.norm.bias)
            )
    net.double().train()
    added = 0.0
    for _ in range(7):
        run.step_sample()
        found = seen_samples(run.still())
        assert found is not None
        targets = torch.tensor(run._targets[:7]).double()
        out = net(torch.tensor(run._inputs[:7]).double(), None)
        losses = {
            "squared": lambda t, o: (torch.tanh(o) - t) ** 2 / 2,
            "logistic": lambda t, o: torch.log1p(torch.exp(-t * o)),
            "values": lambda t, o: (o - t) ** 2 / 2,
        }["values" if run.controls.is_regression else run.controls.loss](targets, out)
        latest = len(found.rows) - 1
        weights = [linear.weight for linear in net.linears]
        expected = torch.autograd.grad(losses[latest].sum() / 7, weights)
        assert found.loss == pytest.approx(losses[latest].item(), rel=1e-5)
        assert found.size == 7
        for ours, theirs in zip(found.adds, expected, strict=True):
            np.testing.assert_allclose(ours[: theirs.numel()], theirs.reshape(-1), rtol=1e-4, atol=1e-6)
        added = added + np.concatenate(found.adds)
        np.testing.assert_allclose(np.concatenate(found.sums), added, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(found.values[0], run._inputs[latest])


def test_the_samples_of_a_full_batch_make_the_step() -> None:
    """With plain gradient descent, a step is the rate times what all samples have added."""
    run = begun(setup_of(hidden="3 tanh", rate=0.1))
    run.go_to(Position(1, 7, 7))
    found = seen_samples(run.still())
    assert found is not None
    before = [parameter.detach().numpy().copy() for parameter in run.model.net.parameters()]
    run.step_sample()
    after = [parameter.detach().numpy() for parameter in run.model.net.parameters()]
    moved = np.concatenate([(b - a).ravel() for a, b in zip(after, before, strict=True)]) / 0.1
    np.testing.assert_allclose(moved, np.concatenate(found.sums), rtol=1e-3, atol=2e-6)


def test_between_two_batches_nothing_has_been_seen() -> None:
    run = begun(setup_of(hidden="3 tanh"))
    assert seen_samples(run.still()) is None
