"""Is the gradient of the loss as a whole right? The recorded graph is done again, from leaves to loss.

All leaves move together along one random direction d. ⟨gradient, d⟩, summed over them as backpropagation
left it, is held against (L(θ + h·d) − L(θ − h·d)) / 2h. So this needs no trust in any single operation's
check; but where one on the way cannot be done again there is nothing to compare, and that is said.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from engine.tracing.check import FLOOR, KINK, LARGEST, allowed, compared, same
from engine.tracing.tape import Action, Numbers, Tape, norm
from engine.tracing.trace import NumericCheck

SECONDS = 10.0  # that it may take
SEED = 1  # of the direction
SMALLEST = 1e-3  # by which a leaf of zeros is moved, for each unit of step


class StuckError(Exception):
    """Why the graph cannot be done again."""


@dataclass(frozen=True)
class Slopes:
    """Of the loss along the direction: before and after the place, and over both with half the step."""

    before: float
    after: float
    half: float

    @property
    def middle(self) -> float:
        return (self.before + self.after) / 2


def check_whole(tape: Tape) -> NumericCheck | None:
    """The check of a step; None where it has no loss of one number, or nothing that leads to it."""
    loss = None if tape.loss is None else tape.values[tape.loss]
    if loss is None or loss.gradient is None or loss.gradient.size != 1 or tape.loss is None:
        return None
    needed, actions = _leading_to(tape, tape.loss)
    leaves = [place for place in sorted(needed) if tape.values[place].kind == "parameter"]
    if not leaves:
        return None
    try:
        return _checked(tape, needed, actions, leaves, float(loss.gradient.reshape(-1)[0]))
    except StuckError as error:
        return NumericCheck(verdict="undecided", why=str(error)[:400])


def _leading_to(tape: Tape, loss: int) -> tuple[set[int], list[Action]]:
    """The tensors that a loss is computed from, and the operations between them, in order."""
    needed, actions = {loss}, []
    for action in reversed(tape.actions):
        if needed.intersection(action.outputs):
            needed.update(action.inputs)
            actions.append(action)
    return needed, actions[::-1]


def _checked(
    tape: Tape, needed: set[int], actions: list[Action], leaves: list[int], seed: float
) -> NumericCheck:
    start = {place: _numbers(tape, place) for place in leaves}
    draw = np.random.default_rng(SEED)
    direction = {
        place: draw.choice((-1.0, 1.0), numbers.shape)
        * max(norm(numbers) / max(numbers.size, 1) ** 0.5, SMALLEST)
        for place, numbers in start.items()
    }
    gradients = {place: tape.values[place].gradient for place in leaves}
    known = [(gradient, direction[place]) for place, gradient in gradients.items() if gradient is not None]
    recorded = sum(float((gradient * along).sum()) for gradient, along in known)
    size = sum(norm(gradient) * norm(along) for gradient, along in known)
    slopes, limit = _slopes(tape, actions, start, direction)
    numeric = seed * slopes.middle
    if not np.isfinite([recorded, numeric]).all():
        raise StuckError("a number that is not finite")
    least = FLOOR * size / max(abs(seed), 1e-30)
    kink = abs(slopes.after - slopes.before) > KINK * max(abs(slopes.after), abs(slopes.before), least)
    found = compared(recorded, numeric, size, kink, limit)
    if found.verdict != "failed":
        return found
    coarse = abs(slopes.middle - slopes.half) > limit / 2 * max(abs(slopes.middle), least)
    others = any(
        value.incomplete or (value.gradient is not None and place not in needed)
        for place, value in enumerate(tape.values)
    )
    why = (
        "differences of half the width are others: too coarse for this loss"
        if coarse
        else "gradients come from something that was not recorded too"
        if others
        else ""
    )
    return found.model_copy(update={"verdict": "undecided", "why": why}) if why else found


def _numbers(tape: Tape, place: int) -> Numbers:
    numbers = tape.values[place].numbers
    if numbers is None or numbers.dtype.kind != "f":
        raise StuckError(f"the numbers of {tape.values[place].name or 'a parameter'} were not recorded")
    return numbers


def _slopes(
    tape: Tape, actions: list[Action], start: dict[int, Numbers], direction: dict[int, Numbers]
) -> tuple[Slopes, float]:
    """The slopes of the loss, and how well they can be known."""
    deadline = time.monotonic() + SECONDS

    def loss(step: float) -> float:
        if time.monotonic() > deadline:
            raise StuckError(f"doing the graph again takes more than {SECONDS:g} s")
        moved = {place: np.asarray(start[place] + step * direction[place]) for place in start}
        return float(_again(tape, actions, moved, is_same=step == 0.0)[tape.loss].reshape(-1)[0])  # type: ignore[index]

    results = _again(tape, actions, start, is_same=True)
    used = [results[output] for action in actions for output in action.outputs if output in results]
    epsilon = max((float(np.finfo(out.dtype).eps) for out in used if out.dtype.kind == "f"), default=1e-16)
    width = float(np.cbrt(epsilon))
    middle, right, left = loss(0.0), loss(width), loss(-width)
    half = (loss(width / 2) - loss(-width / 2)) / width
    limit = max(allowed(tape, action, used) for action in actions)
    return Slopes((middle - left) / width, (right - middle) / width, half), limit


def _again(tape: Tape, actions: list[Action], moved: dict[int, Numbers], is_same: bool) -> dict[int, Numbers]:
    """All numbers that depend on the leaves, with these in their place. `is_same`: they must be the run's."""
    now = dict(moved)
    for action in actions:
        changed = {slot: now[source] for slot, source in enumerate(action.inputs) if source in now}
        if not changed:
            continue  # it depends on no leaf
        if action.replay is None:
            raise StuckError(f"{action.name}: {action.why_not or 'it cannot be done again'}")
        if sum(numbers.size for numbers in changed.values()) > LARGEST:
            raise StuckError(f"{action.name}: more than {LARGEST:,} elements")
        try:
            outputs = action.replay.outputs(changed)
        except Exception as error:  # anybody's operation, with other numbers than it was made for
            raise StuckError(f"doing {action.name} again failed: {type(error).__name__}") from error
        recorded = [tape.values[output].numbers for output in action.outputs]
        if len(outputs) != len(recorded) or (is_same and not all(map(same, recorded, outputs))):
            raise StuckError(f"doing {action.name} again gives other numbers")
        now.update(zip(action.outputs, outputs, strict=True))
    return now
