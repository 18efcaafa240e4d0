"""A law, the numbers its variables stand for, and the arithmetic and closeness in which it is tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.laws.arithmetic import Arithmetic
from engine.laws.closeness import Closeness, applies, distance, fails
from engine.laws.domains import Domain, DomainName
from engine.laws.exact import ExactArithmetic
from engine.laws.hunt import Example, Hunt, hunt
from engine.laws.language import LONGEST_VECTOR, Law, Statement

HUNTS = 5  # at most, from seeds of their own; the simplest example that any of them finds is kept
WORK = 40_000  # values computed by all of them together, before which another one sets out
SAMPLE_LENGTH = 3  # of vectors drawn by chance


@dataclass(frozen=True)
class Trial:
    """`domains` has an entry for every variable of the law."""

    law: Law
    arithmetic: Arithmetic | ExactArithmetic
    domains: Mapping[str, DomainName]
    closeness: Closeness

    @cached_property
    def spaces(self) -> dict[str, Domain]:
        """What each variable is drawn from."""
        floats = self.arithmetic if isinstance(self.arithmetic, Arithmetic) else None
        return {name: Domain(domain, floats) for name, domain in self.domains.items()}

    # ---- one example

    def draw(self, source: Any) -> Example:
        """An example as Hypothesis chooses it; all vectors have one length."""
        length = source.draw_integer(1, LONGEST_VECTOR) if self.law.has_vectors else 1
        example: dict[str, Any] = {}
        for name, is_vector in self.law.variables.items():
            domain = self.spaces[name]
            example[name] = (
                tuple(domain.draw(source) for _ in range(length)) if is_vector else domain.draw(source)
            )
        return example

    def evaluate(self, example: Example) -> tuple[Statement, list[Any]]:
        """The law for vectors of this length, and every value of its program (a batch of one)."""
        length = max((len(value) for value in example.values() if isinstance(value, tuple)), default=1)
        statement = self.law.statement(length)
        inputs = {
            part: [value]
            for name, parts in statement.variables.items()
            for part, value in zip(parts, _elements(example[name]), strict=True)
        }
        return statement, self.arithmetic.values(statement.program, inputs)

    def judge(self, example: Example) -> bool | None:
        """Whether an example breaks the law; None if a condition of the law is not met."""
        statement, values = self.evaluate(example)
        if not applies(statement, values)[0]:
            return None
        return bool(fails(self.law, statement, values, self.arithmetic, self.closeness)[0])

    # ---- many

    def hunt(
        self,
        examples: int,
        seed: int,
        seconds: float,
        progress: Hunt | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> Hunt:
        """The hunt with the simplest counter-example; the first hunt where there is none.

        Where the first finds one quickly, others set out from seeds of their own.
        """
        first = hunt(
            self.draw, self.judge, examples=examples, seed=seed, seconds=seconds,
            progress=progress, is_stopped=is_stopped,
        )  # fmt: skip
        size = len(self.law.statement(LONGEST_VECTOR).program.instructions)
        best, hunts, work, seeds = first, 1, size * first.calls, Random(seed)
        left = seconds - first.seconds
        while self._goes_on(best) and hunts < HUNTS and work <= WORK:
            other = hunt(
                self.draw, self.judge, examples=examples, seed=seeds.getrandbits(32), seconds=left,
                is_stopped=is_stopped,
            )  # fmt: skip
            hunts, work, left = hunts + 1, work + size * other.calls, left - other.seconds
            first.hunts = hunts  # it is the one that is watched
            if other.end != "complete":
                best.end = other.end  # had there been time, a simpler example might have been found
            elif other.path and other.simplicity < best.simplicity:
                best = other
        best.hunts = hunts
        return best

    def _goes_on(self, best: Hunt) -> bool:
        return bool(best.path and self.law.variables) and best.end == "complete"

    def sample(self, seed: int, count: int) -> tuple[Statement, dict[str, NDArray[Any]]]:
        """Inputs drawn by chance, for vectors of three."""
        random = np.random.default_rng(seed)
        statement = self.law.statement(SAMPLE_LENGTH)
        inputs = {
            part: self.spaces[name].sample(random, count)
            for name, parts in statement.variables.items()
            for part in parts
        }
        return statement, inputs

    def outcome(
        self, statement: Statement, inputs: Mapping[str, Any]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
        """For a batch: whether the law says anything, whether it fails, how far the sides are apart."""
        values = self.arithmetic.values(statement.program, inputs)
        said = applies(statement, values)
        failing = fails(self.law, statement, values, self.arithmetic, self.closeness)
        return said, said & failing, distance(statement, values, self.arithmetic)


def _elements(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
