"""Random programs of tensor operations, each from a seed; made with torch alone, see `builder`."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from tests.engine.tensors.builder import Builder, Rejected
from tests.engine.tensors.instructions import Program
from tests.engine.tensors.recipes import elementwise, indexing, neural, products, reductions, shapes
from tests.engine.tensors.run import Result

MAX_STEPS = 40
FAMILIES = (elementwise, shapes, reductions, products, indexing, neural)
RECIPES: dict[Callable[[Builder], None], int] = {
    recipe: weight for family in FAMILIES for recipe, weight in family.RECIPES.items()
}
CHOICES = list(RECIPES)
CUMULATED = list(itertools.accumulate(RECIPES.values()))


@dataclass(frozen=True, slots=True)
class Case:
    """A program, and what torch makes of it in float64 and in float32."""

    program: Program
    expected: dict[str, Result]


def random_program(seed: int, max_steps: int = MAX_STEPS) -> Case:
    """A program of up to `max_steps` steps over several leaves; the same one for the same seed.

    Made again until it is worth comparing: steep, flat and badly conditioned programs are not.
    """
    for attempt in itertools.count():
        try:
            return Case(*_candidate(Builder(f"{seed}/{attempt}"), max_steps).finish())
        except Rejected:
            continue
    raise AssertionError("unreachable")


def _candidate(b: Builder, max_steps: int) -> Builder:
    base = [b.random.choice((1, 2, 3, 3, 4, 5)) for _ in range(b.random.randint(1, 3))]
    for _ in range(b.random.randint(2, 4)):
        shape = [n if b.chance(0.75) else 1 for n in base]
        b.leaf(shape[b.random.randint(0, len(base)) if b.chance(0.3) else 0 :])
    size = b.random.randint(4, max_steps)
    while b.steps < size:
        (recipe,) = b.random.choices(CHOICES, cum_weights=CUMULATED)
        try:
            recipe(b)
        except Rejected:
            continue
    return b
