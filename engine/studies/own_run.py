"""Study: what happened in somebody's own training run?

Setup -> run -> Result: a trace that `engine.record()` wrote, by its content; one of its steps as a graph
with values, gradients and a numeric check of every derivative; and its history. What recorded it was the
user's own process: nothing of it is run here.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any

from numpy.typing import NDArray
from pydantic import Field

from engine.studies.own_run_examples import RUNS, example
from engine.studies.own_run_graph import Fold, Part, Picture, picture
from engine.studies.study import Check, Setup, Study
from engine.tracing.diagnosis import Finding, diagnose, verdicts
from engine.tracing.files import TraceFile
from engine.tracing.trace import NumericCheck, Operation, Series, Step, Trace

KEPT = 16  # traces that were opened lately, of all visitors
END = 20_000  # a position of the player that no graph reaches: its last one is shown
ORACLE = "differences of the function"


class OwnRunSetup(Setup):
    """Which trace, and what of it is looked at."""

    trace: str = Field(
        default="healthy",
        max_length=64,
        title="Trace",
        description="An example (healthy, wrong derivative, failed forward), or an opened file's content.",
    )
    graph: int = Field(
        default=0,
        ge=0,
        le=7,
        title="Step",
        description="Which of the recorded graphs: the first, one on the way, the last …",
    )
    fold: Fold = Field(
        default="automatic",
        title="Fold",
        description="Draw calls of modules as one node: as many as is pleasant.",
    )
    toggled: str = Field(
        default="",
        max_length=400,
        title="Unfolded",
        description="Calls that are the other way round than Fold.",
    )
    node: str = Field(
        default="", max_length=12, title="Opened node", description="The node that is inspected."
    )
    step: int = Field(
        default=END,
        ge=0,
        le=END,
        title="Position",
        description="Of the player, at first; the end if it is less.",
    )
    series: str = Field(
        default="", max_length=120, title="Over time", description="The tensor whose histograms are shown."
    )


class _Opened:
    """Traces that were opened in this process, by content; the oldest make room."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, TraceFile] = OrderedDict()
        self._lock = Lock()

    def add(self, file: TraceFile) -> None:
        with self._lock:
            self._files[file.key] = file
            self._files.move_to_end(file.key)
            while len(self._files) > KEPT:
                self._files.popitem(last=False)

    def get(self, key: str) -> TraceFile | None:
        with self._lock:
            return self._files.get(key)


opened = _Opened()


@dataclass(frozen=True)
class OwnRunResult:
    """A trace, and the graph of one of its steps as it is drawn."""

    setup: OwnRunSetup
    file: TraceFile
    step: Step
    picture: Picture

    @property
    def trace(self) -> Trace:
        return self.file.trace

    @cached_property
    def findings(self) -> list[Finding]:
        """What is wrong with the run, or that nothing is."""
        return diagnose(self.trace)

    @cached_property
    def makers(self) -> dict[int, Operation]:
        """By tensor, the operation that made it."""
        return {output: each for each in self.step.operations for output in each.outputs}

    @cached_property
    def opened(self) -> Part | None:
        """The part that is inspected: of this name, or with the tensor of this name in it."""
        name = self.setup.node
        if name[1:].isdecimal() and name[0] == "t":
            name = self.picture.places.get(int(name[1:]), name)
        return next((part for part in self.picture.parts if part.id == name), None)

    @cached_property
    def series(self) -> Series | None:
        """The tensor whose histograms are shown: the chosen one, else the first parameter."""
        every = self.trace.history.series
        chosen = (each for each in every if series_id(each) == self.setup.series)
        return next(chosen, every[0] if every else None)

    def array(self, name: str) -> NDArray[Any] | None:
        """The elements that were kept under this name."""
        return self.file.arrays.get(name) if name else None

    def checks_of(self, part: Part) -> list[NumericCheck]:
        """The derivatives of the operations in a part."""
        made = {id(each): each for each in (self.makers.get(position) for position in part.members) if each}
        return [check for each in made.values() for check in each.checks if check is not None]

    def summary(self) -> Mapping[str, float | int | str]:
        losses = self.trace.history.losses
        counts = verdicts(self.step)
        figures: dict[str, float | int | str] = {
            "recorded with": self.trace.framework,
            "steps": self.trace.count,
        }
        if losses:
            figures |= {"first loss": losses[0][1], "last loss": losses[-1][1]}
        return figures | {
            "graph of step": self.step.number,
            "operations": len(self.step.operations),
            "derivatives that agree": counts["passed"],
            "derivatives that differ": counts["failed"],
            "derivatives undecided": counts["undecided"],
            "loss as a whole": self.step.whole.verdict if self.step.whole else "not checked",
            "diagnosis": "; ".join(finding.text for finding in self.findings),
        }

    def table(self) -> Mapping[str, list[Any]]:
        step = self.step
        made = [self.makers.get(position) for position in range(len(step.tensors))]
        checks = [tensor.check for tensor in step.tensors]
        return {
            "tensor": list(range(len(step.tensors))),
            "name": [tensor.name for tensor in step.tensors],
            "kind": [tensor.kind for tensor in step.tensors],
            "operation": [each.name if each else "" for each in made],
            "place": [each.place if each else "" for each in made],
            "shape": [" × ".join(map(str, tensor.shape)) for tensor in step.tensors],
            "mean": [tensor.value.mean if tensor.value else None for tensor in step.tensors],
            "|value|": [tensor.value.norm if tensor.value else None for tensor in step.tensors],
            "|gradient|": [tensor.gradient.norm if tensor.gradient else None for tensor in step.tensors],
            "check": [check.verdict if check else "" for check in checks],
            "recorded": [check.recorded if check else None for check in checks],
            "by differences": [check.numeric if check else None for check in checks],
        }


