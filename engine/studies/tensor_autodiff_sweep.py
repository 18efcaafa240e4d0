"""The backward pass, written down: what every operand was sent, and what had to be kept for it.

Memory is counted in storages, as it is allocated: a view of a tensor costs nothing, and what two operators
both keep is kept once. Inputs are there anyway, so they are counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.array import Array
from engine.linear import filled
from engine.studies.tensor_autodiff_graph import Part, TensorNode


@dataclass(frozen=True)
class Sent:
    """What a node sends to one operand: `amount` = cotangent · ∂node/∂operand, and the sum it makes there."""

    source: int
    slot: int
    amount: Array
    after: Array


@dataclass(frozen=True)
class Sweep:
    """Reverse mode from the last line. `sent` by node; `gradients` of every node that was reached."""

    output: int
    sent: dict[int, tuple[Sent, ...]]
    gradients: dict[int, Array]


def sweep(nodes: Sequence[TensorNode], output: int) -> Sweep:
    """d(output)/d(node) for every node that the output depends on, each step kept."""
    tensor = nodes[output].tensor
    found: dict[int, Array] = {output: filled(tensor.value, tensor.shape, 1.0, tensor.dtype)}
    sent: dict[int, tuple[Sent, ...]] = {}
    for node in reversed(nodes[: output + 1]):
        if node.tensor.primitive is None or node.position not in found:
            continue
        sent[node.position] = tuple(_send(node, found))
    return Sweep(output, sent, found)


def _send(node: TensorNode, found: dict[int, Array]) -> list[Sent]:
    tensor: Any = node.tensor
    values = tuple(source.value for source in tensor.inputs)
    steps = []
    for slot, (source, operand) in enumerate(zip(tensor.inputs, node.operands, strict=True)):
        if source.requires_grad and isinstance(operand, int):
            amount = tensor.primitive.vjp(slot, found[node.position], values, tensor.value)
            found[operand] = found[operand] + amount if operand in found else amount
            steps.append(Sent(operand, slot, amount, found[operand]))
    return steps


# ---- memory


@dataclass(frozen=True)
class Saved:
    """A storage that the backward pass needs: from step `born`, in which the first node that reads it is
    computed, to step `dies`, in which the last of them has its turn backward (None: it is never freed).

    node    the tensor it was made for; -1 for places that are looked up
    readers  the nodes whose derivative is made of it
    is_input whether it is there anyway, because an input of the program lives in it
    """

    node: int
    bytes: int
    is_input: bool
    readers: tuple[int, ...]
    born: int
    dies: int | None


@dataclass(frozen=True)
class Memory:
    """`saved` by storage; by step, bytes `kept` for the backward pass and bytes of `gradients` around.

    everything  bytes of all results, which is what keeping them to be looked at costs
    """

    saved: tuple[Saved, ...]
    kept: tuple[int, ...]
    gradients: tuple[int, ...]
    inputs: int
    everything: int

    @property
    def peak(self) -> int:
        """The most bytes kept and gradients together, at any step."""
        return max(map(sum, zip(self.kept, self.gradients, strict=True)), default=0)


def memory(nodes: Sequence[TensorNode], found: Sweep, parts: Sequence[Part]) -> Memory:
    """What is alive at each step of the picture: a forward step a part, the seed, then back."""
    forward = {node.position: step for step, part in enumerate(parts) for node in part.members}
    order = backward_order(parts, found)
    back = {
        node.position: len(parts) + 1 + step
        for step, part in enumerate(order)
        for node in part.members
        if node.position in found.sent
    }
    count = len(parts) + 1 + len(order)
    inputs = {
        _storage(node.tensor.value): node.tensor.value for node in nodes if node.kind in ("input", "data")
    }
    saved = tuple(_saved(nodes, set(inputs), forward, back))
    kept = tuple(
        sum(
            each.bytes
            for each in saved
            if not each.is_input and each.born <= step and (each.dies is None or step <= each.dies)
        )
        for step in range(count)
    )
    results = {_storage(node.tensor.value): _bytes(node.tensor.value) for node in nodes}
    held = {key: _bytes(value) for key, value in inputs.items()}
    return Memory(
        saved,
        kept,
        tuple(_gradient_bytes(found, len(parts), order)),
        sum(held.values()),
        sum(size for key, size in results.items() if key not in held),
    )


def backward_order(parts: Sequence[Part], found: Sweep) -> list[Part]:
    """The parts that send something back, in their turn."""
    return [part for part in reversed(parts) if any(node.position in found.sent for node in part.members)]


def _saved(
    nodes: Sequence[TensorNode], inputs: set[int], forward: dict[int, int], back: dict[int, int]
) -> list[Saved]:
    owners: dict[int, int] = {}
    sizes: dict[int, int] = {}
    readers: dict[int, list[int]] = {}
    for node in nodes:
        owners.setdefault(_storage(node.tensor.value), node.position)
    for node in nodes:
        for kept in node.saved:
            array = nodes[kept].tensor.value if isinstance(kept, int) else kept
            sizes[_storage(array)] = _bytes(array)
            turns = readers.setdefault(_storage(array), [])
            if node.position not in turns:
                turns.append(node.position)
    entries = []
    for key, turns in readers.items():
        ends = [back.get(reader) for reader in turns]
        last = None if None in ends else max(end for end in ends if end is not None)
        born = min(forward[reader] for reader in turns)
        entries.append(Saved(owners.get(key, -1), sizes[key], key in inputs, tuple(turns), born, last))
    return entries


def _gradient_bytes(found: Sweep, before: int, order: Sequence[Part]) -> list[int]:
    """Bytes of the gradients that are around after each step: of inputs, and of results not yet passed on."""
    alive: dict[int, Array] = {}
    counts = [0] * before
    alive[found.output] = found.gradients[found.output]
    counts.append(_total(alive))
    for part in order:
        for node in reversed(part.members):
            for each in found.sent.get(node.position, ()):
                alive[each.source] = each.after
            if node.kind == "operator":
                alive.pop(node.position, None)
        counts.append(_total(alive))
    return counts


def _total(alive: dict[int, Array]) -> int:
    return sum({_storage(array): _bytes(array) for array in alive.values()}.values())


def _storage(array: Array) -> int:
    return id(array.storage)


def _bytes(array: Array) -> int:
    """Bytes of the storage an array lies in."""
    whole = array.storage
    return whole.layout.size * whole.dtype.itemsize
