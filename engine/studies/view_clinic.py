"""What is wrong with shapes that an operation refuses: the axis, the condition that breaks, the smallest fix.

Two refusals are known here: a `view` that the strides cannot express, and shapes that do not broadcast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import prod

from engine.errors import ShapeError
from engine.layout import Layout, Shape, broadcast_shapes, complete_shape
from engine.studies.view_chain import Call, parse_chain
from engine.studies.view_steps import ITEM_BYTES, Step, take

MAX_FIXES = 4


@dataclass(frozen=True)
class ViewDiagnosis:
    """Why strides cannot express a view.

    A dimension of the target runs across two dimensions of the source that do not follow each other in
    storage: stride[outer] is not length[inner] · stride[inner].
    """

    source: Layout
    target: Shape
    dimension: int  # of the target
    outer: int  # of the source
    inner: int  # of the source

    @property
    def needed(self) -> int:
        """The stride that dimension `outer` would need to have."""
        return self.source.shape[self.inner] * self.source.strides[self.inner]

    def __str__(self) -> str:
        shape, strides = self.source.shape, self.source.strides
        return (
            f"dimension {self.dimension} of {self.target} would run across dimensions {self.outer} and "
            f"{self.inner} of {shape}, which do not follow each other in storage: that takes "
            f"stride[{self.outer}] = length[{self.inner}] · stride[{self.inner}] = {shape[self.inner]} · "
            f"{strides[self.inner]} = {self.needed}, and stride[{self.outer}] is {strides[self.outer]}"
        )


def diagnose_view(source: Layout, target: Shape) -> ViewDiagnosis | None:
    """Where a view as `target` (a complete shape of the same size) breaks; None where it is possible.

    Two neighbouring dimensions may only be merged if they follow each other in storage. If they do not,
    the target needs a boundary at the same place: as many elements to the right of it.
    """
    if source.size == 0:
        return None
    behind = [prod(target[d + 1 :]) for d in range(len(target))]  # elements to the right of each boundary
    walked = [d for d, length in enumerate(source.shape) if length > 1]
    for outer, inner in reversed(list(pairwise(walked))):
        follows = source.strides[outer] == source.shape[inner] * source.strides[inner]
        right = prod(source.shape[inner:])
        if not follows and right not in behind:
            crossing = max(d for d, length in enumerate(target) if behind[d] * length > right)
            return ViewDiagnosis(source, target, crossing, outer, inner)
    return None


@dataclass(frozen=True)
class ViewFix:
    """Something to write instead of a view that is refused, with what it gave when it was run."""

    text: str
    step: Step  # the last of its steps
    copied: int  # bytes
    reordered: bool  # the elements come in another order than the view would have had them


def view_fixes(source: Step, call: Call) -> list[ViewFix]:
    """What to write instead of `call`, a view of `source` that was refused; each is run, cheapest first."""
    target = view_target(source, call)
    if target is None or diagnose_view(source.layout, target) is None:
        return []
    numbers = ", ".join(map(str, target))
    order = sorted(range(len(source.shape)), key=lambda d: -abs(source.strides[d]))
    candidates = (
        (f".permute({', '.join(map(str, order))}).view({numbers})", True),
        (f".reshape({numbers})", False),
        (f".contiguous().view({numbers})", False),
    )
    return [fix for text, reordered in candidates if (fix := _run_fix(source, text, reordered))]


def view_target(source: Step, call: Call) -> Shape | None:
    """The complete shape that a `view` call asks for, None for other calls and impossible shapes."""
    if call.method != "view":
        return None
    first = call.arguments[0]
    wanted = first if isinstance(first, tuple) else tuple(n for n in call.arguments if isinstance(n, int))
    try:
        return complete_shape(wanted, source.layout.size)
    except ShapeError:
        return None


def _run_fix(source: Step, text: str, reordered: bool) -> ViewFix | None:
    steps, refusal = take(source, parse_chain(f"x{text}"))
    if refusal:
        return None
    copied = sum(ITEM_BYTES * step.layout.size for step in steps[1:] if not step.is_view)
    return ViewFix(text, steps[-1], copied, reordered)


# ---- broadcasting


@dataclass(frozen=True)
class BroadcastDiagnosis:
    """The dimension, counted from the right, in which shapes disagree, and who says what."""

    from_right: int  # 1 is the last
    lengths: tuple[tuple[int, int, int], ...]  # (which shape, its own dimension, its length), 1s left out


def diagnose_broadcast(shapes: Sequence[Shape]) -> BroadcastDiagnosis | None:
    """The first dimension from the right in which shapes disagree; None where they broadcast."""
    for back in range(1, max(map(len, shapes), default=0) + 1):
        found = tuple(
            (k, len(shape) - back, shape[-back])
            for k, shape in enumerate(shapes)
            if len(shape) >= back and shape[-back] != 1
        )
        if len({length for _, _, length in found}) > 1:
            return BroadcastDiagnosis(back, found)
    return None


@dataclass(frozen=True)
class BroadcastFix:
    """One change to one shape after which all of them broadcast."""

    which: int  # of the shapes
    text: str  # the call, as .unsqueeze(1)
    shapes: tuple[Shape, ...]
    result: Shape


def broadcast_fixes(shapes: Sequence[Shape]) -> list[BroadcastFix]:
    """Single changes that make shapes broadcast, those with the smallest result first."""
    fixes = [fix for which in range(len(shapes)) for fix in _changes_of(shapes, which)]
    return sorted(fixes, key=lambda fix: (prod(fix.result), len(fix.result)))[:MAX_FIXES]


def _changes_of(shapes: Sequence[Shape], which: int) -> Iterator[BroadcastFix]:
    shape = shapes[which]
    changes = [(f".unsqueeze({d})", (*shape[:d], 1, *shape[d:])) for d in range(1, len(shape) + 1)]
    for first, second in combinations(range(len(shape)), 2):
        swapped = list(shape)
        swapped[first], swapped[second] = shape[second], shape[first]
        changes.append((f".transpose({first}, {second})", tuple(swapped)))
    seen = set()
    for text, changed in changes:
        tried = (*shapes[:which], changed, *shapes[which + 1 :])
        if changed not in seen and diagnose_broadcast(tried) is None:
            seen.add(changed)
            yield BroadcastFix(which, text, tried, broadcast_shapes(*tried))
