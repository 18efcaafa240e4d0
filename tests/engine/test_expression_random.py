"""Random expressions: a tree, its text with as few brackets as precedence allows, and its value by numpy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expression import Instruction, evaluate, parse
from engine.primitives import TABLE

INPUTS = {"x": 0.75, "y": -1.5, "w": 2.0, "a": 3.0, "b": -0.25, "c": 0.5, "σ": 1.25, "x_1": -2.0}


@dataclass(frozen=True)
class Tree:
    """An expression with its text, how tightly it binds (0 comparison … 5 atom), and its value by numpy."""

    text: str
    level: int
    value: Any


def _where(condition: Any, p: Any, q: Any) -> Any:
    return p if condition != 0 else q


def _step(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda p, q: np.float64(compare(p, q))


NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power,
    "neg": np.negative, "abs": np.abs, "sqrt": np.sqrt, "square": np.square, "sign": np.sign,
    "exp": np.exp, "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "maximum": np.maximum, "where": _where,
    "lt": _step(np.less), "le": _step(np.less_equal), "gt": _step(np.greater),
    "ge": _step(np.greater_equal), "eq": _step(np.equal), "ne": _step(np.not_equal),
}  # fmt: skip
CORRECTLY_ROUNDED = (
    "add", "sub", "mul", "div", "neg", "abs", "sqrt", "square", "where", "lt", "le", "gt", "ge", "eq", "ne",
)  # fmt: skip
BINARY = {  # operator: name, level, least level of the left and of the right operand
    "+": ("add", 1, 1, 2), "-": ("sub", 1, 1, 2), "*": ("mul", 2, 2, 3), "/": ("div", 2, 2, 3),
    "**": ("pow", 4, 5, 3), "<": ("lt", 0, 1, 1), "<=": ("le", 0, 1, 1), ">": ("gt", 0, 1, 1),
    ">=": ("ge", 0, 1, 1), "==": ("eq", 0, 1, 1), "!=": ("ne", 0, 1, 1),
}  # fmt: skip


quiet = np.errstate(all="ignore")  # NaN and infinity are results here, not warnings


def bracketed(tree: Tree, least: int) -> str:
    return tree.text if tree.level >= least else f"({tree.text})"


def random_trees(names: tuple[str, ...]) -> st.SearchStrategy[Tree]:
    """Expressions with the functions named."""
    variables = st.sampled_from(sorted(INPUTS)).map(lambda name: Tree(name, 5, np.float64(INPUTS[name])))
    positive = st.floats(0.0, 1e3, allow_subnormal=False)
    numbers = positive.map(lambda number: Tree(repr(number), 5, np.float64(number)))
    operators = [operator for operator, row in BINARY.items() if row[0] in names]
    calls = [name for name in names if name not in {row[0] for row in BINARY.values()} | {"neg"}]

    def grow(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        @quiet
        def binary(operator: str, left: Tree, right: Tree, space: str) -> Tree:
            name, level, least_left, least_right = BINARY[operator]
            text = f"{bracketed(left, least_left)}{space}{operator}{space}{bracketed(right, least_right)}"
            return Tree(text, level, NUMPY[name](left.value, right.value))

        @quiet
        def call(name: str, operands: list[Tree]) -> Tree:
            operands = operands[: TABLE[name].arity]
            text = f"{name}({', '.join(operand.text for operand in operands)})"
            return Tree(text, 5, NUMPY[name](*(operand.value for operand in operands)))

        return st.one_of(
            st.builds(binary, st.sampled_from(operators), trees, trees, st.sampled_from(["", " "])),
            trees.map(lambda tree: Tree(f"-{bracketed(tree, 3)}", 3, -tree.value)),
            trees.map(lambda tree: Tree(f"( {tree.text} )", 5, tree.value)),
            st.builds(call, st.sampled_from(calls), st.lists(trees, min_size=3, max_size=3)),
        )

    return grow(grow(grow(st.recursive(variables | numbers, grow, max_leaves=20))))


def leaf_value(instruction: Instruction) -> Any:
    if instruction.value is not None:
        return np.float64(instruction.value)
    return np.float64(INPUTS[str(instruction.name)])


def same(found: float, expected: float) -> bool:
    return found == expected or (math.isnan(found) and math.isnan(expected))


ANY_TREE = random_trees(tuple(NUMPY))
EXACT_TREE = random_trees(CORRECTLY_ROUNDED)


@settings(max_examples=300)
@given(tree=ANY_TREE)
@quiet
def test_random_expressions_are_read_as_the_tree_they_were_written_from(tree: Tree) -> None:
    values = evaluate(parse(tree.text), leaf_value, NUMPY)
    assert same(values[-1], tree.value)


@settings(max_examples=300)
@given(tree=EXACT_TREE)
def test_random_expressions_of_the_engine_agree_with_numpy(tree: Tree) -> None:
    """Over the operators that IEEE 754 rounds correctly, so that nothing hides behind a tolerance."""
    values = evaluate(parse(tree.text), lambda leaf: float(leaf_value(leaf)), TABLE)
    assert same(values[-1], float(tree.value))


@settings(max_examples=200)
@given(tree=ANY_TREE)
@quiet
def test_the_text_at_a_span_is_the_expression_it_belongs_to(tree: Tree) -> None:
    definitions = ["é = 3  # λ", "  μμ = é*2"]
    lines = [*definitions, f"\tμμ + {tree.text}"]
    program = parse("\n".join(lines))
    values = evaluate(program, leaf_value, NUMPY)
    for instruction, value in zip(program.instructions, values, strict=True):
        span = instruction.span
        piece = lines[span.line - 1][span.start : span.end]
        if instruction.operation == "input":
            assert piece == instruction.name
        if span.line > 1:
            again = parse("\n".join([*definitions[: span.line - 1], piece]))
            assert same(evaluate(again, leaf_value, NUMPY)[again.outputs[0]], value)
