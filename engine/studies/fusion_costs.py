"""What a program costs before anything is timed: bytes through memory, temporaries, kernels, operations.

Eager runs one operation at a time: each reads its operands from memory and writes its result there. Fused,
only what another kernel reads, and what is returned, passes through memory.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from engine.compiler.execute import Executable
from engine.compiler.fuse import Group
from engine.compiler.listing import lines_of
from engine.compiler.program import SOURCES, Node, Program, Storage, View
from engine.compiler.report import flops_of, name_of, steps
from engine.compiler.sharing import lifetimes
from engine.compiler.stages import Stage, stages
from engine.layout import Shape
from engine.studies import fusion_program
from engine.studies.tensor_autodiff_language import TensorProgram, parse

MOST_NODES = 400
MOST_BYTES = 1 << 30  # moved by one eager call
MOST_FLOPS = 1 << 33  # in one call


@dataclass(frozen=True)
class Launch:
    """One call of a kernel.

    nodes          ids of what it computes
    operations     their names
    read, written  bytes from memory and to it
    flops          operations on numbers; a function such as exp counts as one
    alive          bytes of the temporaries that exist while it runs, those it makes among them
    source         of its kernel, where one was generated
    values         ids of the nodes whose values are called v0, v1, … in it
    phases         walks along each row; 0 for a call of a library
    """

    nodes: tuple[int, ...]
    operations: tuple[str, ...]
    read: int
    written: int
    flops: int
    alive: int
    source: str = ""
    values: tuple[int, ...] = ()
    phases: int = 1

    @property
    def moved(self) -> int:
        return self.read + self.written


@dataclass(frozen=True)
class ListedLine:
    """A line of the listing, and the ids of the nodes that it is for."""

    text: str
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Compilation:
    """All that is known of a program without running it.

    stages    the computation after each pass
    names     of inputs, and of what has a name in the program, by id of the node
    shapes    of inputs, by id
    lines     of the program that a node comes from, by id; none for the backward pass
    results   ids of what is returned, and of what is overwritten
    eager     a launch for each operation
    fused     a launch for each group
    least     bytes of the inputs and the results, each moved once: what no compiler can save
    returned  bytes of what is returned, which one call of the whole function copies out
    """

    program: TensorProgram
    stages: tuple[Stage, ...]
    names: dict[int, str]
    shapes: dict[int, Shape]
    lines: dict[int, tuple[int, ...]]
    results: tuple[int, ...]
    eager: tuple[Launch, ...]
    fused: tuple[Launch, ...]
    listing: tuple[ListedLine, ...]
    least: int
    returned: int


@lru_cache(maxsize=64)
def compilation(text: str, sizes: tuple[tuple[str, int], ...], training: bool) -> Compilation:
    """Trace the program with these sizes; nothing is computed, so that takes some milliseconds.

    Raises ExpressionError for a program outside the language, that does not fit, or costs too much.
    """
    program = parse(text)
    chosen = dict(sizes)
    like = fusion_program.untouched(program, chosen, training)
    executable = fusion_program.traced(program, chosen, like).executable
    found = _described(
        program, executable, dict(zip(like.names, (x.shape for x in like.inputs), strict=True))
    )
    _refuse_costly(found)
    return found


def _described(program: TensorProgram, executable: Executable, shapes: dict[str, Shape]) -> Compilation:
    written = executable.program
    ids = {node: k for k, node in enumerate(written.nodes)}
    lines: dict[str, tuple[int, ...]] = {}
    for line, label in fusion_program.labels(program).items():
        lines[label] = (*lines.get(label, ()), line)
    given = {
        node: k for node, k in ids.items() if node.kind in SOURCES and node.target.storage in written.names
    }
    results = {view.storage for view in written.outputs} | written.effects
    inputs = {
        view.storage
        for node in executable.nodes
        for view in node.reads
        if view.storage in written.captured or view.storage in written.arguments
    }
    return Compilation(
        program,
        tuple(stages(executable)),
        _names(written, ids),
        {k: shapes[written.names[node.target.storage]] for node, k in given.items()},
        {ids[node]: lines[node.label] for node in written.nodes if node.label in lines},
        tuple(k for node, k in ids.items() if node.target.storage in results and node.kind not in SOURCES),
        tuple(eager_launches(executable, ids)),
        tuple(fused_launches(executable, ids)),
        tuple(ListedLine(line.text, tuple(ids[n] for n in line.nodes)) for line in lines_of(executable, "f")),
        sum(_bytes(storage) for storage in (*inputs, *results)),
        sum(_walked(view) for view in written.outputs),
    )


def _names(written: Program, ids: dict[Node, int]) -> dict[int, str]:
    """Inputs by their names, and the last node of every line by the name that the line gives."""
    last = {node.label: node for node in written.nodes if node.label}
    given = {node: written.names.get(node.target.storage, "") for node in ids if node.kind in SOURCES}
    named = {node: label for label, node in last.items() if node not in given}
    return {ids[node]: name for node, name in {**named, **given}.items() if name}


def _refuse_costly(found: Compilation) -> None:
    moved, flops = (sum(getattr(launch, part) for launch in found.eager) for part in ("moved", "flops"))
    said = ""
    if len(found.eager) > MOST_NODES:
        said = f"{len(found.eager)} operations are more than the {MOST_NODES} that are drawn"
    elif moved > MOST_BYTES:
        said = f"an eager call would move {moved / 1e9:.3g} GB, and at most {MOST_BYTES / 1e9:.3g} GB are"
    elif flops > MOST_FLOPS:
        said = f"a call would take {flops:.2g} operations, and at most {MOST_FLOPS:.2g} are done"
    if said:
        raise found.program.error(said, found.program.body[-1], "choose smaller sizes or fewer turns")


# ---- launches


def eager_launches(executable: Executable, ids: dict[Node, int]) -> list[Launch]:
    """What happens where each operation is run as it is met: the computation as traced."""
    (_, traced) = executable.history[0]
    nodes = [(node, operands) for node, operands in traced if node.kind not in SOURCES]
    alive = temporaries([[node] for node, _ in nodes], [node for node, _ in nodes], executable.program)
    found = []
    for (node, operands), bytes_alive in zip(nodes, alive, strict=True):
        views = {view.storage: view for view in operands if isinstance(view, View)}
        read = sum(map(_walked, views.values()))
        written = _walked(node.target)
        found.append(Launch((ids[node],), (name_of(node),), read, written, flops_of(node), bytes_alive))
    return found


def fused_launches(executable: Executable, ids: dict[Node, int]) -> list[Launch]:
    stored = [node for group in executable.groups for node in group.nodes if executable.is_stored(node)]
    alive = temporaries([group.nodes for group in executable.groups], stored, executable.program)
    found = []
    for group, step, bytes_alive in zip(executable.groups, steps(executable), alive, strict=True):
        nodes = tuple(ids[node] for node in group.nodes)
        values = tuple(ids[node] for node in group.nest.nodes) if group.nest else ()
        counts = (step.read, step.written, step.flops, bytes_alive)
        found.append(Launch(nodes, step.operations, *counts, step.source, values, step.phases))
    return found


def temporaries(parts: Sequence[Sequence[Node]], stored: Collection[Node], program: Program) -> list[int]:
    """Bytes of the temporaries that exist while each part runs, from where each is made to its last use."""
    groups = [Group(list(nodes), None) for nodes in parts]
    kept = {node.target.storage for node in stored}
    spans = [(storage, span) for storage, span in lifetimes(groups, (), program).items() if storage in kept]
    return [
        sum(_bytes(storage) for storage, (first, last) in spans if first <= k <= last)
        for k in range(len(parts))
    ]


def _walked(view: View) -> int:
    """Bytes of the elements that a view goes over, each counted once however often it is broadcast."""
    pairs = zip(view.layout.shape, view.layout.strides, strict=True)
    return prod(length for length, stride in pairs if stride) * view.storage.dtype.itemsize


def _bytes(storage: Storage) -> int:
    return storage.size * storage.dtype.itemsize


def total(launches: Sequence[Launch], part: str) -> int:
    """Sum of "moved", "read", "written" or "flops"."""
    return sum(getattr(launch, part) for launch in launches)
