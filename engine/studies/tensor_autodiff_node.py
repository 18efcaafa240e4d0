"""One node under the lens: its numbers, the Jacobian of its operator, and the row combination that goes back.

The Jacobian is that of the node's own operator (or, folded, of all operators in it) at its real operands. A
row for each element of the result, a column for each element of the operand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.functional import jacobian
from engine.studies.tensor_autodiff_graph import Part, TensorNode
from engine.studies.tensor_autodiff_sweep import Sweep
from engine.tensor import Tensor

MOST_ENTRIES = 4096  # of one Jacobian
Numbers = NDArray[Any]


@dataclass(frozen=True)
class OperandView:
    """What a part takes from one tensor, and what it sends back there.

    slot      which operand of the part it is, as an edge of the picture
    jacobian  [elements of the result, elements of the operand]; None where it has too many entries, or the
              operand needs no gradient
    sent      what the backward pass sent there, in the operand's shape; None where nothing came
    """

    node: int
    slot: int
    values: Numbers
    needs_gradient: bool
    jacobian: Numbers | None
    sent: Numbers | None

    @property
    def entries(self) -> int:
        """How many entries the Jacobian has, or would have."""
        return 0 if self.jacobian is None else self.jacobian.size

    @property
    def nonzeros(self) -> int:
        """Entries of the Jacobian that are not 0."""
        return 0 if self.jacobian is None else int(np.count_nonzero(self.jacobian))


@dataclass(frozen=True)
class NodeView:
    """A part with all its numbers; `upstream` is d(output)/d(result), None where it was not computed."""

    part: Part
    values: Numbers
    upstream: Numbers | None
    operands: tuple[OperandView, ...]


def look(nodes: Sequence[TensorNode], parts: Sequence[Part], part: Part, found: Sweep) -> NodeView:
    """Everything about one part, for its main result."""
    main = part.main
    inside = {node.position for node in part.members}
    whose = {node.position: each.id for each in parts for node in each.members}
    outside = list(dict.fromkeys(s for node in part.members for s in node.sources if s not in inside))
    blocks = _jacobians(nodes, part, outside)
    upstream = found.gradients.get(main.position)
    return NodeView(
        part,
        numbers(main.tensor.value),
        None if upstream is None else numbers(upstream),
        tuple(
            OperandView(
                source,
                part.operands.index(whose[source]),
                numbers(nodes[source].tensor.value),
                nodes[source].tensor.requires_grad,
                blocks.get(source),
                _sent(part, source, found),
            )
            for source in outside
        ),
    )


def _sent(part: Part, source: int, found: Sweep) -> Numbers | None:
    """The sum of what the members of a part send to one tensor."""
    amounts = [
        numbers(each.amount)
        for node in part.members
        for each in found.sent.get(node.position, ())
        if each.source == source
    ]
    return sum(amounts[1:], amounts[0]) if amounts else None


def _jacobians(nodes: Sequence[TensorNode], part: Part, outside: Sequence[int]) -> dict[int, Numbers]:
    """By operand, for those that need a gradient and whose Jacobian is small enough."""
    result = part.main.tensor
    wanted = [
        source
        for source in outside
        if nodes[source].tensor.requires_grad
        and nodes[source].tensor.numel() * result.numel() <= MOST_ENTRIES
        and part.main.tensor.primitive is not None
    ]
    if not wanted:
        return {}

    def again(*variables: Tensor) -> Tensor:
        return replay(nodes, part, dict(zip(wanted, variables, strict=True)))

    columns = sum(nodes[source].tensor.numel() for source in wanted)
    strategy = "reverse-mode" if result.numel() <= columns else "forward-mode"
    blocks = jacobian(again, tuple(nodes[source].tensor.detach() for source in wanted), strategy)  # type: ignore[arg-type]
    return {
        source: block.numpy().reshape(result.numel(), prod(nodes[source].tensor.shape))
        for source, block in zip(wanted, blocks, strict=True)
    }


def replay(nodes: Sequence[TensorNode], part: Part, replaced: dict[int, Tensor]) -> Tensor:
    """The result of a part, computed again with some of its operands replaced."""
    found: dict[int, Any] = dict(replaced)
    for node in part.members:
        if node.kind != "operator":
            continue
        operands = tuple(
            found.get(operand, nodes[operand].tensor.detach()) if isinstance(operand, int) else operand
            for operand in node.operands
        )
        found[node.position] = Tensor.apply(node.tensor.primitive, operands)
    result: Tensor = found[part.main.position]
    return result


def numbers(array: Any) -> Numbers:
    """An array's elements as numpy's."""
    found: Numbers = np.array(array.numpy())
    return found
