"""Wrong calls: refused as in torch, by an exception that catches alike, in a message that helps.

A message names the shapes (or dtypes) involved and the dimension, and says what is wrong or what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import engine
import engine.nn

Wrong = Callable[[Any], Any]

# what is called, and what the message must contain
SHAPES: list[tuple[Wrong, list[str]]] = [
    (lambda lib: lib.ones(2, 3) + lib.ones(4), ["(2, 3)", "(4,)", "dimension -1", "3 against 4"]),
    (lambda lib: lib.ones(2, 3) * lib.ones(2), ["(2, 3)", "(2,)", "dimension -1", "unsqueeze"]),
    (lambda lib: lib.ones(3, 1, 2) - lib.ones(4, 3, 5), ["(3, 1, 2)", "(4, 3, 5)", " against "]),
    (lambda lib: lib.maximum(lib.ones(2), lib.ones(3)), ["(2,)", "(3,)"]),
    (lambda lib: lib.where(lib.ones(2) > 0, lib.ones(3), lib.ones(4)), ["(2,)", "(3,)", "(4,)"]),
    (lambda lib: lib.ones(2, 3) @ lib.ones(2, 3), ["(2, 3) @ (2, 3)", "is 3", "is 2", "a @ b.mT?"]),
    (lambda lib: lib.ones(3, 2) @ lib.ones(3, 4), ["(3, 2) @ (3, 4)", "Did you mean a.mT @ b?"]),
    (lambda lib: lib.ones(2, 3) @ lib.ones(4), ["(2, 3) @ (4,)", "must be equal"]),
    (lambda lib: lib.ones(2, 3, 4) @ lib.ones(3, 4, 5), ["(2,)", "(3,)"]),
    (lambda lib: lib.ones(2) @ lib.tensor(1.0), ["(2,)", "()", "use *"]),
    (lambda lib: lib.mm(lib.ones(2), lib.ones(2, 2)), ["(2,)", "(2, 2)", "matmul"]),
    (lambda lib: lib.bmm(lib.ones(2, 3, 4), lib.ones(3, 4, 5)), ["(2, 3, 4)", "(3, 4, 5)", "batch"]),
    (lambda lib: lib.dot(lib.ones(2, 2), lib.ones(2)), ["(2, 2)", "(2,)", "two vectors"]),
    (lambda lib: lib.outer(lib.ones(2, 2), lib.ones(2)), ["(2, 2)", "(2,)", "two vectors"]),
    (lambda lib: lib.einsum("ij,jk->ik", lib.ones(2, 3), lib.ones(4, 5)), ["ij,jk->ik", "j", "3", "4"]),
    (lambda lib: lib.einsum("ij,jk->il", lib.ones(2, 3), lib.ones(3, 5)), ["ij,jk->il", "right"]),
    (lambda lib: lib.einsum("ijk->i", lib.ones(2, 3)), ["'ijk'", "3 dimensions", "(2, 3)"]),
    (lambda lib: lib.ones(2, 3).reshape(4, 2), ["(4, 2)", "8", "6"]),
    (lambda lib: lib.ones(2, 3).reshape(-1, 4), ["-1", "6 elements", "4"]),
    (lambda lib: lib.ones(2, 3).reshape(-1, -1), ["(-1, -1)", "only one"]),
    (lambda lib: lib.ones(2, 3).reshape(-2, 3), ["(-2, 3)", "negative"]),
    (lambda lib: lib.ones(2, 3).T.view(6), ["(3, 2)", "strides (1, 3)", "dimensions 0 and 1", "reshape"]),
    (lambda lib: lib.ones(2, 4).unflatten(1, (3, 2)), ["(3, 2)", "6", "4"]),
    (lambda lib: lib.ones(2, 3).flatten(1, 0), ["start_dim 1", "end_dim 0"]),
    (lambda lib: lib.ones(2, 3).expand(2, 4), ["(2, 3)", "(2, 4)", "dimension 1", "length 3"]),
    (lambda lib: lib.ones(2, 3).expand(3), ["(2, 3)", "(3,)"]),
    (lambda lib: lib.ones(2, 3).permute(0), ["(2, 3)", "(0,)", "2 dimensions"]),
    (lambda lib: lib.ones(2, 3).permute(0, 0), ["(2, 3)", "(0, 0)", "once"]),
    (lambda lib: lib.ones(2, 3, 4).t(), ["(2, 3, 4)", "mT"]),
    (lambda lib: lib.ones(3).mT, ["(3,)", "2 dimensions"]),
    (lambda lib: lib.cat([lib.ones(2, 3), lib.ones(2, 4)]), ["(2, 3)", "(2, 4)", "dimension 1 differs"]),
    (lambda lib: lib.cat([lib.ones(2, 3), lib.ones(3)]), ["(2, 3)", "(3,)", "numbers of dimensions"]),
    (lambda lib: lib.cat([]), ["at least one"]),
    (lambda lib: lib.stack([lib.ones(2), lib.ones(3)]), ["(2,)", "(3,)", "equal"]),
    (lambda lib: lib.stack([]), ["at least one"]),
    (lambda lib: lib.ones(4).split([1, 2]), ["[1, 2]", "4", "dimension 0"]),
    (lambda lib: lib.ones(4).split(-1), ["at least 1", "-1"]),
    (lambda lib: lib.ones(4).chunk(0), ["at least 1", "0"]),
    (lambda lib: lib.ones(2, 3).narrow(1, 2, 2), ["dimension 1", "(2, 3)"]),
    (lambda lib: lib.nn.functional.pad(lib.ones(2), (1, 1, 1)), ["pairs", "(1, 1, 1)"]),
    (lambda lib: lib.nn.functional.pad(lib.ones(2), (-2, -1)), ["(2,)", "(-2, -1)"]),
    (lambda lib: lib.ones(3).tril(), ["(3,)", "2 dimensions"]),
    (lambda lib: lib.zeros(0).max(), ["no elements", "(0,)"]),
    (lambda lib: lib.zeros(-1, 2), ["negative", "(-1, 2)"]),
    (lambda lib: lib.ones(2).item(), ["one element", "(2,)"]),
    (lambda lib: bool(lib.ones(2)), ["(2,)", "any()", "all()"]),
    (lambda lib: lib.tensor([[1.0], [1.0, 2.0]]), ["equal lengths"]),
    (lambda lib: lib.ones(3).copy_(lib.ones(2)), ["(2,)", "(3,)"]),
    (lambda lib: lib.ones(3).add_(lib.ones(2, 3)), ["(2, 3)", "(3,)"]),
    (lambda lib: lib.ones(2, 3).masked_fill(lib.ones(2) > 0, 0.0), ["(2, 3)", "(2,)"]),
    (lambda lib: lib.ones(2, 3).gather(0, lib.tensor([0])), ["(1,)", "(2, 3)", "dimension 0"]),
    (lambda lib: lib.ones(2, requires_grad=True).backward(), ["(2,)", "sum()"]),
    (lambda lib: lib.ones(2, requires_grad=True).sum().backward(lib.ones(2)), ["(2,)", "()"]),
    (lambda lib: lib.nn.functional.linear(lib.ones(2, 3), lib.ones(4, 5)), ["(2, 3)", "(4, 5)"]),
    (lambda lib: lib.nn.functional.conv2d(lib.ones(1, 2, 4, 4), lib.ones(3, 1, 2, 2)), ["(1, 2, 4, 4)"]),
    (lambda lib: lib.nn.functional.conv2d(lib.ones(1, 1, 2, 2), lib.ones(1, 1, 3, 3)), ["3", "2"]),
    (lambda lib: lib.nn.functional.cross_entropy(lib.ones(2, 3), lib.tensor([0, 1, 2])), ["(2, 3)", "(3,)"]),
]  # fmt: skip

DIMENSIONS: list[tuple[Wrong, list[str]]] = [
    (lambda lib: lib.ones(2, 3).sum(2), ["dimension 2", "2 dimensions", "-2 to 1"]),
    (lambda lib: lib.ones(2, 3).softmax(-3), ["dimension -3", "-2 to 1"]),
    (lambda lib: lib.ones(2, 3).transpose(0, 2), ["dimension 2", "-2 to 1"]),
    (lambda lib: lib.ones(2).unsqueeze(2), ["dimension 2", "-2 to 1"]),
    (lambda lib: lib.tensor(1.0).sum(1), ["dimension 1", "0 dimensions"]),
    (lambda lib: lib.stack([lib.ones(2)], 2), ["dimension 2"]),
    (lambda lib: lib.ones(2, 3).size(2), ["dimension 2"]),
    (lambda lib: lib.ones(2, 3)[2], ["index 2", "dimension 0", "(2, 3)", "length is 2"]),
    (lambda lib: lib.ones(2, 3)[0, 0, 0], ["too many", "(2, 3)", "2 dimensions"]),
    (lambda lib: lib.ones(2, 3)[lib.tensor([0, 1]), lib.tensor([0, 1, 2])], ["(2,)", "(3,)", "broadcast"]),
    (lambda lib: lib.ones(2, 3)[lib.ones(3) > 0], ["(3,)", "(2, 3)", "dimension 0"]),
    (lambda lib: lib.ones(2, 3)[lib.tensor([0, 5])], ["index 5", "dimension 0", "(2, 3)"]),
]

TYPES: list[tuple[Wrong, list[str]]] = [
    (lambda lib: lib.ones(2) + "a", ["str", "tensor"]),
    (lambda lib: lib.ones(2) + None, ["NoneType"]),
    (lambda lib: lib.ones(2) * [1.0, 2.0], ["list", "tensor"]),
    (lambda lib: lib.ones(2) @ 3.0, ["two tensors", "*"]),
    (lambda lib: lib.tensor([1, 2]).mean(), ["mean", "floating", "int64", "float()"]),
    (lambda lib: lib.tensor([1, 2]).std(), ["floating", "int64"]),
    (lambda lib: lib.tensor([1, 2], requires_grad=True), ["floating", "int64"]),
    (lambda lib: lib.ones(2).masked_fill(lib.ones(2), 0.0), ["boolean", "float32"]),
    (lambda lib: lib.ones(2, 2).gather(0, lib.ones(1, 1)), ["int64", "float32"]),
    (lambda lib: lib.tensor([1, 2]).add_(0.5), ["float32", "int64", "convert"]),
    (lambda lib: lib.tensor([3]) ** -1, ["integer", "-1", "float()"]),
    (lambda lib: lib.tensor("a"), ["numbers"]),
    (lambda lib: len(lib.tensor(1.0)), ["no dimensions"]),
    (lambda lib: lib.nn.functional.embedding(lib.ones(2), lib.ones(3, 2)), ["int64", "float32"]),
    (lambda lib: lib.from_numpy([1.0]), ["numpy", "list"]),
]  # fmt: skip

GRADIENTS: list[tuple[Wrong, list[str]]] = [
    (lambda lib: lib.ones(2).sum().backward(), ["requires_grad=True", "no_grad"]),
    (lambda lib: lib.ones(2, requires_grad=True).detach().sum().backward(), ["detach"]),
    (lambda lib: lib.ones(2, requires_grad=True).add_(1.0), ["requires a gradient", "no_grad()"]),
    (lambda lib: (lib.ones(2, requires_grad=True) * 2).requires_grad_(False), ["detach()"]),
]

# torch gives an IndexError here; the engine the kind that it gives for other wrong dtypes and empty tensors
OTHER_KINDS: list[tuple[Wrong, list[str]]] = [
    (lambda lib: lib.zeros(2, 0).argmax(1), ["no elements", "dimension 1", "(2, 0)"]),
    (lambda lib: lib.zeros(2, 0).amin(1), ["no elements", "(2, 0)"]),
    (lambda lib: lib.ones(2)[lib.ones(1)], ["integers or booleans", "float32"]),
]

GROUPS = {
    "shapes": SHAPES,
    "dimensions": DIMENSIONS,
    "types": TYPES,
    "gradients": GRADIENTS,
    "other kinds": OTHER_KINDS,
}
CASES = [(group, k) for group, cases in GROUPS.items() for k in range(len(cases))]


def refusal(call: Wrong, library: Any) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  (which kind it is, is what is tested)
        call(library)
    return caught.value


@pytest.mark.parametrize(("group", "position"), CASES)
def test_refusals(group: str, position: int) -> None:
    call, fragments = GROUPS[group][position]
    ours, theirs = refusal(call, engine), refusal(call, torch)
    kinds = (RuntimeError, IndexError, TypeError, ValueError)
    assert isinstance(theirs, kinds)
    assert isinstance(ours, kinds)
    message = str(ours)
    missing = [fragment for fragment in fragments if fragment not in message]
    assert not missing, f"{missing} not in: {message}"
    if group != "other kinds":
        assert isinstance(ours, next(kind for kind in kinds if isinstance(theirs, kind))), (
            type(theirs),
            message,
        )
