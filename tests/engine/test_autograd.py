"""`engine.autograd` against `torch.autograd`."""

from typing import Any

import pytest
import torch

import engine
from engine import Scalar, autograd
from tests.engine.beside_torch import point, same

pytestmark = pytest.mark.usefixtures("either_backend")


def test_autograd_grad_agrees_with_torch() -> None:
    def gradients(lib: Any, x: Any, y: Any, upstream: Any, derivative: Any) -> tuple[Any, ...]:
        hidden = lib.tanh(x @ y)
        outputs = (hidden, (x * x).sum())
        first = derivative(outputs, [x, y, hidden], [upstream, None], create_graph=True)
        return (*first, *derivative(sum((g * g).sum() for g in first[:2]), (x, y)))

    ours, theirs = point([(2, 3), (3, 2), (2, 2)])
    for tensors in (ours, theirs):
        for tensor in tensors[:2]:
            tensor.requires_grad_()
    found = gradients(engine, *ours, autograd.grad)
    same(found, gradients(torch, *theirs, torch.autograd.grad))
    assert ours[0].grad is ours[1].grad is None
    assert [gradient.requires_grad for gradient in found] == [True, True, False, False, False]


def test_autograd_grad_of_an_output_named_twice() -> None:
    x = engine.ones(2, requires_grad=True)
    y = (x * 3).sum()
    assert autograd.grad((y, y), x, (engine.tensor(1.0), engine.tensor(10.0)))[0].tolist() == [33.0, 33.0]


def test_unused_inputs() -> None:
    for lib, derivative in ((engine, autograd.grad), (torch, torch.autograd.grad)):
        x, y = lib.ones(2, requires_grad=True), lib.ones(3, requires_grad=True)
        total = x.sum()
        with pytest.raises(RuntimeError, match="allow_unused=True"):
            derivative(total, (x, y))
        assert derivative(total, (x, y), allow_unused=True)[1] is None
        assert derivative(total, (x, y), materialize_grads=True)[1].tolist() == [0.0, 0.0, 0.0]
        with pytest.raises(ValueError, match="allow_unused"):
            derivative(total, (x, y), materialize_grads=True, allow_unused=False)
        for outputs, inputs in ((lib.ones(()), x), (total, lib.ones(2)), (total.detach(), x)):
            with pytest.raises(RuntimeError):
                derivative(outputs, inputs)
        with pytest.raises(RuntimeError):
            derivative(x * 2, x)  # needs a cotangent


def test_autograd_backward_of_several_tensors() -> None:
    ours, theirs = point([(3,), (3,)])
    for lib, (x, upstream) in ((engine, ours), (torch, theirs)):
        x.requires_grad_()
        hidden = x * x
        if lib is torch:
            hidden.retain_grad()
        outputs = [hidden * 2, hidden.sum(), hidden]
        lib.autograd.backward(outputs, [upstream, None, upstream])
        lib.autograd.backward((x.exp().sum(),))
        if lib is engine:
            found = (x.grad, hidden.grad)
        else:
            same(found, (x.grad, hidden.grad))


def test_autograd_of_scalars() -> None:
    x, y = Scalar(2.0), Scalar(3.0)
    product = x * x * y
    assert autograd.grad(product, (x, y)) == (12.0, 4.0)
    (slope,) = autograd.grad(product, x, create_graph=True)
    assert autograd.grad(slope, (x, y)) == (6.0, 4.0)
    autograd.backward((product, x * y), (1.0, 10.0))
    assert (x.grad, y.grad) == (42.0, 24.0)
