"""Products of matrices and of tensors."""

from __future__ import annotations

from typing import Any

from engine.bilinear import Matmul
from engine.dtypes import boolean
from engine.errors import DTypeError, ShapeError
from engine.layout import broadcast_shapes
from engine.linear import promoted
from engine.operations.shapes import expand, permute, reshape, squeeze, unsqueeze
from engine.strided import Strided

MATMUL = Matmul()


def matmul(a: Any, b: Any) -> Any:
    """a @ b: dot product of vectors, matrix times vector, matrices, or batches of them (leading dimensions
    broadcast)."""
    if not isinstance(b, Strided) or not isinstance(a, Strided):
        raise TypeError("matmul needs two tensors; multiply by a number with *")
    a_shape, b_shape = a.shape, b.shape
    if not a_shape or not b_shape:
        raise ShapeError(f"matmul needs at least one dimension each, got {a_shape} and {b_shape}: use *")
    inner = b_shape[-2] if len(b_shape) > 1 else b_shape[0]
    if a_shape[-1] != inner:
        raise ShapeError(_mismatch(a, b, inner))
    dtype = a.dtype
    if dtype is not b.dtype:
        a, b = promoted([a, b])
        dtype = a.dtype
    if dtype is boolean:
        raise DTypeError("matmul of booleans is not defined: convert with .long() or .float() first")
    if len(a_shape) == len(b_shape) == 2:
        return MATMUL(a, b)
    left = unsqueeze(a, 0) if a.ndim == 1 else a
    right = unsqueeze(b, 1) if b.ndim == 1 else b
    batch = broadcast_shapes(left.shape[:-2], right.shape[:-2])
    product = MATMUL(expand(left, (*batch, *left.shape[-2:])), expand(right, (*batch, *right.shape[-2:])))
    dropped = [d for d, vector in ((-2, a.ndim == 1), (-1, b.ndim == 1)) if vector]
    return squeeze(product, dropped) if dropped else product


def _mismatch(a: Any, b: Any, inner: int) -> str:
    message = (
        f"cannot multiply {a.shape} @ {b.shape}: dimension {a.ndim - 1} of the first is {a.shape[-1]}, and "
        f"dimension {max(b.ndim - 2, 0)} of the second is {inner}; they must be equal"
    )
    if b.ndim > 1 and a.shape[-1] == b.shape[-1]:
        return f"{message}. Did you mean a @ b.mT?"
    if a.ndim > 1 and a.shape[-2] == inner:
        return f"{message}. Did you mean a.mT @ b?"
    return message


def mm(a: Any, b: Any) -> Any:
    """The product of two matrices."""
    if a.ndim != 2 or b.ndim != 2:
        raise ShapeError(f"mm needs two matrices, got {a.shape} and {b.shape}: use matmul for batches")
    return matmul(a, b)


def bmm(a: Any, b: Any) -> Any:
    """The products of two equally long batches of matrices."""
    if a.ndim != 3 or b.ndim != 3 or a.shape[0] != b.shape[0]:
        raise ShapeError(f"bmm needs [batch, m, k] and [batch, k, n], got {a.shape} and {b.shape}")
    return matmul(a, b)


def dot(a: Any, b: Any) -> Any:
    """The inner product of two vectors."""
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"dot needs two vectors, got {a.shape} and {b.shape}")
    return matmul(a, b)


def outer(a: Any, b: Any) -> Any:
    """a_i · b_j for two vectors."""
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"outer needs two vectors, got {a.shape} and {b.shape}")
    return unsqueeze(a, 1) * unsqueeze(b, 0)


