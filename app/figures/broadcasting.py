"""Tensors that broadcast, and their gradients, as the payload of the broadcast board; with words and code."""

from __future__ import annotations

from dataclasses import asdict
from itertools import zip_longest
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures.grids import Shown, cells, shown_indices, values_of
from engine.jsonable import encode
from engine.layout import Shape, Strides, layout, row_major
from engine.studies.broadcasting import NAMES, BroadcastResult, Operand
from engine.studies.strides import written
from engine.studies.view_steps import ITEM_BYTES, positions
from engine.tensor_summary import summarise

MOST_DRAWN = 100  # cells of the result; up to eight tensors share the picture
SIGNS = {"add": "+", "subtract": "−", "multiply": "×"}


def payload(result: BroadcastResult, height: int, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Everything the board shows, as JSON: the alignment, the tensors, and the gradients.

    `veiled` keeps the gradients out of sight while they are to be predicted.
    """
    document = {
        "columns": columns(result),
        "rows": [{"name": NAMES[k], "lengths": _padded(s, result)} for k, s in enumerate(result.shapes)],
        "result": None if result.shape is None else result.shape,
        "fault": result.diagnosis.from_right if result.diagnosis else 0,
        "sign": SIGNS[result.setup.operation],
        "step": result.setup.step,
        "expanded": result.setup.expanded,
        "operands": [_operand(operand, result) for operand in result.operands],
        "output": _whole(result.output),
        "upstream": _whole(result.upstream),
        "height_px": height,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _padded(shape: Shape, result: BroadcastResult) -> list[int | None]:
    rank = max(map(len, result.shapes))
    return [None] * (rank - len(shape)) + list(shape)


def columns(result: BroadcastResult) -> list[str]:
    """What is said of each dimension as it is compared, the last one first."""
    lengths = zip_longest(*(reversed(shape) for shape in result.shapes))
    return [_column(back, column, result) for back, column in enumerate(lengths, start=1)]


def _column(back: int, column: tuple[int | None, ...], result: BroadcastResult) -> str:
    said = ", ".join(
        f"{name} has {length}" if length is not None else f"{name} has none, which counts as 1"
        for name, length in zip(NAMES, column, strict=False)
    )
    if result.diagnosis and result.diagnosis.from_right == back:
        return f"Dimension −{back}: {said}. They differ and neither is 1: these shapes do not broadcast."
    wanted = next((length for length in column if length not in (None, 1)), 1)
    repeated = [
        f"{name} is repeated {wanted} times, with stride 0"
        for name, length in zip(NAMES, column, strict=False)
        if (length or 1) == 1 and wanted != 1 and length != 0
    ]
    return f"Dimension −{back}: {said}. {'; '.join(repeated) or 'They agree'}."


def _operand(operand: Operand, result: BroadcastResult) -> dict[str, Any]:
    shape = result.shape or ()
    own = row_major(operand.shape)
    seen = (shape, operand.expanded) if result.setup.expanded else (operand.shape, own.strides)
    return {
        "name": operand.name,
        "expanded": operand.expanded,
        "repeated": operand.repeated,
        "terms": reads(operand, result),
        "note": memory_note(operand, shape),
        "value": _tensor(*seen, operand.values, shape),
        "local": _tensor(shape, row_major(shape).strides, operand.local, shape),
        "gradient": _tensor(operand.shape, own.strides, operand.gradient, shape),
    }


def memory_note(operand: Operand, shape: Shape) -> str:
    """How the tensor is read with the result's shape, and what a copy of that would take in float32."""
    if not operand.repeated:
        return f"strides {written(operand.expanded)}: each element is read once"
    own, whole = ITEM_BYTES * prod(operand.shape), ITEM_BYTES * prod(shape)
    return f"strides {written(operand.expanded)}: {own:,} bytes are read as {whole:,} would be"


def _whole(values: NDArray[np.float64] | None) -> dict[str, Any] | None:
    """A tensor of the result's shape, where there is a result."""
    if values is None:
        return None
    return _tensor(values.shape, row_major(values.shape).strides, values, values.shape)


def _tensor(shape: Shape, strides: Strides, values: NDArray[np.float64], whole: Shape) -> dict[str, Any]:
    """A tensor of this shape whose cells read `values` by these strides.

    Of large tensors all draw the same indices, so that what is drawn of one has its partners in the others.
    """
    drawn = shown_indices(whole, MOST_DRAWN)[len(whole) - len(shape) :]
    shown: Shown = [axis if shape[d] == whole[d - len(shape)] else [0] for d, axis in enumerate(drawn)]
    flat = values.reshape(-1)
    made = cells(positions(layout(shape, strides), 0), strides, shown=shown)
    figures = asdict(summarise(flat, shape=values.shape, dtype="float64"))
    return {**made, "figures": figures, "values": values_of([made], [], flat)}


def reads(operand: Operand, result: BroadcastResult) -> int:
    """How many elements of the result read each element of the tensor; 0 where there are none."""
    own = prod(operand.shape)
    return prod(result.shape or ()) // own if own else 0


# ---- words, code


def question(result: BroadcastResult) -> tuple[str, int]:
    """What is to be predicted of a gradient, and the answer; ("", 0) where nothing is repeated."""
    for operand in reversed(result.operands):
        if operand.repeated and reads(operand, result):
            asked = f"How many numbers are added up in each element of the gradient of {operand.name}?"
            return asked, reads(operand, result)
    return "", 0


def outer_note(result: BroadcastResult) -> str:
    """A word where every tensor is repeated: often meant (an outer product), often a slip; else ""."""
    if not result.operands or not all(operand.repeated for operand in result.operands):
        return ""
    sizes = " and ".join(f"{prod(shape):,}" for shape in result.shapes)
    return (
        f"Every tensor is repeated: {sizes} elements make {prod(result.shape or ()):,}. Right for an outer "
        "product; where (n,) and (n, 1) were meant to meet one to one, squeeze the last dimension first."
    )


def torch_code(result: BroadcastResult) -> str:
    """Python source that does the same with PyTorch and prints result and gradients."""
    names = NAMES[: len(result.shapes)]
    sign = {"add": "+", "subtract": "-", "multiply": "*"}[result.setup.operation]
    lines = ["import torch", ""]
    if result.output is None or result.upstream is None:
        lines += [f"{name} = torch.zeros({written(s)})" for name, s in zip(names, result.shapes, strict=True)]
        return "\n".join([*lines, f"print({f' {sign} '.join(names)})  # refused", ""])
    lines += [f"{operand.name} = {_literal(operand.values)}.requires_grad_()" for operand in result.operands]
    lines += [f"y = {f' {sign} '.join(names)}", f"y.backward({_literal(result.upstream)})", "print(y)"]
    return "\n".join([*lines, *(f"print({name}.grad)" for name in names), ""])


def _literal(values: NDArray[np.float64]) -> str:
    flat = ", ".join(f"{number:g}" for number in values.reshape(-1).tolist())
    return f"torch.tensor([{flat}], dtype=torch.float64).reshape({written(values.shape)})"
