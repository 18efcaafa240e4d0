"""The same module in the engine and in torch, with the same state, on the same numbers."""

from __future__ import annotations

from typing import Any

import torch

import engine
from tests.engine.nn.against_torch import close


def shapes(state: Any) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, shape and dtype of every entry of a state_dict, in order."""
    return [(name, tuple(x.shape), str(x.dtype).rpartition(".")[2]) for name, x in state.items()]


def exchange(own: Any, other: Any) -> None:
    """Copy torch's state into ours and back, and assert that names, shapes and numbers survive."""
    assert shapes(own.state_dict()) == shapes(other.state_dict())
    found = own.load_state_dict(other.state_dict())
    assert found == ([], [])
    back = {name: torch.from_numpy(x.numpy().copy()) for name, x in own.state_dict().items()}
    expected = {name: x.clone() for name, x in other.state_dict().items()}
    other.load_state_dict(back)
    for name, x in other.state_dict().items():
        assert torch.equal(x, expected[name])


def check_step(own: Any, other: Any, *arrays: Any, tolerance: float | None = None) -> None:
    """Run both forward and backward; compare outputs, gradients and the state afterwards."""
    ours = [engine.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
    theirs = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
    found, expected = own(*ours), other(*theirs)
    if isinstance(expected, tuple):
        found, expected = found[0], expected[0]
    close(found, expected, tolerance)
    if expected.requires_grad:
        (found * found).sum().backward()
        (expected * expected).sum().backward()
    for x, y in zip(ours, theirs, strict=True):
        if y.grad is not None:
            close(x.grad, y.grad, tolerance)
    for (name, x), (_, y) in zip(own.named_parameters(), other.named_parameters(), strict=True):
        if y.grad is None:
            assert x.grad is None, name
        else:
            close(x.grad, y.grad, tolerance)
    for x, y in zip(own.state_dict().values(), other.state_dict().values(), strict=True):
        close(x, y, tolerance)
