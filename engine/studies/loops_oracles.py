"""The same operation by torch, in the order and the format that are set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.oracles import torch_table
from engine.studies.loops_rounding import arrange
from engine.studies.loops_setup import Arrangement
from engine.studies.loops_tensors import Numbers, Tensor, as_arranged, storage_shape

if TYPE_CHECKING:
    from engine.studies.loops import LoopsResult


def in_torch(tensor: Tensor, arrangement: Arrangement) -> Any:
    import torch

    whole = torch.tensor(tensor.storage).reshape(storage_shape(tensor.shape, arrangement))
    return as_arranged(whole, arrangement)


def by_torch(result: LoopsResult, operands: Sequence[Any]) -> Numbers:
    """The same operation by torch, in the order and format that are set."""
    import torch

    setup = result.setup
    if setup.operation in ("map", "zip"):
        made = torch_table()[setup.operator](*operands)
    elif setup.operation == "matmul":
        made = operands[0] @ operands[1]
    elif setup.ordering == "backend":
        made = _reduced_by_torch(setup.reduction, operands[0], result.dims)
    else:
        made = _ordered_by_torch(result, torch.tensor(result.rows))
    found: Numbers = made.to(torch.float64).numpy()
    return found.reshape(result.output.shape)


def _reduced_by_torch(reduction: str, x: Any, dims: tuple[int, ...]) -> Any:
    if not dims:  # a tensor without dimensions
        return x
    return x.sum(dims) if reduction == "sum" else x.amax(dims) if reduction == "max" else x.amin(dims)


def _ordered_by_torch(result: LoopsResult, rows: Any) -> Any:
    import torch

    setup = result.setup
    combine = {"sum": torch.add, "prod": torch.mul, "max": torch.maximum, "min": torch.minimum}
    assert result.rows is not None
    places = torch.tensor([arrange(setup.ordering, row, setup.seed) for row in result.rows])
    columns = list(rows.gather(1, places).to(getattr(torch, setup.precision)).unbind(1))
    operation = combine[setup.reduction]
    while len(columns) > 1:
        if setup.ordering == "pairwise":
            rest = columns[len(columns) // 2 * 2 :]
            columns = [operation(*pair) for pair in zip(columns[::2], columns[1::2], strict=False)] + rest
        else:
            columns = [operation(columns[0], columns[1]), *columns[2:]]
    return columns[0]


def differing(there: Numbers, here: Numbers) -> float:
    """How many elements of two arrays are further apart than rounding in another order makes them."""
    if there.shape != here.shape:
        return float(max(there.size, 1))
    return float((~np.isclose(there, here, rtol=1e-10, atol=1e-10, equal_nan=True)).sum())
