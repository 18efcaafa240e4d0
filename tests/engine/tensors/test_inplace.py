"""Writing into storage: through views, outside the tape, as torch does.

Refused or detected wherever it would make a gradient wrong without a word.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.errors import InPlaceError
from tests.engine.tensors.agreement import difference
from tests.engine.tensors.single import assert_agreement, calls, disagreement, sample

Change = Callable[[Any, Any], Any]  # (library, tensor): changes the tensor, returns what torch's call returns

CHANGES: dict[str, Change] = {
    "add_": lambda lib, x: x.add_(2.0),
    "add_ tensor": lambda lib, x: x.add_(x.detach() * 2),
    "add_ row": lambda lib, x: x.add_(x.detach().clone()[0]),
    "add_ alpha": lambda lib, x: x.add_(x.detach() + 1, alpha=-0.5),
    "add_ alpha number": lambda lib, x: x.add_(3, alpha=2),
    "add_ itself": lambda lib, x: x.add_(x),
    "sub_": lambda lib, x: x.sub_(x.detach() + 1, alpha=0.5),
    "sub_ number": lambda lib, x: x.sub_(2),
    "mul_": lambda lib, x: x.mul_(0.5),
    "mul_ column": lambda lib, x: x.mul_(x.detach().clone()[:, :1]),
    "div_": lambda lib, x: x.div_(4),
    "div_ tensor": lambda lib, x: x.div_(x.detach() + 5),
    "copy_": lambda lib, x: x.copy_(x.detach() * 3),
    "copy_ row": lambda lib, x: x.copy_(lib.tensor([1.0, 2.0, 3.0])),
    "copy_ integers": lambda lib, x: x.copy_(lib.tensor([1, 2, 3])),
    "fill_": lambda lib, x: x.fill_(7),
    "fill_ 0-d": lambda lib, x: x.fill_(lib.tensor(2.5)),
    "zero_": lambda lib, x: x.zero_(),
    "clamp_": lambda lib, x: x.clamp_(-0.5, 1.0),
    "clamp_ min": lambda lib, x: x.clamp_(min=0),
    "clamp_ max": lambda lib, x: x.clamp_(max=0.25),
    "chained": lambda lib, x: x.mul_(2).add_(1).div_(3),
    "too large": lambda lib, x: x.add_(lib.ones(2, 2, 3)),
    "wrong shape": lambda lib, x: x.mul_(lib.ones(2)),
    "copy_ wrong shape": lambda lib, x: x.copy_(lib.ones(4)),
}


def changed(change: Change, view: Callable[[Any], Any], library: Any, x: Any) -> Any:
    """What the call returns, the view after it, and the whole storage after it."""
    base = x.detach().clone()
    seen = view(base)
    returned = change(library, seen)
    assert returned is seen or returned is None
    return seen, base


@pytest.mark.parametrize("name", CHANGES)
def test_changes(name: str) -> None:
    views: list[tuple[str, Callable[..., Any]]] = [
        (label, lambda lib, x, view=view: changed(CHANGES[name], view, lib, x))
        for label, view in {
            "itself": lambda x: x,
            "a part": lambda x: x[1:3, 1:4],
            "in steps": lambda x: x[::2, ::2],
            "transposed": lambda x: x.mT[:2, :3],
        }.items()
    ]
    assert_agreement(
        calls(*views, operands=[(sample((4, 5)).astype("float32"),), (sample((2, 3)).astype("float32"),)])
    )


@pytest.mark.parametrize("seed", range(150))
def test_sequences_of_writes_through_views(seed: int) -> None:
    """Several views of one storage, written through in turn: after each write all of them are torch's."""
    generator = random.Random(seed)
    values = sample((3, 4), seed=seed)
    found, expected = [engine.tensor(values)], [torch.tensor(values)]
    for _ in range(12):
        step, write = random_view(generator), random_write(generator)
        k = generator.randrange(len(found))
        if generator.random() < 0.4 and len(found) < 5:
            found.append(step(found[k]))
            expected.append(step(expected[k]))
        else:
            write(engine, found[k])
            write(torch, expected[k])
        assert max(map(difference, found, expected)) < 1e-14


