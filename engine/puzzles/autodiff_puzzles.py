"""The 20 autodiff puzzles: every partial derivative of a function, as one formula in the indices.

A line gives ∂f[o]/∂x[i] for all o and i at once: the names o (of a matrix o and p) and i (i and j) are the
indices of f and of x, laid out so that what is made of them broadcasts to the Jacobian. The list of functions
is that of Autodiff-Puzzles (Sasha Rush, 2022); statements, inputs and hints are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import engine
from engine.puzzles import derivatives
from engine.puzzles.autodiff_texts import TEXTS
from engine.puzzles.choices import Choices
from engine.puzzles.puzzle import Arguments, Numbers, Text, written

OUTPUT_INDICES, INPUT_INDICES = ("o", "p"), ("i", "j")


@dataclass(frozen=True)
class AutodiffPuzzle:
    """A function to be differentiated with respect to each of its first `variables` arguments.

    function   (lib, *tensors, *whole numbers) -> tensor, as in `engine.puzzles.derivatives`
    ranks      of f, and of each variable
    """

    name: str
    function: Callable[..., Any]
    ranks: tuple[int, ...]
    draw: Callable[[Choices], Arguments]

    @property
    def text(self) -> Text:
        return TEXTS[self.name]

    @property
    def variables(self) -> int:
        return len(self.ranks) - 1

    @property
    def parts(self) -> tuple[str, ...]:
        of = _indexed("f", OUTPUT_INDICES[: self.ranks[0]])
        return tuple(
            f"∂{of}/∂{_indexed(name, INPUT_INDICES[:rank])}"
            for name, rank in zip("xy", self.ranks[1:], strict=False)
        )

    def names(self, arguments: Arguments) -> Mapping[str, Numbers]:
        """The arguments and the value of f; the indices differ by part, see `indices`."""
        given = dict(zip(self.text.arguments, arguments, strict=True))
        return {**given, "f": self.value(engine, arguments).numpy()}

    def value(self, lib: Any, arguments: Arguments) -> Any:
        """f at these arguments, by our engine or by another library."""
        return self.bound(lib, arguments)(*self.tensors(lib, arguments))

    def bound(self, lib: Any, arguments: Arguments) -> Callable[..., Any]:
        """f of the variables alone."""
        counts = [int(number) for number in arguments[self.variables :]]
        return lambda *tensors: self.function(lib, *tensors, *counts)

    def tensors(self, lib: Any, arguments: Arguments) -> tuple[Any, ...]:
        return tuple(lib.tensor(values, dtype=lib.float64) for values in arguments[: self.variables])

    def indices(self, part: int, target: Numbers) -> dict[str, Numbers]:
        """The names of the indices of the Jacobian, each along its own dimension."""
        outputs, inputs = self.ranks[0], self.ranks[part + 1]
        names = (*OUTPUT_INDICES[:outputs], *INPUT_INDICES[:inputs])
        found = {}
        for d, name in enumerate(names):
            shape = [-1 if axis == d else 1 for axis in range(target.ndim)]
            found[name] = np.arange(target.shape[d], dtype=np.float64).reshape(shape)
        return found

    def target(self, part: int, arguments: Arguments) -> Numbers:
        """The Jacobian [*f.shape, *variable.shape] by the engine's own automatic differentiation."""
        tensors = self.tensors(engine, arguments)
        blocks = engine.jacobian(self.bound(engine, arguments), tensors)
        values: Numbers = blocks[part].numpy()
        return values

    def shaped(self, found: Numbers, target: Numbers) -> Numbers:
        try:
            return np.broadcast_to(found, target.shape)
        except ValueError:
            raise ValueError(
                f"this gives {written(found.shape)}, which does not broadcast to {written(target.shape)} "
                "of the derivatives"
            ) from None


def _indexed(name: str, indices: tuple[str, ...]) -> str:
    return f"{name}[{', '.join(indices)}]" if indices else name


def _scalar(c: Choices) -> Arguments:
    return (np.array(c.number(8) / 2),)


def _scalar_and_length(c: Choices) -> Arguments:
    return np.array(c.number(8) / 2), np.array(float(c.length(1, 6)))


def _vector(c: Choices, least: int = 1) -> Arguments:
    return (c.vector(c.length(least, 6)),)


def _vector_without_zeros(c: Choices) -> Arguments:
    return (c.vector(c.length(1, 6), nonzero=True),)


def _distinct(c: Choices) -> Arguments:
    """A shuffled row of numbers, no two of them the same."""
    left = [-4.0, -2.0, -1.0, 0.0, 1.0, 3.0, 5.0]
    drawn = [left.pop(c.integer(0, len(left) - 1)) for _ in range(c.length(1, 6))]
    return (np.array(drawn),)


def _pair(c: Choices) -> Arguments:
    length = c.length(1, 6)
    return c.vector(length), c.vector(length)


def _signal_and_kernel(c: Choices) -> Arguments:
    width = c.integer(1, 3)
    return c.vector(c.length(width, 6)), c.vector(width)


def _matrix(c: Choices) -> Arguments:
    return (c.matrix(c.length(1, 3), c.length(1, 3)),)


def _factors(c: Choices) -> Arguments:
    rows, inner, columns = c.length(1, 3), c.integer(1, 2), c.length(1, 3)
    return c.matrix(rows, inner), c.matrix(inner, columns)


def _image_and_kernel(c: Choices) -> Arguments:
    return c.matrix(c.length(1, 3), c.length(1, 3)), c.matrix(2, 2)


AUTODIFF_PUZZLES: tuple[AutodiffPuzzle, ...] = (
    AutodiffPuzzle("d_identity", derivatives.identity, (0, 0), _scalar),
    AutodiffPuzzle("d_cos", derivatives.cosine, (0, 0), _scalar),
    AutodiffPuzzle("d_mean", derivatives.mean, (0, 1), _vector),
    AutodiffPuzzle("d_product", derivatives.product, (0, 1), _vector_without_zeros),
    AutodiffPuzzle("d_repeat", derivatives.repeat, (1, 0), _scalar_and_length),
    AutodiffPuzzle("d_repeat_scaled", derivatives.repeat_scaled, (1, 0), _scalar_and_length),
    AutodiffPuzzle("d_negation", derivatives.negation, (1, 1), _vector),
    AutodiffPuzzle("d_relu", derivatives.relu, (1, 1), _vector_without_zeros),
    AutodiffPuzzle("d_tail", derivatives.tail, (1, 1), partial(_vector, least=3)),
    AutodiffPuzzle("d_cumsum", derivatives.cumsum, (1, 1), _vector),
    AutodiffPuzzle("d_running_mean", derivatives.running_mean, (1, 1), partial(_vector, least=3)),
    AutodiffPuzzle("d_sort", derivatives.sort, (1, 1), _distinct),
    AutodiffPuzzle("d_average", derivatives.average, (1, 1, 1), _pair),
    AutodiffPuzzle("d_multiplication", derivatives.multiplication, (1, 1, 1), _pair),
    AutodiffPuzzle("d_convolution", derivatives.convolution, (1, 1, 1), _signal_and_kernel),
    AutodiffPuzzle("d_view", derivatives.view, (1, 2), _matrix),
    AutodiffPuzzle("d_transpose", derivatives.transpose, (2, 2), _matrix),
    AutodiffPuzzle("d_mean_of_rows", derivatives.mean_of_rows, (1, 2), _matrix),
    AutodiffPuzzle("d_matmul", derivatives.matmul, (2, 2, 2), _factors),
    AutodiffPuzzle("d_convolution_2d", derivatives.convolution_2d, (2, 2, 2), _image_and_kernel),
)
