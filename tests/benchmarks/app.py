"""What one change on the Graph page costs to compute: the study, its checks, and the player's payload."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from random import Random

from app.figures.player import payload
from engine.studies.graph import STUDY, GraphSetup
from tests.benchmarks.machine import Watch
from tests.benchmarks.pairing import interleave
from tests.benchmarks.programs import random_program
from tests.benchmarks.report import Row, publish

SIZES = (10, 60, 150)  # nodes, about
HEIGHT = 600  # pixels


def main() -> None:
    watch = Watch(benchmark=os.getpid())
    timings = interleave({stage: function for size in SIZES for stage, function in stages(size).items()})
    rows = []
    for stage in timings.samples:
        seconds = timings.seconds(stage)
        quartiles = (1000 * seconds.lower, 1000 * seconds.upper)
        rows.append(Row(f"graph page: {stage}", 1000 * seconds.median, "ms", quartiles=quartiles))
    rows += [
        Row(f"graph page: {size} nodes: size of the payload", payload_kilobytes(size), "kB") for size in SIZES
    ]
    publish("Graph page: computing the answer to one change", rows, watch.conditions())


def stages(size: int) -> dict[str, Callable[[], object]]:
    """The parts of the work by name. Every call takes another program, as visitors do."""
    generator = Random(size)

    def setup() -> GraphSetup:
        return GraphSetup(program=random_program(generator, size))

    fixed = STUDY.run(setup())
    checks = STUDY.check(fixed)

    def draw() -> object:
        result = STUDY.run(setup())
        return payload(result, (), HEIGHT, False)

    return {
        f"{size} nodes: parse, run and differentiate": lambda: STUDY.run(setup()),
        f"{size} nodes: the same, laid out and made into a payload": draw,
        f"{size} nodes: checks against torch": lambda: STUDY.check(fixed),
        f"{size} nodes: payload of a known layout, as JSON": lambda: json.dumps(
            payload(fixed, checks, HEIGHT, False)
        ),
    }


def payload_kilobytes(size: int) -> float:
    result = STUDY.run(GraphSetup(program=random_program(Random(size), size)))
    return len(json.dumps(payload(result, STUDY.check(result), HEIGHT, False))) / 1000


if __name__ == "__main__":
    main()
