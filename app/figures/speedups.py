"""Parallel speed-ups: what is asked before it is shown."""

from __future__ import annotations

from engine.studies.speedups import SpeedupsResult
from engine.studies.speedups_plans import SAME

LINE = 64  # bytes of a cache line


def question(result: SpeedupsResult) -> tuple[str, float] | None:
    """What is to be predicted, and the answer: measured where there is a measurement."""
    setup = result.setup
    match setup.experiment:
        case "Speed-up":
            if result.scaling and 2 in result.scaling.same:
                asked = f"How many times as fast is {setup.kernel} on two threads as on one?"
                return asked, result.scaling.same[2].median
            share = setup.serial or 0.1
            asked = f"{share:.0%} of the work is serial. At most how many times as fast can it ever be?"
            return asked, 1 / share
        case "Sizes":
            found = result.crossing(SAME)
            if found and found.measured:
                return "From how many elements on is it worth starting threads?", found.measured
            return None
        case "Loops found":
            assert result.diagnosis is not None
            asked = f"numba finds {len(result.diagnosis.loops)} loops here. How often does it start threads?"
            return asked, result.diagnosis.started
        case "SIMD":
            assert result.loops is not None
            loop = result.loops[1].loop
            asked = "How many float32 does one instruction of the loop work on, with everything allowed?"
            return asked, loop.bits // 32 if loop.computes_with_vectors else 1
        case "False sharing":
            return (
                "Two counters, one for each thread: how many bytes apart are they free of each other?",
                LINE,
            )
    outcomes = result.nodes[0].outcomes
    total = sum(outcomes.values())
    right = outcomes[2 * setup.updates]
    return f"Of {total:,} interleavings, how many count all {2 * setup.updates} updates?", right


def topic(result: SpeedupsResult) -> str:
    """What a prediction is about: another setup is another question."""
    return f"{result.setup.model_copy(update={'order': '', 'spacing': 8, 'at': 2, 'seed': 0})!r}"
