"""A loop as the payload of the loop board: tensors, storages, recorded steps, tables, words and code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

import numpy as np

from app.figures.grids import cells, values_of
from engine.jsonable import encode
from engine.primitives import TABLE
from engine.studies.loops import LoopsResult
from engine.studies.loops_record import OUT, Step
from engine.studies.loops_rounding import arrange, exact_result
from engine.studies.loops_setup import Arrangement, Contents, LoopsSetup, Nest, Order
from engine.studies.loops_tensors import Tensor, storage_shape
from engine.studies.loops_timing import TimedNest
from engine.studies.strides import written
from engine.tensor_summary import summarise

ARRANGEMENTS = get_args(Arrangement)
CONTENTS = get_args(Contents)
NESTS = get_args(Nest)
ORDERS = get_args(Order)
NOTHING = -1  # in place of a position, where a step stores nothing


def payload(result: LoopsResult, height: int, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Everything the board shows, as JSON. `veiled` hides positions and costs while they are predicted."""
    setup, source = result.setup, result.source
    names = [tensor.name for tensor in result.tensors]
    document = {
        "operation": setup.operation,
        "sign": sign(setup),
        "source": {"name": source.name, "lines": source.lines},
        "steps": [_step(step, names) for step in result.steps],
        "tensors": [_tensor(tensor) for tensor in result.tensors],
        "line": setup.line,
        "cache": setup.cache,
        "distinct": result.distinct,
        "rounded": _rounded(result),
        "nests": [{**asdict(nest), "total": nest.total} for nest in result.nests],
        "chosen": {"order": setup.ordering, "precision": setup.precision, "nest": setup.nest},
        "step": min(setup.step, len(result.steps) - 1),
        "height_px": height,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _step(step: Step, names: Sequence[str]) -> list[Any]:
    """A step as a list: line, element of the result, position written, value, pair, storage and position of
    each read. The pair is the numbers combined, then the positions of all that is in them.
    """
    reads = [part for name, place in step.reads for part in (names.index(name), place)]
    written_to = NOTHING if step.write is None else step.write
    pair = None if step.pair is None else (*step.pair, *step.made_of)
    return [step.line, step.output, written_to, step.value, pair, *reads]


def _tensor(tensor: Tensor) -> dict[str, Any]:
    """A tensor, every element in a cell of its own, and its storage."""
    whole = [list(range(length)) for length in tensor.shape]
    made = cells(tensor.positions, tensor.layout.strides, tensor.offset, shown=whole)  # type: ignore[arg-type]
    slots = {"elements": np.arange(tensor.storage.size)}
    figures = asdict(summarise(tensor.values.reshape(-1), shape=tensor.shape, dtype="float64"))
    return {
        **made,
        "name": tensor.name,
        "expanded": tensor.expanded,
        "size": tensor.storage.size,
        "figures": figures,
        "values": values_of([made], [slots], tensor.storage),
    }


def _rounded(result: LoopsResult) -> dict[str, Any] | None:
    """Of a reduction: the exact result, and what every order makes of it in every format."""
    if result.rows is None:
        return None
    exact = [float(exact_result(result.setup.reduction, row)) for row in result.rows]
    return {"exact": exact, "orders": result.rounded}


def sign(setup: LoopsSetup) -> str:
    """What stands between the operands, or before the one there is."""
    if setup.operation == "reduce":
        return setup.reduction
    return "@" if setup.operation == "matmul" else TABLE[setup.operator].symbol


def changed_fields(change: Mapping[str, Any]) -> dict[str, Any]:
    """What the board reported, as fields of the setup: a step, an order of loops, an order and a format."""
    value: Mapping[str, Any] = change["value"]
    return {**value} if change["name"] == "step" else {**value, "step": 0}


# ---- words


def question(result: LoopsResult) -> tuple[str, float]:
    """What is to be predicted, and the answer."""
    setup = result.setup
    if setup.operation == "matmul":
        asked = f"How many cache lines ({setup.line} elements each, {setup.cache} kept) do these loops fetch?"
        return asked, sum(result.fetched.values())
    middle = result.output.values.size // 2
    name = result.operands[-1].name
    reads = [
        place for step in result.steps if step.output == middle for read, place in step.reads if read == name
    ]
    index = ", ".join(str(int(i)) for i in np.unravel_index(middle, result.output.shape))
    last = "last " if setup.operation == "reduce" else ""
    return f"Which slot of {name}'s storage is {last}read for out[{index}]?", reads[-1]


def topic(result: LoopsResult) -> str:
    """What a prediction is about: another loop is another question."""
    return repr(result.setup.model_copy(update={"step": 0}))


# ---- the loops on this machine


def timing_table(timed: Sequence[TimedNest]) -> str:
    """Markdown: every order, predicted lines beside measured time."""
    fastest = min(each.nanoseconds for each in timed)
    head = (
        "loops",
        "innermost stride in a, b, out",
        "predicted lines a product",
        "time a product, quartiles",
        "",
    )
    lines = [f"| {' | '.join(head)} |", "|---|---|--:|--:|--:|"]
    for each in timed:
        low, high = each.quartiles
        took = f"**{each.nanoseconds:.2f} ns** ({low:.2f} to {high:.2f})"
        strides = ", ".join(map(str, each.inner))
        ratio = f"{each.nanoseconds / fastest:.1f} ×"
        lines.append(f"| {each.order} | {strides} | {each.lines:.3g} | {took} | {ratio} |")
    return "\n".join(lines)


def timing_verdict(timed: Sequence[TimedNest]) -> str:
    """Whether the order with the fewest lines is the fastest, and what else there is."""
    fewest = min(timed, key=lambda each: each.lines)
    fastest = min(timed, key=lambda each: each.nanoseconds)
    if fewest is fastest:
        return f"**{fewest.order}** fetches the fewest lines, and is the fastest."
    return (
        f"**{fewest.order}** fetches the fewest lines, yet **{fastest.order}** is the fastest here: while a "
        "larger cache holds the matrices a line costs little, and short innermost loops cost their own."
    )


# ---- code


def torch_code(result: LoopsResult) -> str:
    """Python source that does the same with PyTorch and prints the result."""
    setup = result.setup
    arrangements = (setup.a_layout, setup.b_layout)
    lines = ["import torch", ""]
    for tensor, arrangement in zip(result.operands, arrangements, strict=False):
        whole = storage_shape(tensor.shape, arrangement)
        view = {"transposed": ".transpose(-2, -1)", "every second": "[..., 1::2]", "row-major": ""}[
            arrangement
        ]
        lines.append(f"{tensor.name} = {_literal(tensor)}.reshape({written(whole)}){view}")
    return "\n".join([*lines, *_call(result), "print(out)", ""])


def _literal(tensor: Tensor) -> str:
    flat = ", ".join(f"{number:.17g}" for number in tensor.storage.tolist())
    return f"torch.tensor([{flat}], dtype=torch.float64)"


def _call(result: LoopsResult) -> list[str]:
    setup = result.setup
    if setup.operation == "matmul":
        return [f"{OUT} = a @ b"]
    if setup.operation in ("map", "zip"):
        primitive = TABLE[setup.operator]
        operands = ", ".join(tensor.name for tensor in result.operands)
        options = "".join(f", {name}={value}" for name, value in primitive.torch_options.items())
        return [f"{OUT} = torch.{primitive.torch}({operands}{options})"]
    if setup.ordering == "backend":
        method = {"sum": "sum", "max": "amax", "min": "amin"}[setup.reduction]
        return [f"{OUT} = a.{method}({f'dim={result.dims}' if result.dims else ''})"]
    return _ordered(result)


def _ordered(result: LoopsResult) -> list[str]:
    """The reduction in its own order, every partial result in its own format."""
    setup, dims = result.setup, result.dims
    assert result.rows is not None
    operation = {"sum": "torch.add", "prod": "torch.mul", "max": "torch.maximum", "min": "torch.minimum"}
    combine = operation[setup.reduction]
    last = tuple(range(-len(dims), 0))
    rows = f"a.movedim({dims}, {last}).flatten({-len(dims)})" if dims else "a.reshape(1)"
    lines = [f"rows = {rows}.to(torch.{setup.precision})"]
    if setup.order == "smallest first":
        lines.append("rows = rows.gather(-1, rows.abs().argsort(dim=-1, stable=True))")
    elif setup.ordering != "pairwise":
        lines.append(f"rows = rows[..., {arrange(setup.ordering, result.rows[0], setup.seed)}]")
    lines.append("parts = list(rows.unbind(-1))")
    lines.append("while len(parts) > 1:")
    if setup.ordering == "pairwise":
        lines.append("    rest = parts[len(parts) // 2 * 2:]")
        lines.append(f"    parts = [{combine}(x, y) for x, y in zip(parts[::2], parts[1::2])] + rest")
    else:
        lines.append(f"    parts = [{combine}(parts[0], parts[1]), *parts[2:]]")
    return [*lines, f"{OUT} = parts[0]"]