def random_view(generator: random.Random) -> Callable[[Any], Any]:
    first, last = generator.randrange(2), generator.randrange(1, 3)
    return generator.choice(
        (
            lambda x: x.T,
            lambda x: x[first:],
            lambda x: x[..., ::2],
            lambda x: x.unsqueeze(0)[0],
            lambda x: x[:last] if x.ndim else x,
        )
    )


def random_write(generator: random.Random) -> Callable[[Any, Any], Any]:
    number = generator.uniform(-2.0, 2.0)
    place = generator.randrange(2)

    def assign(_: Any, x: Any) -> None:
        if x.shape[0] > place:
            x[place] = number

    def assign_where(_: Any, x: Any) -> None:
        x[x > number] = 0.5

    return generator.choice(
        (
            lambda _, x: x.add_(number),
            lambda _, x: x.mul_(0.5 * number),
            lambda _, x: x.copy_(x.clone() - number),
            lambda lib, x: x.clamp_(-abs(number), 2.0),
            assign,
            assign_where,
        )
    )


def test_augmented_assignment() -> None:
    """x += y writes into x where nothing is recorded, and is x = x + y where something is."""

    def plus(lib: Any, x: Any) -> Any:
        whole = x.detach().clone()
        alias = whole
        whole += 1.0
        whole -= lib.ones_like(whole) * 3.0
        whole *= 2
        whole /= 4.0
        return whole, alias

    def recorded(_: Any, x: Any) -> Any:
        y = x * 1.0
        y += x
        y *= 2.0
        y -= x.detach()
        y /= x
        return y

    def of_a_constant(lib: Any, x: Any) -> Any:
        total = lib.zeros(2, 3, dtype=lib.float64)
        for _ in range(3):
            total += x**2
        return total

    cases = calls(
        ("plain", plus), ("recorded", recorded), ("a sum", of_a_constant), operands=[(sample((2, 3)),)]
    )
    assert_agreement(cases)


# ---- overlapping operands: torch refuses these; here they mean what numpy's mean

OVERLAPS: dict[str, Callable[[Any], Any]] = {
    "x[1:] = x[:-1]": lambda x: x.__setitem__(slice(1, None), x[:-1]),
    "x[:-1] = x[1:]": lambda x: x.__setitem__(slice(None, -1), x[1:]),
    "x[:] = x[::-1]": lambda x: x.__setitem__(slice(None), x[::-1]),
    "x[1:] += x[:-1]": lambda x: x[1:].__iadd__(x[:-1]),
    "x[:, 1:] *= x[:, :-1]": lambda x: x[:, 1:].__imul__(x[:, :-1]),
    "x[:3, :3] = x[:3, :3].T": lambda x: x[:3, :3].__setitem__(slice(None), x[:3, :3].T),
    "x[[0, 1]] = x[[1, 0]]": lambda x: x.__setitem__([0, 1], x[[1, 0]]),
    "x += x[0]": lambda x: x.__iadd__(x[0]),
}


@pytest.mark.parametrize("name", OVERLAPS)
def test_overlapping_operands_are_read_before_they_are_written(name: str) -> None:
    values = sample((4, 5))
    found, expected = engine.tensor(values), values.copy()
    OVERLAPS[name](found)
    OVERLAPS[name](expected)
    assert np.array_equal(found.numpy(), expected)


# ---- what must not happen silently


