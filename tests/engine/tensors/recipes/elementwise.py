"""Steps that map elements: the rows of the table, with tensors, numbers and broadcasting; and dtypes."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from tests.engine.tensors.builder import FLOAT, MARGIN, Builder, Condition, Known, Rejected
from tests.engine.tensors.instructions import DTypeName

SMOOTH = ("sin", "cos", "tanh", "erf", "sigmoid", "square", "exp", "expm1")
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
EXACT = ("int64", "bool")


def broadcasts(x: Known, y: Known) -> bool:
    pairs = zip(reversed(x.shape), reversed(y.shape), strict=False)
    return all(n == m or 1 in (n, m) for n, m in pairs)


def partner(b: Builder, x: Known, *conditions: Condition, kinds: Sequence[str] = ("float",)) -> Known:
    """Another operand that broadcasts with x: often of another shape, sometimes x itself."""
    return b.operand(lambda y: broadcasts(x, y), *conditions, kinds=kinds)


def positive(b: Builder, *conditions: Condition) -> Known:
    """An operand above 0.2; made so where there is none."""
    if b.chance(0.4):
        try:
            return b.operand(lambda x: x.low > 0.2, *conditions)
        except Rejected:
            pass
    x = b.operand(*conditions)
    way = b.random.randrange(4)
    if way == 0:
        return b.call("add", b.call("square", x), 0.5, forms="om")
    if way == 1:
        return b.call("add", 0.3, b.call("sigmoid", x), forms="o")
    if way == 2 and x.clear_of(0.0):
        return b.call("add", b.call("abs", x, forms="fmo"), 0.4, forms="om")
    return b.call("exp", b.call("tanh", x))


def apart(x: Known, y: Known) -> bool:
    """Whether no element of x is near the element of y that it meets."""
    if x.kind != "float" and y.kind != "float":
        return True
    return not bool(((x.tensor.double() - y.tensor.double()).abs() < MARGIN).any())


# ---- one operand


def smooth(b: Builder) -> None:
    b.call(b.random.choice(SMOOTH), b.operand(lambda x: x.largest < 4.0))


def negative(b: Builder) -> None:
    b.call("neg", b.operand(kinds=("float", "int64")), forms="fmo")


def with_domain(b: Builder) -> None:
    b.call(b.random.choice(("log", "sqrt", "log1p")), positive(b))


def with_kink(b: Builder) -> None:
    name = b.random.choice(("abs", "relu", "sign"))
    forms = "fmo" if name == "abs" else "fm"
    b.call(name, b.operand(lambda x: x.clear_of(0.0), kinds=("float", "int64")), forms=forms)


def of_integers(b: Builder) -> None:
    """Functions with real results, of integers: these become floating point."""
    b.call(b.random.choice(("sin", "tanh", "sigmoid")), b.operand(lambda x: x.largest < 20, kinds=EXACT))


# ---- two operands


def arithmetic(b: Builder) -> None:
    x = b.operand()
    b.call(b.random.choice(("add", "sub", "mul")), x, partner(b, x), forms="fmo")


def with_number(b: Builder) -> None:
    x = b.operand(kinds=("float", "float", "int64"))
    name = b.random.choice(("add", "sub", "mul"))
    if b.chance(0.4):
        b.call(name, b.number(), x, forms="o")
    else:
        b.call(name, x, b.number(), forms="fmo")


def mixed(b: Builder) -> None:
    """Floating point with integers or booleans, and these with each other."""
    x = b.operand(kinds=("float", *EXACT))
    y = partner(b, x, kinds=EXACT)
    name = b.random.choice(("add", "mul") if x.kind == "bool" or y.kind == "bool" else ("add", "sub", "mul"))
    x, y = b.random.sample((x, y), 2)
    b.call(name, x, y, forms="fmo")


def quotient(b: Builder) -> None:
    way = b.random.randrange(5)
    if way == 4:
        b.call("reciprocal", positive(b))
    elif way == 0:
        b.call("truediv", b.number(), positive(b), forms="o")
    elif way == 1:
        x = b.operand(kinds=("float", "int64"))
        _divide(b, x, b.random.choice((2, 4.0, -1.5, 3)))
    else:
        y = positive(b)
        _divide(b, partner(b, y, kinds=("float", "float", "int64")), y)


def _divide(b: Builder, x: Known, y: object) -> None:
    if b.chance(0.5):
        b.call("truediv", x, y, forms="o")
    else:
        b.call("div", x, y)


def power(b: Builder) -> None:
    way = b.random.randrange(5)
    if way == 0:
        x, exponent = b.operand(lambda x: x.largest < 3.0), b.random.choice((0, 1, 2, 3, 2.0, 3.0))
        b.call("pow", x, exponent, forms="fmo")
    elif way == 1:
        b.call("pow", positive(b), b.random.choice((-1, -2, 0.5, 1.5, -0.3)), forms="fmo")
    elif way == 2:
        b.call("pow", b.random.choice((2, 0.5, 1.7)), b.operand(lambda x: x.largest < 3.0), forms="fo")
    elif way == 3:
        b.call(
            "pow",
            b.operand(lambda x: x.largest <= 5, kinds=("int64",)),
            b.random.choice((1, 2, 3)),
            forms="fmo",
        )
    else:
        x = positive(b)
        b.call("pow", x, partner(b, x, lambda y: y.largest < 3.0), forms="fmo")


def larger_or_smaller(b: Builder) -> None:
    x = b.operand(kinds=("float", "float", "int64"))
    y = partner(b, x, lambda y: apart(x, y), kinds=(x.kind,))
    b.call(b.random.choice(("maximum", "minimum", "max", "min")), x, y)


def comparison(b: Builder) -> None:
    name = b.random.choice(COMPARISONS)
    x = b.operand(kinds=("float", "float", *EXACT))
    if b.chance(0.5):
        number = b.random.choice((0, 1, 0.25))
        if not x.clear_of(number):
            raise Rejected
        if b.chance(0.3):
            b.call(name, number, x, forms="o")
        else:
            b.call(name, x, number, forms="fmo")
    else:
        b.call(name, x, partner(b, x, lambda y: apart(x, y), kinds=("float", *EXACT)), forms="fmo")


# ---- three operands


def condition_for(b: Builder, x: Known) -> Known:
    """A boolean tensor that broadcasts with x."""
    if b.chance(0.6):
        try:
            return partner(b, x, kinds=("bool",))
        except Rejected:
            pass
    if x.kind == "float" and x.clear_of(0.1) and b.chance(0.5):
        return b.call("gt", x, 0.1, forms="o")
    return b.booleans(tuple(n if b.chance(0.7) else 1 for n in x.shape))


def choice(b: Builder) -> None:
    x = b.operand()
    condition = condition_for(b, x)
    way = b.random.randrange(4)
    if way == 0:
        b.call("where", condition, x, b.number(), forms="f")
    elif way == 1:
        b.call("where", condition, b.number(), x, forms="f")
    elif way == 2:
        b.call("where", condition, x, partner(b, x, lambda y: broadcasts(condition, y)), forms="f")
    else:
        b.call("where", x, condition, partner(b, x, lambda y: broadcasts(condition, y)), forms="m")


def masked(b: Builder) -> None:
    x = b.operand(kinds=("float", "float", "int64"))
    value = b.random.choice((0, 1)) if x.kind == "int64" else b.random.choice((0, 0.0, -1.5))
    b.call("masked_fill", x, condition_for(b, x), value)


def limited(b: Builder) -> None:
    x = b.operand(kinds=("float", "float", "int64"))
    low, high = b.random.choice(((-1, 1), (-0.5, 0.75), (0, 3))) if x.kind == "float" else (-1, 2)
    if not x.clear_of(low, high):
        raise Rejected
    way = b.random.randrange(4)
    if way == 0:
        b.call("clamp", x, min=low)
    elif way == 1:
        b.call("clamp", x, only=("max",), max=high)
    elif way == 2:
        b.call("clamp", x, min=low, max=high)
    elif x.kind == "float":
        below = partner(b, x, lambda y: apart(x, y))
        above = b.call("add", below, 1.0, forms="o")
        if not apart(x, above):
            raise Rejected
        b.call("clamp", x, min=below, max=above)


# ---- element types and copies


def conversion(b: Builder) -> None:
    x = b.operand(lambda x: x.numel > 0, kinds=("float", *EXACT))
    way = b.random.randrange(6)
    if way == 0:
        b.call("to", x, FLOAT, forms="m")
    elif way == 1:
        b.call("type_as", x, b.operand(), forms="m")
    elif way == 2:
        b.call("clone", x)
    elif way == 3:
        b.call("contiguous", x, forms="m")
    elif way == 4:
        b.call("detach", x, forms="m")
    else:
        b.call("to", x, b.operand(), forms="m")


def to_exact(b: Builder) -> None:
    """Cut off to integers, or to whether an element is zero; away from where the cut would be ambiguous."""
    x = b.operand(kinds=("float", *EXACT))
    name = b.random.choice(("long", "bool", "to"))
    whole = x.kind == "float" and bool(((x.tensor - torch.round(x.tensor)).abs() < MARGIN).any())
    if whole:
        raise Rejected
    if name == "to":
        b.call("to", x, forms="m", dtype=DTypeName(b.random.choice(("int64", "bool"))))
    else:
        b.call(name, x, forms="m")


RECIPES = {
    smooth: 8,
    negative: 2,
    with_domain: 3,
    with_kink: 3,
    of_integers: 1,
    arithmetic: 10,
    with_number: 5,
    mixed: 3,
    quotient: 4,
    power: 4,
    larger_or_smaller: 2,
    comparison: 3,
    choice: 3,
    masked: 2,
    limited: 3,
    conversion: 3,
    to_exact: 2,
}
