"""Is every derivative right? Each operation is done again with slightly different inputs.

One operation at a time. With g what arrived at its results, and d a random direction for one of its inputs,
⟨g, f(x + h·d) − f(x − h·d)⟩ / 2h is what the input should be sent along d. Two figures are held against it:
what the operation's own derivative gives for g; and, summed over all users of a tensor, the gradient that
backpropagation really left there. The loss as a whole is checked in `whole`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from engine.tracing.tape import Action, Numbers, Tape, Value, norm
from engine.tracing.trace import NumericCheck

SECONDS = 10.0  # that checking one step may take
LARGEST = 2_000_000  # elements of an operation that is checked
TOLERANCE = 1e-3  # of an error, relative; a result of few bits has a wider one
FLOOR = 1e-3  # of what could be sent at most: a sum that cancels to less is compared with this
KINK = 1e-2  # by which slopes to the left and to the right differ where there is none
TURNS = 2  # directions for each tensor


@dataclass(frozen=True)
class Slope:
    """The derivative of one operation along a direction of one input, by differences.

    size  what it could be at most; `kink` says that left and right differ
    """

    value: float
    size: float
    kink: bool
    tolerance: float


@dataclass(frozen=True)
class Use:
    """A tensor as the input of an operation, in one slot."""

    action: Action
    slot: int
    position: int


def check(tape: Tape) -> None:
    """Leave a check with every tensor that received a gradient and with every operation that sent one."""
    deadline = time.monotonic() + SECONDS
    uses: dict[int, list[Use]] = {}
    for action in tape.actions:
        action.checks = [None] * len(action.inputs)
        for slot, source in enumerate(action.inputs):
            if tape.values[source].requires_grad:
                uses.setdefault(source, []).append(Use(action, slot, source))
    sent: dict[int, list[Numbers | None]] = {}  # by operation, what its derivative gives
    for source, found in uses.items():
        value = tape.values[source]
        if value.gradient is None:
            continue
        late = f"checking stops after {SECONDS:g} s" if time.monotonic() > deadline else ""
        why = late or ("its numbers were not recorded" if value.numbers is None else "")
        if not why:
            _check_tensor(tape, value, source, found, sent)
            continue
        value.check = NumericCheck(verdict="undecided", why=why)
        for use in found:
            use.action.checks[use.slot] = value.check


def _check_tensor(
    tape: Tape, value: Value, source: int, uses: list[Use], sent: dict[int, list[Numbers | None]]
) -> None:
    worst: list[NumericCheck | None] = [None] * len(uses)
    for turn in range(TURNS):
        slopes, direction = _slopes(tape, value, source, uses, turn)
        for place, (use, slope) in enumerate(zip(uses, slopes, strict=True)):
            found = slope if isinstance(slope, str) else _one(tape, use, slope, direction, sent)
            made = found if isinstance(found, NumericCheck) else NumericCheck(verdict="undecided", why=found)
            worst[place] = _worse(worst[place], made)
        value.check = _worse(value.check, _whole(value, slopes, direction))
    for use, final in zip(uses, worst, strict=True):
        use.action.checks[use.slot] = final


def _slopes(
    tape: Tape, value: Value, source: int, uses: list[Use], turn: int
) -> tuple[list[Slope | str], Numbers]:
    """The slopes of all users along one direction; where there is a kink, along one that spares zeros."""
    assert value.numbers is not None
    draw = np.random.default_rng((source, turn))
    direction = draw.choice((-1.0, 1.0), value.shape)  # no element is left out by a small share
    slopes = [_slope(tape, use, direction) for use in uses]
    if any(isinstance(slope, Slope) and slope.kink for slope in slopes):
        spared = direction * (value.numbers != 0.0)
        if spared.any():
            again = [_slope(tape, use, spared) for use in uses]
            return again, spared
    return slopes, direction


def _slope(tape: Tape, use: Use, direction: Numbers) -> Slope | str:
    """The slope of one operation, or why there is none."""
    action = use.action
    if action.replay is None:
        return action.why_not or "it cannot be done again"
    arrived = [tape.values[output].gradient for output in action.outputs]
    sizes = [tape.values[place].numbers for place in (*action.inputs, *action.outputs)]
    if sum(0 if size is None else size.size for size in sizes) > LARGEST:
        return f"more than {LARGEST:,} elements"
    numbers = tape.values[use.position].numbers
    assert numbers is not None
    if not np.isfinite(numbers).all() or any(g is not None and not np.isfinite(g).all() for g in arrived):
        return "a number that is not finite"
    try:
        middle = action.replay.outputs({})
        step = _width(numbers, middle)
        right = action.replay.outputs({use.slot: np.asarray(numbers + step * direction)})
        left = action.replay.outputs({use.slot: np.asarray(numbers - step * direction)})
    except Exception as error:  # anybody's operation, with other numbers than it was made for
        return f"doing it again failed: {type(error).__name__}"
    recorded = [tape.values[output].numbers for output in action.outputs]
    if len(middle) != len(recorded) or not all(map(same, recorded, middle)):
        return "doing it again gives other numbers"
    pairs = [(g, *each) for g, *each in zip(arrived, left, middle, right, strict=True) if g is not None]
    after = sum(float((g * (r - m)).sum()) for g, _, m, r in pairs) / step
    before = sum(float((g * (m - le)).sum()) for g, le, m, _ in pairs) / step
    norms = [(norm(g), norm(r - le)) for g, le, _, r in pairs]
    size = sum(g * change for g, change in norms) / (2 * step)
    kink = abs(after - before) > KINK * max(abs(after), abs(before), FLOOR * size)
    return Slope((after + before) / 2, size, kink, allowed(tape, action, middle))


def _width(numbers: Numbers, outputs: list[Numbers]) -> float:
    """How far to go: the cube root of the precision of the results, as a share of the numbers."""
    epsilon = max((float(np.finfo(out.dtype).eps) for out in outputs if out.dtype.kind == "f"), default=1e-16)
    size = float(np.sqrt(np.mean(numbers.astype(np.float64) ** 2))) if numbers.size else 1.0
    return float(np.cbrt(epsilon)) * max(size, 1e-3)


def allowed(tape: Tape, action: Action, outputs: list[Numbers]) -> float:
    """By how much two figures of a derivative may differ, as a share: more where results have few bits, be it
    in the run or in doing it again."""
    again = max((float(np.finfo(out.dtype).eps) for out in outputs if out.dtype.kind == "f"), default=0.0)
    names = {tape.values[place].dtype for place in (*action.inputs, *action.outputs)}
    few = 0.1 if names & {"bfloat16", "float16"} else 0.0
    return max(TOLERANCE, 10 * float(np.cbrt(again)) ** 2, few)


def same(recorded: Numbers | None, again: Numbers) -> bool:
    """Whether doing it again gave what the run had; a random mask, for one, may come out differently."""
    if recorded is None or recorded.shape != again.shape:
        return False
    if recorded.dtype.kind != "f":
        return bool(np.array_equal(recorded, again))
    gap = norm(recorded - again)
    return gap <= 0.02 * norm(recorded) + 1e-6


def _one(
    tape: Tape, use: Use, slope: Slope, direction: Numbers, sent: dict[int, list[Numbers | None]]
) -> NumericCheck | str:
    """What an operation's own derivative sends, along the direction, against the slope."""
    action = use.action
    assert action.replay is not None
    if id(action) not in sent:
        try:
            sent[id(action)] = action.replay.vjp([tape.values[o].gradient for o in action.outputs])
        except Exception as error:  # as above
            return f"its derivative failed: {type(error).__name__}: {str(error)[:200]}"
    vjp = sent[id(action)][use.slot]
    recorded = 0.0 if vjp is None else float((vjp * direction).sum())
    if vjp is not None and not np.isfinite(vjp).all():
        return NumericCheck(verdict="failed", recorded=recorded, numeric=slope.value, error=float("inf"))
    size = 0.0 if vjp is None else norm(vjp) * norm(direction)
    return compared(recorded, slope.value, max(slope.size, size), slope.kink, slope.tolerance)