def einsum(equation: str, *operands: Any) -> Any:
    """Einstein summation over one or two tensors: `einsum("bij,bjk->bik", a, b)`.

    Letters name dimensions; those missing on the right are summed. Spaces are ignored. Two operands become
    one batched matmul, so the cost is that of the matrix product.
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    names, result = _parse(equation, operands)
    lengths: dict[str, int] = {}
    for letters, operand in zip(names, operands, strict=True):
        for letter, length in zip(letters, operand.shape, strict=True):
            if lengths.setdefault(letter, length) != length:
                raise ShapeError(
                    f"einsum {equation!r}: {letter} is {lengths[letter]} in one place and {length} in another"
                )
    if len(operands) == 1:
        return _arranged(*_without_diagonals(names[0], operands[0]), result)
    (left, a), (right, b) = (_without_diagonals(*pair) for pair in zip(names, operands, strict=True))
    a, left = _summed(a, left, [x for x in left if x not in right and x not in result])
    b, right = _summed(b, right, [x for x in right if x not in left and x not in result])
    batch = [x for x in left if x in right and x in result]
    shared = [x for x in left if x in right and x not in result]
    rows = [x for x in left if x not in right]
    columns = [x for x in right if x not in left]

    def grouped(x: Any, letters: str, *groups: list[str]) -> Any:
        x = permute(x, *(letters.index(letter) for group in groups for letter in group))
        return reshape(
            x, *(lengths[letter] for letter in groups[0]), *(_size(group, lengths) for group in groups[1:])
        )

    product = matmul(grouped(a, left, batch, rows, shared), grouped(b, right, batch, shared, columns))
    order = [*batch, *rows, *columns]
    return _arranged("".join(order), reshape(product, *(lengths[letter] for letter in order)), result)


def _parse(equation: str, operands: tuple[Any, ...]) -> tuple[list[str], str]:
    """The letters of each operand and of the result (sorted single ones, if the right side is left out)."""
    if not 1 <= len(operands) <= 2:
        raise ShapeError(
            f"einsum takes one or two tensors here, {len(operands)} were given: contract them in turn"
        )
    left, arrow, result = equation.replace(" ", "").partition("->")
    names = left.split(",")
    if len(names) != len(operands) or not all(letters.isalpha() or not letters for letters in names):
        raise ShapeError(
            f"einsum {equation!r} names {len(names)} operands in letters, {len(operands)} were given"
        )
    for letters, operand in zip(names, operands, strict=True):
        if len(letters) != operand.ndim:
            raise ShapeError(
                f"einsum {equation!r}: {letters!r} names {len(letters)} dimensions of {operand.shape}"
            )
    together = "".join(names)
    if not arrow:
        result = "".join(letter for letter in sorted(set(together)) if together.count(letter) == 1)
    if not set(result) <= set(together) or len(set(result)) < len(result):
        raise ShapeError(
            f"einsum {equation!r}: each letter on the right must occur once there, and on the left"
        )
    return names, result


def _size(letters: list[str], lengths: dict[str, int]) -> int:
    size = 1
    for letter in letters:
        size *= lengths[letter]
    return size


def _without_diagonals(letters: str, x: Any) -> tuple[str, Any]:
    """A letter that occurs twice in one operand takes its diagonal."""
    for letter in letters:
        while letters.count(letter) > 1:
            first, second = letters.index(letter), letters.rindex(letter)
            moved = permute(x, *(d for d in range(x.ndim) if d not in (first, second)), first, second)
            n = moved.shape[-1]
            x = reshape(moved, *moved.shape[:-2], n * n)[..., :: n + 1]
            letters = "".join(c for d, c in enumerate(letters) if d not in (first, second)) + letter
    return letters, x


def _summed(x: Any, letters: str, alone: list[str]) -> tuple[Any, str]:
    """Dimensions that occur nowhere else are summed at once."""
    if not alone:
        return x, letters
    kept = "".join(letter for letter in letters if letter not in alone)
    return x.sum([letters.index(letter) for letter in alone]), kept


def _arranged(letters: str, x: Any, result: str) -> Any:
    x, letters = _summed(x, letters, [letter for letter in letters if letter not in result])
    return permute(x, *(letters.index(letter) for letter in result)) if letters != result else x
