"""Where an expression loses its digits: every operator's rounded result beside the exact one.

Each node is evaluated three times. *Found* is what the format's arithmetic makes of the whole expression.
*Exact* is the true value. *Local* is the operator alone at fault: its arguments are exact but for one
rounding, as if all before it had been done right. A node whose local result has lost many bits is where the
expression should be rewritten (the local error of Herbie: Panchekha, Sanchez-Stern, Wilcox and Tatlock,
"Automatically improving accuracy for floating point expressions", PLDI 2015).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from engine.expression import Instruction, Program
from engine.numbers import Exact, FloatFormat, Rounding
from engine.numbers.exact_operators import Real, apply, exactly, near, rounded_once

GUILTY = 2.0  # bits: an operator that rounds once loses at most log₂ 1.5


@dataclass(frozen=True)
class Node:
    """One instruction of the program, evaluated.

    found  by the format's arithmetic
    own    the operator's exact result on the arguments found, before it is rounded
    local  the operator rounded, on exact arguments that are rounded once
    exact  the true value for the inputs as the format holds them
    """

    index: int
    instruction: Instruction
    found: Exact
    own: Exact
    local: Exact
    exact: Real
    format: FloatFormat

    @property
    def lost(self) -> float:
        """Bits of the exact value that the found one has lost."""
        return bits_lost(self.found, near(self.exact), self.format)

    @property
    def lost_here(self) -> float:
        """Bits that this operator alone would lose."""
        return bits_lost(self.local, near(self.exact), self.format)

    @property
    def own_rounding(self) -> float:
        """The rounding of this one result, in units of its last place; NaN where there is no such unit."""
        if not (isinstance(self.own, Fraction) and isinstance(self.found, Fraction)):
            return math.nan
        return float((self.found - self.own) / self.format.ulp(self.own))


def bits_lost(found: Exact, exact: Exact, target: FloatFormat) -> float:
    """log₂(1 + error in units of the last place), as Herbie counts them; at most the format's precision.

    None are lost where both are the same infinity or both NaN.
    """
    if found == exact or (found != found and exact != exact):
        return 0.0
    if not (isinstance(found, Fraction | int) or found == 0) or not isinstance(exact, Fraction):
        return float(target.precision)
    units = abs(Fraction(found) - exact) / target.ulp(exact)
    return min(math.log2(1 + units) if units < 2**1000 else math.inf, float(target.precision))


def evaluate_tree(
    program: Program, values: Mapping[str, float], target: FloatFormat, mode: Rounding
) -> tuple[Node, ...]:
    """A node for every instruction of the program, with the inputs rounded to the format first.

    Raises NumberError where an exact value cannot be had.
    """
    nodes: list[Node] = []
    for index, instruction in enumerate(program.instructions):
        if instruction.primitive is not None:
            nodes.append(
                _applied(index, instruction, [nodes[i] for i in instruction.arguments], target, mode)
            )
            continue
        is_input = instruction.operation == "input"
        given = values[str(instruction.name)] if is_input else float(instruction.value or 0.0)
        held = target.round(given, mode)
        start = held if is_input else exactly(given)
        nodes.append(Node(index, instruction, held, start, held, start, target))
    return tuple(nodes)


def _applied(
    index: int, instruction: Instruction, arguments: Sequence[Node], target: FloatFormat, mode: Rounding
) -> Node:
    name = str(instruction.primitive)
    own = rounded_once(name, [a.found for a in arguments])
    rounded_truths = [target.round(near(a.exact), mode) for a in arguments]
    local = target.round(rounded_once(name, rounded_truths), mode)
    exact = apply(name, [a.exact for a in arguments])
    return Node(index, instruction, target.round(own, mode), own, local, exact, target)


def ancestors(program: Program, output: int) -> list[int]:
    """The instructions that an output depends on, itself included, in the order of the program."""
    needed, waiting = set(), [output]
    while waiting:
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            waiting += program.instructions[index].arguments
    return sorted(needed)


def guilty(nodes: list[Node]) -> Node | None:
    """The operator that loses most bits by itself; None if none loses more than its own rounding."""
    operators = [node for node in nodes if node.instruction.operation == "apply"]
    worst = max(operators, key=lambda node: node.lost_here, default=None)
    return worst if worst is not None and worst.lost_here >= GUILTY else None
