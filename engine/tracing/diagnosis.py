"""What a recording says is wrong: one line for each cause, with the numbers that show it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Literal

from engine.tracing.trace import NumericCheck, Operation, Series, Step, Trace, last_known

TINY = 1e-4  # of the largest gradient: a step by less is lost in rounding
VANISHED = 3e-3  # of the largest gradient of a weight, by element
EXPLODED = 1e3  # times the gradient at first
DEAD = 0.95  # share of zeros
SATURATED = 0.9  # share within 1 % of the ends
LARGE_UPDATE = 0.1  # of the weights, in one step
SMALL_UPDATE = 1e-6
STILL = 0.98  # of the loss at first, at which it counts as unchanged
FEWEST = 5  # losses that say how a run goes
NAMED = 3  # names in one line

Gravity = Literal["wrong", "suspicious", "fine"]


@dataclass(frozen=True)
class Finding:
    """One cause; `step` and `tensor` say where to look, None where there is no one place."""

    gravity: Gravity
    text: str
    step: int | None = None
    tensor: int | None = None


def diagnose(trace: Trace) -> list[Finding]:
    """Everything that was found, the certain first; a single line if nothing was."""
    found = [finding for cause in CAUSES for finding in cause(trace)]
    found.sort(key=lambda finding: finding.gravity != "wrong")
    return found or [Finding("fine", _all_well(trace))]


def wrong(step: Step) -> Iterator[tuple[Operation, int, NumericCheck]]:
    """The operations whose derivative is wrong: which input, and the figures."""
    for operation in step.operations:
        for slot, check in enumerate(operation.checks):
            if check is not None and check.verdict == "failed":
                yield operation, slot, check


def verdicts(step: Step) -> dict[str, int]:
    """How many derivatives of operations passed, failed, are undecided."""
    counts = {"passed": 0, "failed": 0, "undecided": 0}
    for operation in step.operations:
        for check in operation.checks:
            if check is not None:
                counts[check.verdict] += 1
    return counts


# ---- certain


def _failed(trace: Trace) -> Iterator[Finding]:
    for step in trace.steps:
        failure = step.failure
        if failure is None:
            continue
        given = ", ".join(_called(step, position) for position in failure.inputs[:4])
        where = f" at {failure.place}" if failure.place else ""
        what = f"{failure.operation}{where} failed" if failure.operation else "The run stopped"
        shown = f"; it was given {given}" if given else ""
        yield Finding(
            "wrong",
            f"{what} in step {step.number} with {failure.error}: {failure.message}{shown}",
            step.number,
            failure.inputs[0] if failure.inputs else None,
        )


def _wrong_derivative(trace: Trace) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for step in trace.steps:
        for operation, slot, check in wrong(step):
            if (operation.name, operation.place) in seen or check.recorded is None or check.numeric is None:
                continue
            seen.add((operation.name, operation.place))
            rule = f" ({operation.rule})" if operation.rule else ""
            used = f", used at {operation.place}," if operation.place else ""
            yield Finding(
                "wrong",
                f"The derivative of {operation.name}{rule}{used} is wrong: along one direction of "
                f"{_called(step, operation.inputs[slot])} it sends {check.recorded:.4g}, and differences of "
                f"the function give {check.numeric:.4g}{_factor(check)}",
                step.number,
                operation.outputs[0],
            )


def _wrong_whole(trace: Trace) -> Iterator[Finding]:
    """Of a step whose operations are all right: then the gradients were changed on their way."""
    for step in trace.steps:
        check = step.whole
        if check is None or check.verdict != "failed" or any(wrong(step)):
            continue
        if check.recorded is not None and check.numeric is not None:
            yield Finding(
                "wrong",
                f"The gradient of the loss as a whole is wrong in step {step.number}, though that of every "
                f"operation is right: along one direction of all parameters it says {check.recorded:.4g}, "
                f"and differences of the loss give {check.numeric:.4g}{_factor(check)}; see what changes "
                "gradients on their way, such as a hook",
                step.number,
                step.loss,
            )
            return


def _factor(check: NumericCheck) -> str:
    """What the wrong derivative is off by, if that is a plain number."""
    if not check.recorded or not check.numeric:
        return ""
    factor = check.recorded / check.numeric
    plain = next((n for n in (-1, 0.5, 2, -0.5, -2, 3, 1 / 3, 4, 0.25) if abs(factor / n - 1) < 1e-3), None)
    return "" if plain is None else ": the sign is wrong" if plain == -1 else f": {plain:.3g} times as much"


def _not_finite(trace: Trace) -> Iterator[Finding]:
    for step in trace.steps:
        for operation in step.operations:
            values = [step.tensors[position].value for position in operation.inputs]
            if any(value is None or not value.finite for value in values):
                continue
            for output in operation.outputs:
                value = step.tensors[output].value
                if value is not None and not value.finite:
                    where = f" at {operation.place}" if operation.place else ""
                    kind = f"{value.nan} NaN" if value.nan else f"{value.infinite} infinite numbers"
                    yield Finding(
                        "wrong",
                        f"{operation.name}{where} is the first to give {kind}, in step "
                        f"{step.number}; its inputs are finite",
                        step.number,
                        output,
                    )
                    return
    bad = [step for step, loss in trace.history.losses if not math.isfinite(loss)]
    if bad:
        known = last_known(trace.history.losses)
        after = "" if known is None else f", after a loss of {known:.3g}"
        yield Finding("wrong", f"The loss is no finite number from step {bad[0]} on{after}")


def _still(trace: Trace) -> Iterator[Finding]:
    """Parameters that get no gradient, or that nobody updates."""
    parameters = [series for series in trace.history.series if series.kind == "parameter"]
    if len(trace.history.moments) < 2:
        return
    cut = [each for each in parameters if not any(each.gradient)]
    if cut:
        none = [each for each in cut if all(gradient is None for gradient in each.gradient)]
        kind, found = ("no gradient at all", none) if none else ("only gradients of 0", cut)
        yield Finding("wrong", f"{_names(found)}: {kind} in all moments; the loss does not depend on it")
    known = [each for each in parameters if any(update is not None for update in each.update)]
    largest = max((_typical(each) for each in known), default=0.0)
    still = [
        each
        for each in known
        if not any(each.update) and len(set(each.norm)) == 1 and _typical(each) > TINY * largest
    ]
    if still and len(still) == len(known):
        yield Finding(
            "wrong", "No step changes any parameter: see that optimizer.step() is called, with a rate above 0"
        )
    elif still:
        yield Finding(
            "wrong",
            f"{_names(still)}: gradients come, and no step changes it; see that the optimiser knows it",
        )


# ---- plausible


def _vanishing(trace: Trace) -> Iterator[Finding]:
    weights = [
        (each, _by_element(each))
        for each in trace.history.series
        if each.kind == "parameter" and len(each.shape) > 1
    ]
    known = [(each, size) for each, size in weights if size]
    if len(known) < 3:
        return
    (least, small), (most, large) = min(known, key=lambda e: e[1]), max(known, key=lambda e: e[1])
    if small < VANISHED * large:
        yield Finding(
            "suspicious",
            f"Gradients vanish: {small:.1e} by element in {least.name}, {large:.1e} in {most.name}, "
            f"{large / small:,.0f} times as much",
        )


def _typical(series: Series) -> float:
    """The middle one of a gradient's sizes over the moments."""
    known = [gradient for gradient in series.gradient if gradient is not None and math.isfinite(gradient)]
    return median(known) if known else 0.0


