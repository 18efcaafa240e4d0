"""What a visitor of the page on laws chooses, and the gallery as such choices."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from engine.expression import ExpressionError
from engine.laws import Arithmetic, Closeness, Law, by_name, read
from engine.laws.closeness import Measure
from engine.laws.domains import DomainName
from engine.laws.exact import ExactArithmetic
from engine.laws.gallery import GALLERY, GalleryLaw
from engine.laws.trial import Trial
from engine.numbers import FloatFormat
from engine.studies.study import Setup

FormatName = Literal["float32", "float64", "float16", "bfloat16", "exact"]
FORMATS = {"float32": "fp32", "float64": "fp64", "float16": "fp16", "bfloat16": "bf16"}
LONGEST_LINK = 100_000  # the language itself refuses far shorter texts, with a better message


class LawsSetup(Setup):
    """A law, where it is tried, and how hard."""

    law: str = Field(
        default="f(f(a, b), c) == f(a, f(b, c))",
        max_length=LONGEST_LINK,
        title="Law",
        description="Two sides with ==, !=, <, <=, > or >= between. Lines before may say: vector x, y · "
        "when a <= b · f(a, b) = a*b + 1 · s = sum(x). Functions of vectors: sum, pairwise, mean, dot, "
        "softmax, logsumexp, reverse, len, max, min; derivatives: D(y, x), vjp(y, x, u), jvp(y, x, v).",
    )
    operator: str = Field(
        default="a + b",
        max_length=LONGEST_LINK,
        title="f is",
        description="What f stands for in the law: a function of the table, such as max, or an expression in "
        "a and b.",
    )
    format: FormatName = Field(
        default="float32",
        title="Arithmetic",
        description="Every result is rounded to this format; exact: rationals, else 140 digits.",
    )
    domain: DomainName = Field(
        default="finite", title="Numbers", description="What the variables stand for, unless said otherwise."
    )
    domains: dict[str, DomainName] = Field(
        default={}, max_length=32, title="Numbers, by variable", description="Where they differ, by name."
    )
    closeness: Measure = Field(
        default="exactly",
        title="Sides agree",
        description="When the sides count as equal: exactly; a few units in the last place apart; or a small "
        "share of the larger apart. Two NaNs are equal.",
    )
    ulps: int = Field(
        default=1,
        ge=1,
        le=1000,
        title="Units",
        description="In the last place, between the sides.",
    )
    share: float = Field(
        default=1e-6,
        gt=0.0,
        le=0.5,
        title="Share",
        description="Of the larger side, between the sides.",
    )
    examples: int = Field(
        default=500,
        ge=50,
        le=2000,
        title="Examples",
        description="How many are tried before giving up.",
    )
    seed: int = Field(default=0, ge=0, le=999, title="Seed", description="Of the hunt, and of chance.")
    back: int = Field(
        default=0,
        ge=0,
        le=1000,
        title="Steps back",
        description="Which example of the search for a simpler one is shown: 0 the last, 1 the one before…",
    )
    zoom: int = Field(
        default=0,
        ge=-30,
        le=12,
        title="Zoom",
        description="Half the picture's width is two to this power times the number in its middle.",
    )


def read_law(setup: LawsSetup) -> Law:
    """The law of a setup; raises ExpressionError for a text that says none."""
    return read(setup.law, setup.operator)


def trial_of(setup: LawsSetup, law: Law) -> Trial:
    """The law with its numbers and arithmetic; domains of variables that it lacks have no effect."""
    domains = {name: setup.domains.get(name, setup.domain) for name in law.variables}
    if setup.format == "exact":
        return Trial(law, ExactArithmetic(), domains, Closeness())
    target = by_name(FORMATS[setup.format])
    assert isinstance(target, FloatFormat)
    return Trial(law, Arithmetic(target), domains, Closeness(setup.closeness, setup.ulps, setup.share))


def setup_of(entry: GalleryLaw) -> LawsSetup:
    """The gallery's law as it is tried first."""
    return LawsSetup(
        law=entry.text,
        operator=entry.operator or LawsSetup.model_fields["operator"].default,
        domain=entry.domain,
        domains=dict(entry.domains),
        format=entry.format,
    )


EXAMPLES: dict[str, dict[str, LawsSetup]] = {
    section: {name: setup_of(entry) for name, entry in laws.items()} for section, laws in GALLERY.items()
}

OPERATORS = (
    "a + b", "a - b", "a*b", "a/b", "max", "min", "pow", "(a + b)/2", "a + b + a*b", "sqrt(a**2 + b**2)",
    "sigmoid", "tanh", "softplus", "gelu", "a**3", "abs",
)  # fmt: skip
CALLED = re.compile(r"\bf\s*\(")
DEFINED = re.compile(r"^\s*f\s*\([^()]*\)\s*=(?!=)", re.MULTILINE)


def uses_operator(law: str) -> bool:
    """Whether a law's text calls f without saying what it is."""
    return bool(CALLED.search(law)) and not DEFINED.search(law)


def variables_of(setup: LawsSetup) -> dict[str, bool]:
    """The law's variables and whether they are vectors; none while it cannot be read."""
    try:
        return read_law(setup).variables
    except ExpressionError:
        return {}
