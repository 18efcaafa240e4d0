"""Study: what is a view? How shape, strides and offset make a tensor out of a flat storage.

Setup -> run -> Result: a chain of views is read and taken step by step; or shape, strides and offset are
set outright. Every step says what it did to the layout, whether it copied, and what a walk costs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from engine.agreement import difference
from engine.studies.study import Check, Setup, Study
from engine.studies.view_chain import MAX_CALLS, Call, parse_chain
from engine.studies.view_clinic import ViewDiagnosis, ViewFix, diagnose_view, view_fixes, view_target
from engine.studies.view_oracles import Replay, Replayed, numpy_replay, torch_replay
from engine.studies.view_steps import MAX_ELEMENTS, OUTSIDE, Bounds, Refusal, Step, bounds, start, take

LONGEST_LIST = 200  # characters of a typed list of numbers
LONGEST_TEXT = 100_000  # of any field; what is longer than it may be is refused later, with a better message
FARTHEST = 10**6  # the largest offset that can be asked for
SPOILT = 5  # every so many elements of "random with NaN" is not a number

Contents = Literal["positions", "random", "random with NaN"]


class StridesSetup(Setup):
    """The tensor x, and a view of it: as a chain of steps, or as shape, strides and offset."""

    shape: str = Field(
        default="6, 8",
        max_length=LONGEST_TEXT,
        title="Shape of x",
        description=f"Whole numbers with commas, at most 6, {MAX_ELEMENTS:,} elements in all.",
    )
    edit: Literal["chain", "strides"] = Field(
        default="chain",
        title="Make a view by",
        description="Chain: steps such as transpose and slices. Strides: set the numbers themselves.",
    )
    chain: str = Field(
        default="x.transpose(0, 1)[::2].reshape(6, 4)",
        max_length=LONGEST_TEXT,
        title="Chain",
        description="Steps from x on: permute, slices, view, expand, flip, squeeze, as_strided …",
    )
    size: str = Field(
        default="8, 6",
        max_length=LONGEST_TEXT,
        title="Shape of the view",
        description="When strides are set: lengths of the view.",
    )
    stride: str = Field(
        default="1, 8",
        max_length=LONGEST_TEXT,
        title="Strides",
        description="When strides are set: one for each length; 0 and negative ones too.",
    )
    offset: int = Field(
        default=0,
        ge=-FARTHEST,
        le=FARTHEST,
        title="Offset",
        description="When strides are set: position in storage of the first element.",
    )
    break_it: bool = Field(
        default=False,
        title="Break it",
        description="Let strides and offset leave the storage, and see which elements fall outside.",
    )
    contents: Contents = Field(
        default="positions",
        title="Numbers in x",
        description="Positions: slot k of x's storage holds k. Random: normally distributed.",
    )
    seed: int = Field(default=0, ge=0, le=999, title="Seed", description="Of the random numbers.")
    step: int = Field(
        default=MAX_CALLS, ge=0, le=MAX_CALLS, title="Step", description="The step on show, at most the last."
    )
    axes: str = Field(
        default="",
        max_length=6,
        pattern="^[prc]*$",
        title="Axes",
        description="Where each dimension of the view is drawn: p panels, r rows, c columns.",
    )


@dataclass(frozen=True)
class StridesResult:
    """The steps that could be taken, and the one that could not.

    values     float32: the numbers of x by element; a step's cells show values[step.elements]
    diagnosis  for a refused `view`: the dimension and the stride condition; `fixes` were run
    """

    setup: StridesSetup
    calls: tuple[Call, ...]
    steps: tuple[Step, ...]
    refusal: Refusal | None
    values: NDArray[np.float32]
    diagnosis: ViewDiagnosis | None
    fixes: tuple[ViewFix, ...]

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def shown(self) -> int:
        """Which step is on show."""
        return min(self.setup.step, len(self.steps) - 1)

    @property
    def bounds(self) -> Bounds:
        """How far each number of the last view may go."""
        return bounds(self.last.layout, self.last.offset, len(self.last.storage))

    @property
    def memory(self) -> str:
        """Where the elements of the last step are."""
        if not self.last.is_legal:
            return "partly outside the storage"
        return "a copy" if self.last.memory else "a view of x" if self.calls else "x itself"

    def summary(self) -> Mapping[str, float | int | str]:
        last = self.last
        figures: dict[str, float | int | str] = {
            "shape": written(last.shape),
            "strides": written(last.strides),
            "offset": last.offset,
            "memory": self.memory,
            "contiguous": "yes" if last.layout.is_contiguous else "no",
            "cache lines it lies in": last.lines,
            "cache-line changes on a row-major walk": last.line_changes,
            "elements outside the storage": int((last.elements == OUTSIDE).sum()),
        }
        if self.refusal:
            figures |= {"refused": self.refusal.call.text, "because": why_refused(self)}
        return figures

    def table(self) -> Mapping[str, Sequence[Any]]:
        """One row an element of the last view, in row-major order."""
        last = self.last
        indices = np.indices(last.shape).reshape(len(last.shape), -1)
        columns: dict[str, Any] = {f"index {d}": indices[d] for d in range(len(last.shape))}
        elements = last.elements.reshape(-1)
        numbers = np.append(self.values.astype(np.float64), np.nan)  # OUTSIDE is the last place
        return columns | {"position": last.positions.reshape(-1), "value": numbers[elements]}


def written(numbers: Sequence[int]) -> str:
    """A shape or strides as torch prints them."""
    return f"({', '.join(map(str, numbers))}{',' if len(numbers) == 1 else ''})"


def why_refused(result: StridesResult) -> str:
    """Why the refused call cannot be made, in our words; "" where none was."""
    if result.diagnosis:
        return str(result.diagnosis)
    return result.refusal.message if result.refusal else ""


def run(setup: StridesSetup) -> StridesResult:
    """Take the chain, or set the strides.

    Raises ExpressionError for a chain that cannot be read, and ValueError for numbers that cannot be a
    shape, strides or, without `break_it`, a view. A step that is refused is part of the result.
    """
    first = start(numbers("shape of x", setup.shape))
    calls = parse_chain(setup.chain) if setup.edit == "chain" else (_strided(setup),)
    steps, refusal = take(first, calls, setup.break_it)
    if refusal and setup.edit == "strides":
        raise ValueError(refusal.message)
    target = view_target(refusal.source, refusal.call) if refusal else None
    diagnosis = diagnose_view(refusal.source.layout, target) if refusal and target is not None else None
    fixes = tuple(view_fixes(refusal.source, refusal.call)) if refusal else ()
    return StridesResult(setup, calls, steps, refusal, contents(setup, first), diagnosis, fixes)


def _strided(setup: StridesSetup) -> Call:
    """The numbers of the setup as the call that sets them."""
    size, stride = numbers("shape of the view", setup.size), numbers("strides", setup.stride)
    text = f".as_strided({written(size)}, {written(stride)}, {setup.offset})"
    return Call(text, "as_strided", (size, stride, setup.offset), (), 0, len(text))


def contents(setup: StridesSetup, first: Step) -> NDArray[np.float32]:
    """float32: the numbers of x, in the order of its storage."""
    count = len(first.storage)
    if setup.contents == "positions":
        return np.arange(count, dtype=np.float32)
    drawn = np.random.default_rng(setup.seed).standard_normal(count).astype(np.float32)
    if setup.contents == "random with NaN":
        drawn[SPOILT - 1 :: SPOILT] = np.nan
    return drawn


def numbers(what: str, text: str) -> tuple[int, ...]:
    """Whole numbers with commas between, brackets allowed. Raises ValueError that quotes what is not one."""
    if len(text) > LONGEST_LIST:
        raise ValueError(f"{what}: the text has {len(text):,} characters, at most {LONGEST_LIST} are read")
    inside = re.sub(r"^[(\[](.*)[)\]]$", r"\1", text.strip())
    found = []
    for word in filter(None, (word.strip() for word in inside.split(","))):
        if not re.fullmatch(r"[+\-−]?[0-9]{1,10}", word):
            raise ValueError(f"{what}: “{word[:20]}” is not a whole number; write for example 3, 4")
        found.append(int(word.replace("−", "-")))
    return tuple(found)


# ---- the oracles


def check(result: StridesResult) -> list[Check]:
    """Every step against torch and numpy: elements, strides, offset, contiguity, and who shares memory.

    A step that is refused, or leaves the storage, must be refused by torch as well.
    """
    shape, taken = result.steps[0].shape, sum(step.is_legal for step in result.steps[1:])
    by_torch, by_numpy = (replay(shape, result.calls[:taken]) for replay in (torch_replay, numpy_replay))
    checks = [*_compare(result, by_torch), *_compare(result, by_numpy)]
    forbidden = not result.last.is_legal or (result.refusal is not None and not result.refusal.is_limit)
    if forbidden and by_torch.refusal is None:  # it followed as far as the step in question
        agrees = torch_replay(shape, result.calls[: taken + 1]).refusal is not None
        name = f"{result.calls[taken].text}: refused"
        checks.append(_check(name, by_torch.oracle, float(agrees), 1.0))
    return checks


def _compare(result: StridesResult, replay: Replay) -> Iterator[Check]:
    for step, other in zip(result.steps[1:], replay.steps[1:], strict=False):
        for name, expected, found in _figures(step, other):
            yield _check(f"{step.text}: {name}", replay.oracle, expected, found)


def _check(name: str, oracle: str, expected: float, found: float) -> Check:
    return Check(name, oracle, expected, found, difference(found, expected), 0.0)


def _figures(step: Step, other: Replayed) -> Iterator[tuple[str, float, float]]:
    """(name, what the oracle has, what the step has)."""
    same = step.shape == other.elements.shape
    differing = int((step.elements != other.elements).sum()) if same else step.layout.size
    yield "elements that differ", 0.0, float(differing)
    if other.strides is None or other.offset is None:
        return
    walked = [d for d, length in enumerate(step.shape) if length > 1] if step.layout.size else []
    for d in walked:
        yield f"stride {d}", float(other.strides[d]), float(step.strides[d])
    if step.layout.size:
        yield "offset", float(other.offset), float(step.offset)
    if other.shares is not None:
        yield "shares memory", float(other.shares), float(step.is_view)
    yield "contiguous", float(other.is_contiguous), float(step.layout.is_contiguous)


def torch_refusal(result: StridesResult) -> str:
    """What torch itself says to the step that is refused; "" where it takes all of them."""
    return torch_replay(result.steps[0].shape, result.calls).refusal or ""


EXAMPLES: dict[str, StridesSetup] = {
    "view, view, copy": StridesSetup(),
    "transpose": StridesSetup(chain="x.T"),
    "slices": StridesSetup(chain="x[::2, 1::3]"),
    "reversed": StridesSetup(shape="3, 4", chain="x.flip(0, 1)"),
    "expanded": StridesSetup(shape="4", chain="x.unsqueeze(1).expand(4, 3)"),
    "sliding window": StridesSetup(shape="8", chain="x.as_strided((6, 3), (1, 1))"),
    "diagonal": StridesSetup(shape="5, 5", chain="x.as_strided((5,), (6,))"),
    "attention heads": StridesSetup(shape="2, 3, 4", chain="x.view(2, 3, 2, 2).transpose(1, 2)"),
    "a view that fails": StridesSetup(chain="x.transpose(0, 1).view(48)"),
    "out of bounds": StridesSetup(edit="strides", size="8, 6", stride="-1, 8", offset=5, break_it=True),
}


STUDY = Study(
    name="strides",
    version=1,
    question="What is a view, and what does it cost to walk one?",
    setup=StridesSetup,
    run=run,
    check=check,
)
