"""Random programs of a chosen size, all valid, with values that stay bounded."""

from __future__ import annotations

from random import Random

INPUTS = ("x", "y", "z")
FUNCTIONS = ("tanh", "sin", "cos", "sigmoid")  # bounded, so that no chain of them overflows
SUMS = ("+", "-")
OPERATORS_A_LINE = 4  # two products, their sum, and a function of it


def random_program(random: Random, nodes: int) -> str:
    """A program of about `nodes` graph nodes, at least 7: inputs, then lines that build on each other."""
    lines = [f"{name} = {random.uniform(-2, 2):.3f}" for name in INPUTS]
    names = list(INPUTS)
    count = max(1, round((nodes - len(INPUTS)) / OPERATORS_A_LINE))
    for line in range(count):
        first, second = names[-1], names[-2]  # always used, so no line is idle
        third, fourth = random.choice(names), random.choice(names)
        expression = (
            f"{random.choice(FUNCTIONS)}({first} * {third} {random.choice(SUMS)} {second} * {fourth})"
        )
        last = line == count - 1
        lines.append(expression if last else f"h{line} = {expression}")
        names.append(f"h{line}")
    return "\n".join(lines)
