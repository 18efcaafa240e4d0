"""The opened node as the payload of the lens: its numbers as matrices, its Jacobians, its formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures.mathml import mathml
from app.figures.player import holes, name_of
from engine.jsonable import encode
from engine.primitive import Primitive
from engine.studies.tensor_autodiff import TensorAutodiffResult
from engine.studies.tensor_autodiff_graph import operator_name, symbol
from engine.studies.tensor_autodiff_node import MOST_ENTRIES, NodeView, OperandView
from engine.symbol import formula_latex, partials_latex

DIGITS = 5
# y, and what goes back to a and b, written ȳ and ā: of the operators that are no rows of the table
FORMULAS: dict[str, tuple[str, ...]] = {
    "matmul": (
        r"y_{i j} = \sum_k a_{i k} \, b_{k j}",
        r"\bar{a} = \bar{y} \, b^{\top}",
        r"\bar{b} = a^{\top} \bar{y}",
    ),
    "convolution": (r"y = a \star b", r"\bar{a} = \bar{y} \star^{\top} b", r"\bar{b} = a \star \bar{y}"),
    "sum": (r"y = \sum a", r"\bar{a} = \operatorname{expand}(\bar{y})"),
    "expand": (r"y = \operatorname{expand}(a)", r"\bar{a} = \sum \bar{y}"),
    "reshape": (r"y = \operatorname{reshape}(a)", r"\bar{a} = \operatorname{reshape}(\bar{y})"),
    "permute": (r"y = \operatorname{permute}(a)", r"\bar{a} = \operatorname{permute}^{-1}(\bar{y})"),
    "slice": (r"y = a[\dots]", r"\bar{a} = \operatorname{embed}(\bar{y})"),
    "embed": (r"y = \operatorname{embed}(a)", r"\bar{a} = \bar{y}[\dots]"),
    "take": (r"y = a[\mathrm{rows}]", r"\bar{a}[\mathrm{rows}] \mathrel{+}= \bar{y}"),
    "cumsum": (r"y_i = \sum_{k \le i} a_k", r"\bar{a}_k = \sum_{i \ge k} \bar{y}_i"),
    "extremum": (r"y = \max a", r"\bar{a}_k = \bar{y} \cdot [a_k = y]"),
}
EXACT = {"matmul", "convolution", "sum", "expand", "reshape", "permute", "slice", "take", "cumsum", "cat"}


def lens(result: TensorAutodiffResult, view: NodeView) -> dict[str, Any]:
    """Numbers as flat lists in row-major order; a list is None where it is too long to be drawn."""
    main = view.part.main
    single = view.part.group is None
    primitive: Any = main.tensor.primitive if single else None
    return {
        "node": view.part.id,
        "math": name_of(main.name, main.position),
        "title": view.part.group.title if view.part.group else operator_name(main) or main.kind,
        "symbol": symbol(main) if single else view.part.group.title if view.part.group else "",
        "shape": view.values.shape,
        "values": _flat(view.values),
        "upstream": _flat(view.upstream),
        "formula": _formula(primitive),
        "template": _template(view) if isinstance(primitive, Primitive) else None,
        "additive": primitive is not None and primitive.name in EXACT,
        "operands": [_operand(result, view, each) for each in view.operands],
        "most": MOST_ENTRIES,
    }


def _operand(result: TensorAutodiffResult, view: NodeView, operand: OperandView) -> dict[str, Any]:
    node = result.nodes[operand.node]
    return {
        "node": result.part_of(operand.node).id,
        "math": name_of(node.name, node.position),
        "shape": operand.values.shape,
        "values": _flat(operand.values),
        "sent": _flat(operand.sent),
        "letter": _letter(view, operand),
        "needs": operand.needs_gradient,
        "jacobian": None if operand.jacobian is None else _rounded(operand.jacobian),
        "nonzeros": operand.nonzeros,
        "backward": _backward(view, operand),
    }


def _letter(view: NodeView, operand: OperandView) -> str:
    """What the formulas call an operand; "" for those of a folded group, which has none."""
    return "" if view.part.group else "abc"[min(view.part.main.operands.index(operand.node), 2)]


def _flat(values: NDArray[Any] | None) -> list[Any] | None:
    return None if values is None or values.size > MOST_ENTRIES else _rounded(values)


def _rounded(values: NDArray[Any]) -> list[Any]:
    return [encode(float(f"{value:.{DIGITS}g}")) for value in values.reshape(-1).tolist()]


# ---- formulas


def _formula(primitive: Any) -> str | None:
    if primitive is None:
        return None
    if isinstance(primitive, Primitive):
        return mathml(f"y = {formula_latex(primitive)}")
    return mathml(FORMULAS[primitive.name][0]) if primitive.name in FORMULAS else None


def _backward(view: NodeView, operand: OperandView) -> str | None:
    """What goes back to one operand, as a formula of whole tensors."""
    main = view.part.main
    primitive: Any = main.tensor.primitive if view.part.group is None else None
    if primitive is None or not operand.needs_gradient:
        return None
    slot = main.operands.index(operand.node)
    if isinstance(primitive, Primitive):
        letter = "abc"[slot]
        product = rf"\bar{{y}} \cdot \left({partials_latex(primitive)[slot]}\right)"
        summed = rf"\sum \, {product}" if operand.values.shape != view.values.shape else product
        return mathml(rf"\bar{{{letter}}} = {summed}")
    lines = FORMULAS.get(primitive.name, ())
    return mathml(lines[1 + slot]) if len(lines) > 1 + slot else None


def _template(view: NodeView) -> dict[str, Any] | None:
    """A row of the table with its holes, and for each element of the result which elements fill them."""
    main = view.part.main
    if view.values.size > MOST_ENTRIES:
        return None
    operands = {each.node: k for k, each in enumerate(view.operands)}
    slots: list[dict[str, Any]] = []
    for operand in main.operands:
        if isinstance(operand, float):
            slots.append({"number": encode(operand)})
            continue
        shape = view.operands[operands[operand]].values.shape
        places = np.arange(int(np.prod(shape))).reshape(shape)
        spread = np.broadcast_to(places, view.values.shape)
        slots.append({"operand": operands[operand], "places": spread.reshape(-1).tolist()})
    primitive: Any = main.tensor.primitive
    return {"formula": holes(formula_latex(primitive)), "slots": slots}
