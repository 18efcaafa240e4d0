"""What the doctor's figures say: short readings without a verdict, and the verdict once it is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.doctor.examinations import STRIDES
from engine.doctor.names import HEALTHY, fault
from engine.doctor.operators import OperatorCheck
from engine.doctor.record import Moment, Spread
from engine.doctor.verdict import Evidence
from engine.studies.doctor import Patient

AGREED = 1e-5


def number(value: float) -> str:
    """Three figures, in print."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.3g}".replace("-", "−").replace("e+", "e")


# ---- a moment


def moment(at: Moment) -> str:
    loss, right = at.test
    return f"step {at.step}: train {number(at.train)}, test {number(loss)}, {right:.0%} right"


def activations(at: Moment, layer: int) -> str:
    part = at.activations[layer]
    said = f"mean {number(part.mean)}, std {number(part.std)}, {part.zeros:.0%} are 0"
    dead = at.dead[layer]
    return f"{said}, {dead:.0%} of units always" if dead else said


def gradients(part: Spread) -> str:
    if part.unknown:
        return f"{part.unknown:.0%} are NaN or infinite"
    return f"std {number(part.std)}, {part.zeros:.0%} are 0"


# ---- the examinations


def seen(evidence: Evidence) -> str:
    part = evidence.signal
    return f"Inputs have mean {number(part.mean)} and standard deviation {number(part.std)}."


def drill(evidence: Evidence) -> str:
    first, last = evidence.drill[0], evidence.drill[-1]
    return f"Loss {number(first)} → {number(last)} in {len(evidence.drill) - 1} steps."


def strides(evidence: Evidence) -> str:
    if not np.isfinite(evidence.record.rate):
        return "The loop's step is NaN: there is no length to share out."
    tried = len(evidence.strides)
    lowered = {share: int((evidence.strides[:, k] < 0).sum()) for k, share in enumerate(STRIDES)}
    return f"A tenth of the step lowers {lowered[0.1]} of {tried} batches, the whole step {lowered[1.0]}."


def signal(evidence: Evidence) -> str:
    gains = evidence.signal.gains[np.isfinite(evidence.signal.gains)]
    return f"A layer gives {number(float(np.median(gains)))} times what it gets (median; He's aim is 1)."


def first_bad(evidence: Evidence) -> str:
    bad = evidence.record.bad
    if bad is None:
        return "All numbers are finite in all steps."
    if np.isfinite(bad.loss):
        return f"Step {bad.step}: {bad.place} is the first NaN; the loss is {number(bad.loss)}."
    return f"Step {bad.step}: {bad.place} is the first number that is not finite."


def dependence(evidence: Evidence) -> str:
    inputs = int((evidence.dependence != 0).sum(axis=1).max())
    if inputs < 2:
        return "Each depends on its own pixels alone." if inputs else "No output depends on any input."
    return f"An output depends on the pixels of {inputs} of {len(evidence.dependence)} samples."


def twice(evidence: Evidence) -> str:
    tested = evidence.evaluations
    if tested is None:
        return "The weights are not finite: there is nothing to test."
    return f"Two tests differ by {number(tested.differs)}."


def neighbours(evidence: Evidence) -> str:
    return f"{evidence.neighbours:.0%} of 500 do; by chance it would be 10 %."


def operators(checks: Sequence[OperatorCheck]) -> str:
    wrong = [check.operator for check in checks if not check.error < AGREED]
    if wrong:
        return f"{', '.join(wrong)}: the slope there is not finite. The others agree with differences."
    worst = max(check.error for check in checks)
    return f"All agree with central differences in float64 to {worst:.0e}."


# ---- the verdict


def heading(guess: str | None, patient: Patient, is_open: bool) -> str:
    """What stands above the diagnoses, or the verdict once it is open."""
    name = patient.verdict.name
    if not is_open:
        return "What is wrong? Look at everything below, then commit to one."
    if guess is None:
        return f"The verdict: {name}"
    return f":green[Right: {name}]" if guess == name else f"You said {guess}. It is: {name}"


def verdict(patient: Patient) -> str:
    """What goes wrong, the evidence and the cure, as Markdown."""
    found = patient.verdict
    if found.name == HEALTHY:
        return f"It learns: {found.evidence}."
    known = fault(found.name)
    return f"{known.what} Evidence: {found.evidence}. Cure: `{found.fix}`"