def _by_element(series: Series) -> float:
    """Root mean square of a gradient."""
    return _typical(series) / math.sqrt(max(1, math.prod(series.shape)))


def _exploding(trace: Trace) -> Iterator[Finding]:
    for series in trace.history.series:
        known = [g for g in series.gradient if g is not None and math.isfinite(g) and g > 0]
        if len(known) >= FEWEST and known[-1] > EXPLODED * known[0]:
            yield Finding(
                "suspicious",
                f"The gradient of {series.name} explodes: {known[0]:.2g} at first, {known[-1]:.2g} at last",
            )
            return


def _updates(trace: Trace) -> Iterator[Finding]:
    known = {
        series.name: median(found)
        for series in trace.history.series
        if len(series.shape) > 1 and (found := [update for update in series.update if update])
    }
    if not known:
        return
    name, largest = max(known.items(), key=lambda entry: entry[1])
    if largest > LARGE_UPDATE:
        yield Finding(
            "suspicious",
            f"Each step changes {name} by {largest:.0%} of its size; about 0.1 % is usual: lower the rate",
        )
    elif largest < SMALL_UPDATE:
        yield Finding(
            "suspicious", f"A step changes no weight by more than {largest:.0e} of its size: raise the rate"
        )


def _units(trace: Trace) -> Iterator[Finding]:
    results = [series for series in trace.history.series if series.kind == "result" and len(series.shape) > 1]
    for series in results:
        zeros = [share for share in series.zeros if share is not None]
        if zeros and zeros[-1] >= DEAD:
            yield Finding(
                "suspicious", f"{zeros[-1]:.0%} of what {series.name} gives is 0: its units are dead"
            )
        ends = [share for share in series.ends if share is not None]
        if ends and ends[-1] >= SATURATED:
            yield Finding(
                "suspicious",
                f"{ends[-1]:.0%} of what {series.name} gives is within 1 % of ±1: it is saturated, and there "
                "its slope is almost 0",
            )


def _not_learning(trace: Trace) -> Iterator[Finding]:
    losses = [loss for _, loss in trace.history.losses]
    if len(losses) < FEWEST or not all(map(math.isfinite, losses)) or losses[0] <= 0:
        return
    tail = median(losses[-FEWEST:])
    if tail > STILL * losses[0]:
        yield Finding(
            "suspicious", f"The loss does not go down: {losses[0]:.4g} at first, {tail:.4g} at last"
        )


CAUSES: tuple[Callable[[Trace], Iterator[Finding]], ...] = (
    _failed, _wrong_derivative, _wrong_whole, _not_finite, _still, _exploding, _vanishing, _updates, _units,
    _not_learning,
)  # fmt: skip


# ---- words


def _all_well(trace: Trace) -> str:
    counts = [verdicts(step) for step in trace.steps]
    passed = sum(count["passed"] for count in counts)
    open_ones = sum(count["undecided"] for count in counts)
    more = f", and {open_ones} could not be decided" if open_ones else ""
    whole = sum(step.whole is not None and step.whole.verdict == "passed" for step in trace.steps)
    loss = f", and so does the loss as a whole in {whole} step{'s' * (whole > 1)}" if whole else ""
    agree = f"{passed} derivatives agree with differences of their function"
    return f"Nothing wrong was found: {agree}{loss}{more}"


def _called(step: Step, position: int) -> str:
    tensor = step.tensors[position]
    shape = " × ".join(map(str, tensor.shape)) or "one number"
    return f"{tensor.name} ({shape})" if tensor.name else f"a tensor of {shape}"


def _names(series: list[Series]) -> str:
    names = ", ".join(each.name for each in series[:NAMED])
    return names + (f" and {len(series) - NAMED} more" if len(series) > NAMED else "")
