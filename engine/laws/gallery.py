"""Laws to begin with: those of algebra, of functions, of vectors and of derivatives.

Each says in which numbers it is worth trying; what becomes of it there is for the hunt to find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.laws.domains import DomainName


@dataclass(frozen=True)
class GalleryLaw:
    """`operator` is what f stands for in the text, "" where there is no f."""

    text: str
    domain: DomainName = "finite"
    operator: str = ""
    domains: Mapping[str, DomainName] = field(default_factory=dict)
    format: Literal["float32", "float64"] = "float32"


UP_TO_1000: DomainName = "|x| ≤ 1000"

GALLERY: dict[str, dict[str, GalleryLaw]] = {
    "Algebra": {
        "associativity": GalleryLaw("f(f(a, b), c) == f(a, f(b, c))", operator="a + b"),
        "commutativity": GalleryLaw("f(a, b) == f(b, a)", "any float", "a + b"),
        "distributivity": GalleryLaw("a*(b + c) == a*b + a*c", UP_TO_1000),
        "identity": GalleryLaw("x + 0 == x", "any float"),
        "cancellation": GalleryLaw("(a + b) - b == a"),
        "idempotence": GalleryLaw("f(a, a) == a", "any float", "max"),
        "x − x = 0": GalleryLaw("x - x == 0"),
        "−(−x) = x": GalleryLaw("-(-x) == x", "any float"),
        "Sterbenz": GalleryLaw(
            "x = y*(1 + t)  # between y and 2y: the difference is exact\n(x - y) + y == x",
            "positive",
            domains={"t": "0 to 1"},
        ),
        "binomial": GalleryLaw("(a + b)**2 == a**2 + 2*a*b + b**2", UP_TO_1000),
        "a mean lies between": GalleryLaw("when a <= b\na <= (a + b)/2"),
        "0.1 + 0.2 = 0.3": GalleryLaw("0.1 + 0.2 == 0.3", format="float64"),
    },
    "Inverses": {
        "exp and log": GalleryLaw("exp(log(x)) == x", "positive"),
        "log and exp": GalleryLaw("log(exp(x)) == x", UP_TO_1000),
        "division": GalleryLaw("(x/y)*y == x", "positive"),
        "reciprocal": GalleryLaw("1/(1/x) == x", "positive"),
        "square root": GalleryLaw("sqrt(x)**2 == x", "positive"),
        "root of a square": GalleryLaw("sqrt(x**2) == abs(x)", UP_TO_1000),
    },
    "Functions": {
        "even": GalleryLaw("cos(-x) == cos(x)", UP_TO_1000),
        "odd": GalleryLaw("tanh(-x) == -tanh(x)", "any float"),
        "sigmoid(−x) = 1 − sigmoid(x)": GalleryLaw("sigmoid(-x) == 1 - sigmoid(x)", UP_TO_1000),
        "tanh by sigmoid": GalleryLaw("tanh(x) == 2*sigmoid(2*x) - 1", UP_TO_1000),
        "tanh of a sum": GalleryLaw("tanh(a + b) == (tanh(a) + tanh(b))/(1 + tanh(a)*tanh(b))", "|x| ≤ 10"),
        "monotonic": GalleryLaw("when x <= y\nf(x) <= f(y)", UP_TO_1000, "sigmoid(a)"),
        "relu splits": GalleryLaw("relu(x) - relu(-x) == x", "any float"),
        "relu is idempotent": GalleryLaw("relu(relu(x)) == relu(x)", "any float"),
        "exp of a sum": GalleryLaw("exp(a + b) == exp(a)*exp(b)", UP_TO_1000),
        "sin² + cos² = 1": GalleryLaw("sin(x)**2 + cos(x)**2 == 1", UP_TO_1000),
        "softplus is above relu": GalleryLaw("softplus(x) > relu(x)", UP_TO_1000),
    },
    "Vectors": {
        "softmax sums to 1": GalleryLaw("vector x\nsum(softmax(x)) == 1", UP_TO_1000),
        "softmax forgets a shift": GalleryLaw("vector x\nsoftmax(x + c) == softmax(x)", UP_TO_1000),
        "naive softmax": GalleryLaw("vector x\nexp(x)/sum(exp(x)) == softmax(x)", UP_TO_1000),
        "logsumexp ≥ max": GalleryLaw("vector x\nlogsumexp(x) >= max(x)", UP_TO_1000),
        "logsumexp ≤ max + log n": GalleryLaw("vector x\nlogsumexp(x) <= max(x) + log(len(x))", UP_TO_1000),
        "order of a sum": GalleryLaw("vector x\nsum(x) == sum(reverse(x))", UP_TO_1000),
        "pairwise sum": GalleryLaw("vector x\nsum(x) == pairwise(x)", UP_TO_1000),
        "Cauchy–Schwarz": GalleryLaw("vector x, y\ndot(x, y)**2 <= dot(x, x)*dot(y, y)", UP_TO_1000),
    },
    "Derivatives": {
        "product rule": GalleryLaw(
            "f(x) = sin(x)\ng(x) = exp(x)\nD(f(x)*g(x), x) == D(f(x), x)*g(x) + f(x)*D(g(x), x)", UP_TO_1000
        ),
        "quotient rule": GalleryLaw(
            "f(x) = sin(x)\ng(x) = 2 + cos(x)\n"
            "D(f(x)/g(x), x) == (D(f(x), x)*g(x) - f(x)*D(g(x), x))/g(x)**2",
            UP_TO_1000,
        ),
        "chain rule": GalleryLaw("u = x**2 + 1\nD(sqrt(u), x) == D(sqrt(u), u)*D(u, x)", UP_TO_1000),
        "vjp is linear": GalleryLaw(
            "vector x, u, v\nvjp(softmax(x), x, u + v) == vjp(softmax(x), x, u) + vjp(softmax(x), x, v)",
            UP_TO_1000,
        ),
        "⟨Jv, u⟩ = ⟨v, Jᵀu⟩": GalleryLaw(
            "vector x, u, v\ndot(jvp(softmax(x), x, v), u) == dot(v, vjp(softmax(x), x, u))", UP_TO_1000
        ),
        "an even function's slope is odd": GalleryLaw(
            "f(x) = x*tanh(x)\ng(x) = D(f(x), x)\ng(-x) == -g(x)", UP_TO_1000
        ),
        "tanh′ = 1 − tanh²": GalleryLaw("D(tanh(x), x) == 1 - tanh(x)**2", "any float"),
    },
}
