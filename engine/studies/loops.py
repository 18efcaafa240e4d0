"""Study: the loops that tensor operations are made of, step by step.

Map, zip, reduce and matmul each go over an index space and turn every index into positions in flat storages.
The steps shown are recorded from the reference backend as it runs, or from the same loop in another order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import numpy as np

from engine import backends
from engine.agreement import difference
from engine.array import Array
from engine.backends.reference import Reference, indices
from engine.layout import Shape, broadcast_shapes, dimensions, expanded_strides, reduced_shape
from engine.oracles import torch_version
from engine.primitives import TABLE
from engine.studies.loops_cache import NAMES, Traffic, compare_nests, fetched
from engine.studies.loops_oracles import by_torch, differing, in_torch
from engine.studies.loops_orders import NESTS, one_by_one, pairwise
from engine.studies.loops_record import OUT, Indexed, Recorder, Slots, Source, Step, Trace, source_of
from engine.studies.loops_rounding import TYPES, Rounded, arrange, combiner, compare_orders
from engine.studies.loops_setup import MOST_CELLS, MOST_PRODUCTS, LoopsSetup
from engine.studies.loops_tensors import Numbers, Tensor, limit, operand, result_of, seen
from engine.studies.strides import numbers, written
from engine.studies.study import Check, Study

TOLERANCE = 1e-12


@dataclass(frozen=True)
class LoopsResult:
    """The steps of the loop, and what it costs.

    steps    each with the line of `source` that made it
    rounded  of a reduction: every order in every format; `rows` [results, elements] are what it combines
    nests    of a matmul: every order of its loops
    """

    setup: LoopsSetup
    tensors: tuple[Tensor, ...]  # the operands, and the result last
    dims: tuple[int, ...]
    source: Source
    steps: tuple[Step, ...]
    rows: Numbers | None
    rounded: tuple[Rounded, ...]
    nests: tuple[Traffic, ...]

    @property
    def output(self) -> Tensor:
        return self.tensors[-1]

    @property
    def operands(self) -> tuple[Tensor, ...]:
        return self.tensors[:-1]

    @cached_property
    def accesses(self) -> list[tuple[str, int]]:
        """Every (storage, position) that is read or written, in order."""
        found = []
        for step in self.steps:
            found += step.reads + ([] if step.write is None else [(OUT, step.write)])
        return found

    @cached_property
    def fetched(self) -> dict[str, int]:
        """Cache lines fetched, by storage."""
        return fetched(self.accesses, self.setup.line, self.setup.cache)

    @cached_property
    def distinct(self) -> dict[str, int]:
        """Different cache lines that are touched, by storage: what must be fetched in any order."""
        touched = {(name, place // self.setup.line) for name, place in self.accesses}
        return {name: sum(own == name for own, _ in touched) for name in NAMES}

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {}
        for tensor in self.tensors:
            figures[f"shape of {tensor.name}"] = written(tensor.shape)
            figures[f"strides of {tensor.name}, walked"] = written(tensor.expanded)
        figures |= {
            "steps": len(self.steps),
            "elements read": sum(len(step.reads) for step in self.steps),
            "cache lines fetched": sum(self.fetched.values()),
            "different cache lines": sum(self.distinct.values()),
        }
        return figures | {f"cache lines fetched, {nest.order}": nest.total for nest in self.nests}

    def table(self) -> Mapping[str, Sequence[Any]]:
        """One row a step: the line, what is read and written, and the value."""
        columns: dict[str, list[Any]] = {"line": [self.source.lines[s.line].strip() for s in self.steps]}
        for tensor in self.operands:
            columns[f"position in {tensor.name}"] = [dict(s.reads).get(tensor.name, "") for s in self.steps]
        columns["position in the result"] = ["" if s.write is None else s.write for s in self.steps]
        columns["value"] = ["" if s.value is None else s.value for s in self.steps]
        return columns


def run(setup: LoopsSetup) -> LoopsResult:
    """Run the loop and record it.

    Raises ValueError that names field, axis and remedy for shapes that do not fit or are too large.
    """
    draw = np.random.default_rng(setup.seed)
    a = operand("a", setup.a, setup.a_layout, setup, draw)
    if setup.operation == "reduce":
        return _reduce(setup, a)
    if setup.operation == "map":
        return _elementwise(setup, (a,))
    b = operand("b", setup.b, setup.b_layout, setup, draw)
    return _elementwise(setup, (a, b)) if setup.operation == "zip" else _matmul(setup, a, b)


# ---- the loops


def _elementwise(setup: LoopsSetup, operands: tuple[Array, ...]) -> LoopsResult:
    shape = broadcast_shapes(*(x.shape for x in operands))
    limit("the result", prod(shape), MOST_CELLS)
    trace = Trace(source_of(Reference.loop))
    recorder = Recorder(trace)
    watched = tuple(recorder.operand(name, x) for name, x in zip("ab", operands, strict=False))
    out = recorder.map(TABLE[setup.operator], watched)
    tensors = [
        seen(name, x, expanded_strides(x.layout, shape)) for name, x in zip("ab", operands, strict=False)
    ]
    return LoopsResult(
        setup, (*tensors, result_of(out)), (), trace.source, trace.finish(), rows=None, rounded=(), nests=()
    )


def _reduce(setup: LoopsSetup, a: Array) -> LoopsResult:
    named = numbers("dimensions", setup.dim)
    try:
        dims = dimensions(named, len(a.shape))
    except (IndexError, ValueError) as error:
        raise ValueError(f"dimensions: {error}") from None
    rows = _rows(seen("a", a), dims)
    if setup.ordering == "backend":
        trace = Trace(source_of(Reference.reduce))
        recorder = Recorder(trace)
        kind: Any = setup.reduction
        out = recorder.reduce(kind, recorder.operand("a", a), dims, keepdim=False)
    else:
        trace, out = _in_order(setup, a, dims, rows)
    rounded = compare_orders(setup.reduction, rows, setup.seed)
    return LoopsResult(
        setup, (seen("a", a), result_of(out)), dims, trace.source, trace.finish(), rows, rounded, nests=()
    )


def _rows(a: Tensor, dims: tuple[int, ...]) -> Numbers:
    """[results, elements]: what is combined to each element of the result, in the order of the backend."""
    places = a.positions.transpose([*(d for d in range(len(a.shape)) if d not in dims), *dims])
    found: Numbers = a.storage[places.reshape(-1, prod(a.shape[d] for d in dims))]
    return found


def _in_order(setup: LoopsSetup, a: Array, dims: tuple[int, ...], rows: Numbers) -> tuple[Trace, Array]:
    """The reduction one result after the other, each in the order that is set, every step rounded."""
    loop = pairwise if setup.ordering == "pairwise" else one_by_one
    trace = Trace(source_of(loop))
    x = Indexed(Slots("a", a.storage.buffer.astype(TYPES[setup.precision]), trace), a.layout, a.offset)
    rounding = combiner(setup.reduction, setup.precision)

    def combine(left: Any, right: Any) -> Any:
        value = rounding(left, right)
        trace.combined(float(left), float(right), float(value))
        return value

    shape = reduced_shape(a.shape, dims, keepdim=False)
    out = Array.from_numpy(np.empty(shape), backends.get("reference"))
    for place, kept in enumerate(indices(shape)):
        full = [_whole_index(kept, inner, dims, len(a.shape)) for inner in _inner_indices(a.shape, dims)]
        taken = [full[k] for k in arrange(setup.ordering, rows[place], setup.seed)]
        begun = len(trace.steps)
        out.buffer[place] = loop(x, taken, combine)
        if loop is pairwise:
            combined = [step for step in trace.steps[begun:] if step.pair]
            for step, made_of in zip(combined, _joined([x.place(index) for index in taken]), strict=True):
                step.made_of = made_of
        trace.returned(place, float(out.buffer[place]))
    return trace, Array.fresh(Slots(OUT, out.buffer, trace), out.backend, out.layout, out.dtype)


def _joined(places: list[int]) -> list[tuple[int, ...]]:
    """The positions that are in each partial result of the pairwise order: the same loop on positions."""
    found: list[tuple[int, ...]] = []

    def join(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
        found.append(left + right)
        return found[-1]

    pairwise([(place,) for place in places], range(len(places)), join)
    return found


def _inner_indices(shape: Shape, dims: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(product(*(range(shape[d]) for d in dims)))


def _whole_index(
    kept: tuple[int, ...], inner: tuple[int, ...], dims: Sequence[int], rank: int
) -> tuple[int, ...]:
    """An index of the input, from that of the result and that of the reduced dimensions."""
    outer, reduced = iter(kept), iter(inner)
    return tuple(next(reduced) if d in dims else next(outer) for d in range(rank))


def _matmul(setup: LoopsSetup, a: Array, b: Array) -> LoopsResult:
    for name, x in (("a", a), ("b", b)):
        if len(x.shape) != 2:
            raise ValueError(
                f"shape of {name}: a matrix has 2 dimensions, {written(x.shape)} has {len(x.shape)}; write "
                "for example 4, 3"
            )
    (m, r), (inner, n) = a.shape, b.shape
    if r != inner:
        raise ValueError(
            f"the columns of a (dimension 1 of {written(a.shape)}) are {r} and the rows of b (dimension 0 of "
            f"{written(b.shape)}) are {inner}; they are summed over together and must be equal"
        )
    limit("products", m * r * n, MOST_PRODUCTS)
    trace = Trace(source_of(NESTS[setup.nest] if setup.nest != "backend" else Reference.matmul))
    recorder = Recorder(trace)
    left, right = recorder.operand("a", a), recorder.operand("b", b)
    if setup.nest == "backend":
        out = recorder.matmul(left, right)
    else:
        out = Array.from_numpy(np.zeros((m, n)), backends.get("reference"))
        out = Array.fresh(Slots(OUT, out.buffer, trace), recorder, out.layout, out.dtype)
        faces = [Indexed(x.buffer, x.layout, x.offset) for x in (left, right, out)]
        sizes = (m, r, n, setup.tile) if setup.nest == "tiles" else (m, r, n)
        NESTS[setup.nest](*faces, *sizes)
    layouts = [(x.layout, x.offset) for x in (a, b, out)]
    nests = compare_nests(layouts, m, r, n, setup.tile, setup.line, setup.cache)
    tensors = (seen("a", a), seen("b", b), result_of(out))
    return LoopsResult(setup, tensors, (), trace.source, trace.finish(), rows=None, rounded=(), nests=nests)


# ---- the oracles


def check(result: LoopsResult) -> list[Check]:
    """The result, the strides and the offset of every operand, by torch."""
    setup, oracle = result.setup, torch_version()
    operands = [
        in_torch(tensor, layout)
        for tensor, layout in zip(result.operands, (setup.a_layout, setup.b_layout), strict=False)
    ]
    figures: list[tuple[str, float, float]] = []
    for tensor, there in zip(result.operands, operands, strict=True):
        walked = there.expand(result.output.shape) if setup.operation in ("map", "zip") else there
        figures.append((f"offset of {tensor.name}", there.storage_offset(), tensor.offset))
        for d, (theirs, ours) in enumerate(zip(walked.stride(), tensor.expanded, strict=True)):
            if walked.shape[d] > 1:
                figures.append((f"stride {d} of {tensor.name}, walked", theirs, ours))
    output = by_torch(result, operands)
    figures.append(("elements of the result that differ", 0.0, differing(output, result.output.values)))
    figures.append(("sum of the result", float(output.sum()), float(result.output.values.sum())))
    return [
        Check(name, oracle, float(expected), float(found), difference(found, expected), TOLERANCE)
        for name, expected, found in figures
    ]


EXAMPLES: dict[str, LoopsSetup] = {
    "zip, broadcast": LoopsSetup(),
    "map, transposed": LoopsSetup(operation="map", a="3, 4", a_layout="transposed"),
    "outer product": LoopsSetup(a="4, 1", b="5"),
    "reduce": LoopsSetup(operation="reduce", a="3, 4", dim="0"),
    "order of a sum": LoopsSetup(
        operation="reduce", a="3, 16", dim="1", order="forward", contents="large and small", seed=24
    ),
    "matmul": LoopsSetup(operation="matmul", a="3, 4", b="4, 3"),
    "matmul, ikj": LoopsSetup(operation="matmul", a="8, 8", b="8, 8", nest="ikj"),
    "matmul, tiles": LoopsSetup(operation="matmul", a="8, 8", b="8, 8", nest="tiles", tile=4, cache=12),
    "tiles, too large": LoopsSetup(operation="matmul", a="8, 8", b="8, 8", nest="tiles", tile=4, cache=6),
    "does not fit": LoopsSetup(a="3, 4", b="3"),
}

STUDY = Study(
    name="loops",
    version=1,
    question="Which numbers does a loop over a tensor read, and in what order?",
    setup=LoopsSetup,
    run=run,
    check=check,
)