def _whole(value: Value, slopes: list[Slope | str], direction: Numbers) -> NumericCheck:
    """The gradient that backpropagation left, against the sum of the slopes of all users."""
    assert value.gradient is not None
    if value.incomplete:
        return NumericCheck(verdict="undecided", why="something that was not recorded uses it")
    reasons = [slope for slope in slopes if isinstance(slope, str)]
    if reasons:
        return NumericCheck(verdict="undecided", why=reasons[0])
    known = [slope for slope in slopes if isinstance(slope, Slope)]
    recorded = float((value.gradient * direction).sum())
    numeric = sum(slope.value for slope in known)
    size = sum(slope.size for slope in known)
    if not np.isfinite(value.gradient).all():
        return NumericCheck(verdict="failed", recorded=recorded, numeric=numeric, error=float("inf"))
    kink, tolerance = any(slope.kink for slope in known), max(slope.tolerance for slope in known)
    return compared(recorded, numeric, size, kink, tolerance)


def compared(recorded: float, numeric: float, size: float, kink: bool, tolerance: float) -> NumericCheck:
    """The two figures held against each other; `size` is what they could be at most."""
    scale = max(abs(recorded), abs(numeric), FLOOR * size)
    error = abs(recorded - numeric) / scale if scale else 0.0
    found = NumericCheck(
        verdict="passed", recorded=recorded, numeric=numeric, error=error, tolerance=tolerance
    )
    if error <= tolerance:
        return found
    if kink:
        why = "the function has a kink here: its slopes to the left and to the right differ"
        return found.model_copy(update={"verdict": "undecided", "why": why})
    return found.model_copy(update={"verdict": "failed"})


def _worse(one: NumericCheck | None, other: NumericCheck) -> NumericCheck:
    """Of several directions the one that says most against the derivative."""
    if one is None:
        return other
    order = ("passed", "undecided", "failed")
    key = [(order.index(each.verdict), each.error or 0.0) for each in (one, other)]
    return one if key[0] >= key[1] else other
