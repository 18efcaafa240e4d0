"""THE table: one row an operator, and everything that is known about it.

From a row come the value, both directions of differentiation, derivatives of any order, the
compiled kernels, the formula on the page, the comparison with torch and the operator's tests.
At kinks the derivative is the subgradient that torch takes, so the two agree for all operands but NaN.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from engine import ieee
from engine.primitive import Operand, Primitive

TABLE: dict[str, Primitive] = {}

SQRT_HALF = math.sqrt(0.5)
INVERSE_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)

# rows that a row above them refers to, declared for the type checker
pow: Primitive
log: Primitive
cos: Primitive
square: Primitive
sign: Primitive
maximum: Primitive
minimum: Primitive
where: Primitive
gt: Primitive
eq: Primitive
ne: Primitive


def row(name: str, function: Callable[..., Any], *partials: Callable[..., Any], **columns: Any) -> Primitive:
    """Add an operator to the table; see `Primitive` for the columns."""
    columns.setdefault("symbol", name)
    columns.setdefault("torch", name)
    TABLE[name] = Primitive(name, function, partials, **columns)
    return TABLE[name]


def comparison(name: str, function: Callable[..., Any], python: str, latex: str, symbol: str) -> Primitive:
    """A row that gives 1.0 for true and 0.0 for false; flat wherever it has a derivative."""
    return row(
        name,
        lambda a, b: float(function(a, b)),
        lambda a, b, y: 0.0,
        lambda a, b, y: 0.0,
        result="bool",
        latex=f"[{{a:1}} {latex} {{b:1}}]",
        symbol=symbol,
        source=f"(1.0 if {{a}} {python} {{b}} else 0.0)",
        note="1 where true, 0 where false; a step, so its derivative is 0",
    )


def choose(condition: Any, a: Any, b: Any) -> Any:
    """`where`, decided at once if the condition is a plain number: then nothing needs recording."""
    return where(condition, a, b) if isinstance(condition, Operand) else a if condition else b


# fmt: off
# ---- arithmetic ----  name, y = f(a, b), ∂y/∂a, ∂y/∂b, notation
add = row("add", operator.add, lambda a, b, y: 1.0, lambda a, b, y: 1.0,
          result="same", latex="{a:1} + {b:2}", level=1, symbol="+", source="({a} + {b})")
sub = row("sub", operator.sub, lambda a, b, y: 1.0, lambda a, b, y: -1.0,
          result="same", latex="{a:1} - {b:2}", level=1, symbol="−", source="({a} - {b})")
mul = row("mul", operator.mul, lambda a, b, y: b, lambda a, b, y: a,
          result="same", latex=r"{a:2} \cdot {b:2}", level=2, symbol="×", source="({a} * {b})")
div = row("div", operator.truediv, lambda a, b, y: 1.0 / b, lambda a, b, y: -(y / b),
          latex=r"\frac{{{a:0}}}{{{b:0}}}", symbol="÷", source="({a} / {b})",
          note="b = 0 gives ±∞, and 0/0 is NaN")
neg = row("neg", operator.neg, lambda a, y: -1.0,
          result="same", latex="-{a:2}", level=1, symbol="−", source="(-{a})")
pow = row("pow", ieee.power,
          # the inner choice keeps 0·∞ out of derivatives of higher order at a = 0
          lambda a, b, y: choose(b == 0.0, 0.0, b * pow(a, choose(b == 0.0, 0.0, b - 1.0))),
          lambda a, b, y: choose((a == 0.0) * (b >= 0.0), 0.0, y * log(a)),
          result="same", latex="{a:4}^{{{b:0}}}", level=3, symbol="aᵇ", source="math.pow({a}, {b})",
          partials_latex=(r"b \cdot a^{b - 1}", r"y \cdot \ln(a)"),
          note="a < 0 with a fractional exponent is NaN; with respect to b the base must be positive")

# ---- functions of one operand
exp = row("exp", ieee.exp, lambda a, y: y,
          latex="e^{{{a:0}}}", level=3, symbol="exp", source="math.exp({a})",
          note="above 709.78 the result overflows to ∞")
log = row("log", ieee.log, lambda a, y: 1.0 / a,
          latex=r"\ln({a:0})", symbol="log", source="math.log({a})",
          note="log(0) = −∞; NaN below 0")
sqrt = row("sqrt", ieee.sqrt, lambda a, y: 0.5 / y,
           latex=r"\sqrt{{{a:0}}}", symbol="√", source="math.sqrt({a})",
           note="infinite slope at 0; NaN below 0")
sin = row("sin", ieee.sin, lambda a, y: cos(a), latex=r"\sin({a:0})", source="math.sin({a})")
cos = row("cos", ieee.cos, lambda a, y: -sin(a), latex=r"\cos({a:0})", source="math.cos({a})")
tanh = row("tanh", math.tanh, lambda a, y: 1.0 - square(y),
           latex=r"\tanh({a:0})", source="math.tanh({a})",
           note="saturates: beyond |a| = 19.06 the result is exactly ±1 and the derivative 0")
log1p = row("log1p", ieee.log1p, lambda a, y: 1.0 / (1.0 + a),
            latex=r"\operatorname{{log1p}}({a:0})", source="math.log1p({a})",
            note="log(1 + a) without losing small a; −∞ at −1, NaN below")
expm1 = row("expm1", ieee.expm1, lambda a, y: y + 1.0,
            latex=r"\operatorname{{expm1}}({a:0})", source="math.expm1({a})",
            note="exp(a) − 1 without losing small a")
erf = row("erf", math.erf, lambda a, y: 2.0 / math.sqrt(math.pi) * exp(-square(a)),
          latex=r"\operatorname{{erf}}({a:0})", source="math.erf({a})",
          note="2/√π times the integral of exp(−t²) from 0 to a")
abs = row("abs", operator.abs, lambda a, y: sign(a),
          result="same", latex="|{a:0}|", symbol="|a|", source="abs({a})",
          note="kink at 0, where the derivative is taken as 0")
sign = row("sign", ieee.sign, lambda a, y: 0.0,
           result="same", latex=r"\operatorname{{sign}}({a:0})",
           source="(1.0 if {a} > 0.0 else -1.0 if {a} < 0.0 else {a})",
           note="a step at 0: the derivative is 0 elsewhere, and taken as 0 there")

# ---- made of the ones above, in the form that neither overflows nor cancels
relu = row("relu", lambda a: maximum(a, 0.0), lambda a, y: gt(a, 0.0),
           result="same", latex=r"\operatorname{{relu}}({a:0})", torch="relu",
           note="kink at 0, where the derivative is taken as 0")
sigmoid = row("sigmoid", lambda a: exp(minimum(a, 0.0)) / (1.0 + exp(-abs(a))), lambda a, y: y * (1.0 - y),
              latex=r"\sigma({a:0})", symbol="σ",
              note="1/(1 + exp(−a)), computed so that exp never overflows")
softplus = row("softplus", lambda a: maximum(a, 0.0) + log1p(exp(-abs(a))), lambda a, y: sigmoid(a),
               latex=r"\operatorname{{softplus}}({a:0})",
               torch="nn.functional.softplus",
               torch_options={"threshold": 30.0},  # above it torch returns a, which is exact there
               note="log(1 + exp(a)), computed so that exp never overflows")
gelu = row("gelu", lambda a: 0.5 * a * (1.0 + erf(a * SQRT_HALF)),
           lambda a, y: 0.5 * (1.0 + erf(a * SQRT_HALF)) + a * exp(-0.5 * square(a)) * INVERSE_SQRT_2PI,
           latex=r"\operatorname{{gelu}}({a:0})", torch="nn.functional.gelu",
           note="a·Φ(a) with the exact normal distribution, not the tanh approximation")
square = row("square", lambda a: a * a, lambda a, y: 2.0 * a,
             result="same", latex="{a:4}^2", level=3, symbol="a²")
inverse = row("inverse", lambda a: 1.0 / a, lambda a, y: -square(y),
              latex=r"\frac{{1}}{{{a:0}}}", symbol="1/a", torch="reciprocal",
              note="±∞ at ±0")

# ---- choices
maximum = row("maximum", ieee.maximum,
              lambda a, b, y: (a > b) + 0.5 * (a == b), lambda a, b, y: (b > a) + 0.5 * (a == b),
              result="same", latex=r"\max({a:0}, {b:0})", symbol="max",
              source="({a} if {a} >= {b} or {a} != {a} else {b})",
              note="where a = b each side gets half of the gradient")
minimum = row("minimum", ieee.minimum,
              lambda a, b, y: (a < b) + 0.5 * (a == b), lambda a, b, y: (b < a) + 0.5 * (a == b),
              result="same", latex=r"\min({a:0}, {b:0})", symbol="min",
              source="({a} if {a} <= {b} or {a} != {a} else {b})",
              note="where a = b each side gets half of the gradient")
where = row("where", ieee.where,
            lambda c, a, b, y: 0.0, lambda c, a, b, y: ne(c, 0.0), lambda c, a, b, y: eq(c, 0.0),
            result="same", latex=r"\operatorname{{where}}({a:0}, {b:0}, {c:0})",
            source="({b} if {a} != 0.0 else {c})",
            note="the second operand where the first is not 0, else the third")

lt = comparison("lt", operator.lt, "<", "<", "<")
le = comparison("le", operator.le, "<=", r"\le", "≤")
gt = comparison("gt", operator.gt, ">", ">", ">")
ge = comparison("ge", operator.ge, ">=", r"\ge", "≥")
eq = comparison("eq", operator.eq, "==", "=", "=")
ne = comparison("ne", operator.ne, "!=", r"\ne", "≠")
# fmt: on

__all__ = ["TABLE", *TABLE]

DUNDERS = {
    "add": add, "sub": sub, "mul": mul, "truediv": div, "pow": pow, "neg": neg, "abs": abs,
    "lt": lt, "le": le, "gt": gt, "ge": ge, "eq": eq, "ne": ne,
}  # fmt: skip


def _method(primitive: Primitive) -> Callable[..., Any]:
    if primitive.arity == 1:
        return lambda a: a.apply(primitive, (a,))
    if primitive.arity == 2:
        return lambda a, b: a.apply(primitive, (a, b))
    return lambda *operands: operands[0].apply(primitive, operands)


def _reflected(primitive: Primitive) -> Callable[..., Any]:
    return lambda b, a: b.apply(primitive, (a, b))


for _name, _primitive in DUNDERS.items():
    setattr(Operand, f"__{_name}__", _method(_primitive))
    if _name in ("add", "sub", "mul", "truediv", "pow"):
        setattr(Operand, f"__r{_name}__", _reflected(_primitive))
for _name, _primitive in TABLE.items():
    setattr(Operand, _name, _method(_primitive))
Operand.__hash__ = object.__hash__  # type: ignore[method-assign]  # `==` compares values; identity is the key
