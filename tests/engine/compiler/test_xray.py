"""Every value of a call is torch's, before and after the passes; and the listing is Python that says so."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import nn
from engine.compiler.listing import listing
from engine.compiler.stages import Stage, stages
from engine.errors import TraceError

POINTS = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
TARGETS = POINTS[:, :1] * POINTS[:, 1:]


def network(library: Any) -> Any:
    nn = library.nn
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))


@pytest.fixture
def twins() -> tuple[Any, Any]:
    torch.manual_seed(0)
    theirs, ours = network(torch), network(engine)
    ours.load_state_dict({name: engine.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    return ours, theirs


def training_step(library: Any, model: Any) -> Any:
    optimizer = library.optim.SGD(model.parameters(), lr=0.1)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = library.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def test_an_xray_is_a_call(twins: tuple[Any, Any]) -> None:
    """It gives the loss and updates the parameters, and every value on the way is torch's."""
    ours, theirs = twins
    step, expected = engine.compile(training_step(engine, ours), wait=True), training_step(torch, theirs)
    given = tuple(map(engine.tensor, (POINTS, TARGETS)))
    with pytest.raises(TraceError, match="once before"):
        step.xray(*given)
    calls = [step, step.xray, step, step.xray]
    for call in calls:
        hidden = theirs[0](torch.tensor(POINTS))
        hidden.retain_grad()
        active = theirs[1](hidden)
        loss = expected(*map(torch.tensor, (POINTS, TARGETS)))
        found = call(*given)
        if call is step:
            continue
        assert found.result.item() == pytest.approx(loss.item(), rel=1e-5)
        of = {(value.entry.operation, value.entry.label): value.elements for value in found.values}
        assert np.allclose(of["add", "0"], hidden.detach().numpy(), atol=1e-6)
        assert np.allclose(of["tanh", "1"], active.detach().numpy(), atol=1e-6)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert np.allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-6)


def named(found: list[Stage]) -> dict[str, list[str]]:
    return {stage.name: [entry.operation for entry in stage.entries] for stage in found}


def test_stages_show_what_each_pass_does() -> None:
    def function(x: Any) -> Any:
        x.sin()
        return x.exp() + x.exp()

    compiled = engine.compile(function, wait=True)
    for _ in range(2):
        compiled(engine.ones(3))
    (executable,) = compiled.executables()
    found = stages(executable)
    operations = named(found)
    assert operations["traced"].count("exp") == 2
    assert operations["pruned"].count("exp") == 1
    assert "sin" in operations["without repeats"]
    assert "sin" not in operations["pruned"]
    assert {entry.group for entry in found[-1].entries if entry.operation != "argument"} == {0}
    for stage in found:  # nodes keep their numbers, and read earlier ones
        assert [entry.id for entry in stage.entries] == sorted(entry.id for entry in stage.entries)


def test_a_gradient_starts_from_a_number(twins: tuple[Any, Any]) -> None:
    """The array that is full of 1 is gone after the first pass."""
    step = engine.compile(training_step(engine, twins[0]), wait=True)
    for _ in range(2):
        step(*map(engine.tensor, (POINTS, TARGETS)))
    before, after = (
        next(entry for entry in stage.entries if entry.operation == "div_product_0")
        for stage in stages(step.executables()[0])[:2]
    )
    assert isinstance(before.inputs[0], int)  # the id of a node
    assert after.inputs[0] == 1.0


def test_a_listing_is_one_function_that_names_the_layers(twins: tuple[Any, Any]) -> None:
    step = engine.compile(training_step(engine, twins[0]), wait=True)
    for _ in range(2):
        step(*map(engine.tensor, (POINTS, TARGETS)))
    text = listing(step.executables()[0])
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert [argument.arg for argument in function.args.args] == ["x0", "x1", "p0", "p1", "p2", "p3"]
    for part in ("# p0: 0.weight, 8 of float32", "# 0, 1\n", "tanh(", "matmul(x0, p0.T)", "update of 2.bias"):
        assert part in text


def test_a_listing_shows_the_walks_along_a_row() -> None:
    compiled = engine.compile(nn.Softmax(-1), wait=True)
    for _ in range(2):
        compiled(engine.randn(4, 6))
    text = listing(compiled.executables()[0], "softmax")
    ast.parse(text)
    assert text.count("for i1 in range(6):") == 3
    assert "v0 = max(v0, x0[i0, i1])" in text