REFUSED: dict[str, Callable[[Any, Any], Any]] = {
    "leaf add_": lambda lib, x: x.add_(1.0),
    "leaf +=": lambda lib, x: x.__iadd__(1.0),
    "leaf [...] =": lambda lib, x: x.__setitem__(0, 1.0),
    "leaf [mask] =": lambda lib, x: x.__setitem__(x.detach() > 0, 1.0),
    "leaf zero_": lambda lib, x: x.zero_(),
    "leaf copy_": lambda lib, x: x.copy_(x.detach()),
    "view of a leaf": lambda lib, x: x[0].mul_(2.0),
    "view of a leaf [...] =": lambda lib, x: x.T.__setitem__(0, 1.0),
    "leaf uniform_": lambda lib, x: x.uniform_(),
    "leaf normal_": lambda lib, x: x.normal_(),
    "leaf clamp_": lambda lib, x: x.clamp_(0, 1),
    "too large": lambda lib, x: x.detach().add_(lib.ones(2, 2, 3)),
    "integers from reals": lambda lib, x: lib.ones(2, dtype=lib.int64).add_(0.5),
    "integers divided": lambda lib, x: lib.ones(2, dtype=lib.int64).div_(2),
    "booleans from integers": lambda lib, x: lib.tensor([True]).add_(2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_in_torch(name: str) -> None:
    values = sample((2, 3))
    for library in (torch, engine):
        with pytest.raises((RuntimeError, TypeError)):
            REFUSED[name](library, library.tensor(values, requires_grad=True))


RECORDED: dict[str, Callable[[Any, Any], Any]] = {
    "result add_": lambda lib, y: y.add_(1.0),
    "result [...] =": lambda lib, y: y.__setitem__(0, 0.0),
    "result zero_": lambda lib, y: y.zero_(),
}


@pytest.mark.parametrize("name", RECORDED)
def test_results_on_the_tape_are_refused(name: str) -> None:
    """torch records these; here they are refused, never carried out without a derivative."""
    x = engine.tensor(sample((2, 3)), requires_grad=True)
    with pytest.raises(InPlaceError, match="no_grad"):
        RECORDED[name](engine, x * 2.0)


INTO_CONSTANTS: dict[str, Callable[[Any, Any], Any]] = {
    "add_": lambda constant, x: constant.add_(x),
    "mul_": lambda constant, x: constant.mul_(x),
    "copy_": lambda constant, x: constant.copy_(x),
    "[...] =": lambda constant, x: constant.__setitem__(0, x[0]),
    "[mask] =": lambda constant, x: constant.__setitem__(constant == 0, x[0, 0]),
}


@pytest.mark.parametrize("name", INTO_CONSTANTS)
def test_what_has_a_history_is_not_written_into_a_constant(name: str) -> None:
    """torch would give the constant a history. Writing the value alone would lose the gradient silently."""
    x = engine.tensor(sample((2, 3)), requires_grad=True)
    with pytest.raises(InPlaceError, match="no_grad"):
        INTO_CONSTANTS[name](engine.zeros(2, 3, dtype=engine.float64), x)
    with engine.no_grad():
        INTO_CONSTANTS[name](engine.zeros(2, 3, dtype=engine.float64), x)


OVERWRITTEN: dict[str, tuple[Callable[[Any, Any, Any], Any], str]] = {
    "an operand of a product": (lambda lib, x, y: x * y, "y"),
    "both": (lambda lib, x, y: x * y, "x"),
    "of a quotient": (lambda lib, x, y: x / y, "y"),
    "of a matmul": (lambda lib, x, y: x @ y.T, "y"),
    "of a function": (lambda lib, x, y: x.sin(), "x"),
    "of a square": (lambda lib, x, y: x**2, "x"),
    "the result of exp": (lambda lib, x, y: x.exp(), "result"),
    "the result of tanh": (lambda lib, x, y: x.tanh(), "result"),
    "the result of sigmoid": (lambda lib, x, y: x.sigmoid(), "result"),
    "of a maximum": (lambda lib, x, y: lib.maximum(x, y), "x"),
    "of a sum": (lambda lib, x, y: x + y, "y"),
    "the result of a sum": (lambda lib, x, y: x + y, "result"),
    "the result of a product": (lambda lib, x, y: x * y, "result"),
    "of neg": (lambda lib, x, y: -x, "x"),
    "the result of sin": (lambda lib, x, y: x.sin(), "result"),
    "of a view": (lambda lib, x, y: x.T, "x"),
    "of a sum over dimensions": (lambda lib, x, y: x.sum(0), "x"),
    "of a mean": (lambda lib, x, y: x.mean(), "x"),
    "of a factor": (lambda lib, x, y: 2.0 * x, "x"),
}


def overwritten(name: str, lib: Any) -> Any:
    """The gradient of a function one of whose values was overwritten afterwards; None if refused."""
    function, what = OVERWRITTEN[name]
    x = lib.tensor(np.abs(sample((2, 3))) + 0.1, requires_grad=True)
    y = lib.tensor(np.abs(sample((2, 3), seed=1)) + 0.1, requires_grad=True)
    result = function(lib, x, y)
    with lib.no_grad():
        {"x": x, "y": y, "result": result}[what].mul_(3.0)
    try:
        result.sum().backward()
    except RuntimeError:
        return None
    return x.grad


@pytest.mark.parametrize("name", OVERWRITTEN)
def test_overwritten_values_are_detected(name: str) -> None:
    """Exactly where torch detects them: where the derivative needs the value that is no longer there."""
    found, expected = overwritten(name, engine), overwritten(name, torch)
    assert difference(found, expected) < 1e-12


def test_overwriting_through_another_view_is_detected() -> None:
    def call(lib: Any) -> Any:
        base = lib.tensor(sample((2, 3)))
        weight = lib.ones(3, dtype=lib.float64, requires_grad=True)
        result = (base[0] * weight).sum()
        base.T[1] = 5.0
        result.backward()
        return weight.grad

    assert disagreement(call) == ""
    with pytest.raises(InPlaceError, match="overwritten"):
        call(engine)


# ---- gradients own their memory


def test_gradients_can_be_changed_in_place() -> None:
    """Clipping and zeroing write into `grad`: each leaf's must be memory of its own, walked once."""

    def call(change: Callable[[Any], Any], function: Callable[..., Any], lib: Any) -> Any:
        a = lib.tensor(sample((2, 3)), requires_grad=True)
        b = lib.tensor(sample((2, 3), seed=1), requires_grad=True)
        function(a, b).backward()
        change(a.grad)
        return a.grad, b.grad

    changes = (
        lambda g: g.mul_(0.5),
        lambda g: g.zero_(),
        lambda g: g.add_(1.0),
        lambda g: g.__setitem__(0, 9.0),
    )
    functions = (
        lambda a, b: (a + b).sum(),
        lambda a, b: a.sum() + b.mean(),
        lambda a, b: (a.T + b.T)[0].sum(),
    )
    for change in changes:
        for function in functions:
            assert disagreement(lambda lib, c=change, f=function: call(c, f, lib)) == ""


def test_a_given_cotangent_is_not_the_gradient_itself() -> None:
    """In torch it can be: there, changing the gradient would change the caller's tensor."""
    x = engine.ones(3, requires_grad=True)
    cotangent = engine.tensor([1.0, 2.0, 3.0])
    x.view(3).backward(cotangent)
    assert x.grad is not None
    x.grad.mul_(2.0)
    assert x.grad.tolist() == [2.0, 4.0, 6.0]
    assert cotangent.tolist() == [1.0, 2.0, 3.0]


def test_gradients_add_up_over_calls() -> None:
    def call(_: Any, x: Any) -> Any:
        for _ in range(3):
            (x * x).sum().backward()
        x.grad = None
        x.sin().sum().backward()
        (x * 2).sum().backward()
        return x.grad

    assert disagreement(call, sample((2, 3)), values_only=True) == ""