def series_id(series: Series) -> str:
    """What a series is called in a link: a parameter and a result may have the same name."""
    return series.name if series.kind == "parameter" else f"out:{series.name}"[:120]


def run(setup: OwnRunSetup) -> OwnRunResult:
    """Look a trace up and lay out one of its steps.

    Raises ValueError where the trace is not here: a file stays in the process that opened it.
    """
    file = _found(setup.trace)
    drawn = _drawn(setup.trace, setup.graph, setup.fold, setup.toggled)
    return OwnRunResult(setup, file, _step(file, setup.graph), drawn)


def _found(name: str) -> TraceFile:
    file = example(name) if name in RUNS else opened.get(name)
    if file is None:
        raise ValueError(
            "the trace of this link is not here: it is named by its content, and the file stays with who "
            "recorded it; open that file again"
        )
    return file


def _step(file: TraceFile, graph: int) -> Step:
    steps = file.trace.steps
    return steps[min(graph, len(steps) - 1)] if steps else Step(number=0, tensors=(), operations=())


@lru_cache(maxsize=64)  # a long graph takes a while, and looking at a node draws the same one
def _drawn(name: str, graph: int, fold: Fold, toggled: str) -> Picture:
    return picture(_step(_found(name), graph), fold, [each for each in toggled.split(",") if each])


def check(result: OwnRunResult) -> list[Check]:
    """The loss as a whole, then every gradient that was held against differences when it was recorded;
    undecided ones say nothing."""
    checks = _checks("L along d, all leaves together", result.step.whole)
    for position, tensor in enumerate(result.step.tensors):
        maker = result.makers.get(position)
        name = tensor.name or (f"{maker.name} (t{position})" if maker else f"t{position}")
        checks += _checks(f"∂L/∂{name} along d", tensor.check)
    return checks


def _checks(name: str, found: NumericCheck | None) -> list[Check]:
    if found is None or found.verdict == "undecided" or found.recorded is None or found.numeric is None:
        return []
    error = math.inf if found.error is None else found.error
    return [Check(name, ORACLE, found.numeric, found.recorded, error, found.tolerance)]


def beginning(key: str, trace: Trace) -> OwnRunSetup:
    """Where to look first: at the step that failed, if one did."""
    return OwnRunSetup(trace=key, graph=max(len(trace.steps) - 1, 0) if trace.failure else 0)


EXAMPLES: dict[str, OwnRunSetup] = {
    "healthy": OwnRunSetup(trace="healthy"),
    "wrong derivative": OwnRunSetup(trace="wrong derivative"),
    "failed forward": OwnRunSetup(trace="failed forward", graph=3),
}


STUDY = Study(
    name="own_run",
    version=1,
    question="What happened in your own training run?",
    setup=OwnRunSetup,
    run=run,
    check=check,
)
