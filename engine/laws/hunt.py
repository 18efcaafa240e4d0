"""The hunt: Hypothesis looks for an example that breaks a law, and then for the simplest one.

Its engine is used without what surrounds a test: no database, no folder, no health checks, and none of the
constants that it would collect from the source of whatever modules are loaded, so that a seed gives the same
hunt anywhere. Random numbers are the hunt's own, and any number of threads may hunt at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from time import monotonic
from typing import Any

Example = Mapping[str, Any]  # variable -> a number, or a tuple of them
ORIGIN = "the law is broken"

_lock = Lock()
_hunting: ContextVar[bool] = ContextVar("hunting", default=False)


class _OverError(KeyboardInterrupt):
    """The hunt was stopped, or its time is up: to Hypothesis, as if somebody had pressed control-C."""


@dataclass(frozen=True)
class Step:
    """An example that breaks the law, and after how many tries it was found."""

    tries: int
    example: Example


@dataclass
class Hunt:
    """What a hunt has tried and found, readable while it goes on.

    tried     examples that the law says something about: up to the first that breaks it, or all
    skipped   examples that miss a condition of the law
    shrinks   further examples, tried in search of a simpler one
    path      the first example that breaks the law, and each simpler one that took its place
    held      the examples tried that do not break it, with those of the search for a simpler one
    end       "complete", "time" (it was up) or "stopped"
    """

    tried: int = 0
    skipped: int = 0
    shrinks: int = 0
    path: list[Step] = field(default_factory=list)
    held: list[Example] = field(default_factory=list)
    end: str = "complete"
    seconds: float = 0.0
    hunts: int = 1  # from how many seeds; this is the one that found the simplest
    simplicity: Any = field(default=None, repr=False)  # Hypothesis' measure of the last example in `path`

    @property
    def found(self) -> Example | None:
        """The simplest example that breaks the law."""
        return self.path[-1].example if self.path else None

    @property
    def calls(self) -> int:
        """How many examples were drawn in all."""
        return self.tried + self.skipped + self.shrinks


Draw = Callable[[Any], Example]
Judge = Callable[[Example], bool | None]  # broken; None where the law says nothing


def hunt(
    draw: Draw,
    judge: Judge,
    *,
    examples: int,
    seed: int,
    seconds: float,
    progress: Hunt | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Hunt:
    """Look for an example that breaks a law, and shrink it.

    draw      makes an example from Hypothesis' choices
    judge     whether an example breaks the law; None if the law says nothing about it
    examples  how many to try before giving up
    seconds   bound on the time of all
    progress  filled in as the hunt goes on, and returned
    """
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis.internal.conjecture.engine import ConjectureRunner
    from hypothesis.internal.conjecture.shrinker import sort_key

    found = progress or Hunt()
    start = monotonic()

    def test(data: Any) -> None:
        found.seconds = monotonic() - start
        if is_stopped():
            found.end = "stopped"
            raise _OverError
        if found.seconds > seconds:
            found.end = "time"
            raise _OverError
        example = draw(data)
        broken = judge(example)
        if broken is None:
            found.skipped += not found.path
            data.mark_invalid()
        if found.path:
            found.shrinks += 1
        else:
            found.tried += 1
        if not broken:
            found.held.append(example)
            return
        key = sort_key(data.nodes)
        if found.simplicity is None or key < found.simplicity:  # as Hypothesis itself decides
            found.simplicity = key
            if not found.path or found.path[-1].example != example:
                found.path.append(Step(found.tried + found.shrinks, example))
        data.mark_interesting(ORIGIN)

    options = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    runner = ConjectureRunner(test, settings=options, random=Random(seed))
    with suppress(_OverError), _without_constants():
        runner.run()
    found.seconds = monotonic() - start
    return found


@contextmanager
def _without_constants() -> Iterator[None]:
    """Hypothesis mixes in constants that it reads, and stores in a folder, from all modules that are loaded.

    Within this block its engine draws none; anybody else who uses it at the same time still gets them.
    """
    from hypothesis.internal.conjecture.providers import HypothesisProvider

    with _lock:
        if not hasattr(HypothesisProvider._maybe_draw_constant, "ordinary"):
            ordinary = HypothesisProvider._maybe_draw_constant

            def draw(self: Any, *arguments: Any, **options: Any) -> Any:
                return None if _hunting.get() else ordinary(self, *arguments, **options)

            draw.ordinary = ordinary  # type: ignore[attr-defined]
            HypothesisProvider._maybe_draw_constant = draw  # type: ignore[method-assign]
    token = _hunting.set(True)
    try:
        yield
    finally:
        _hunting.reset(token)
