"""The verdict: a short procedure that names the fault from what was measured, and from nothing else.

Causes come before their consequences: inputs, labels, wiring and first weights before what happens in steps;
and a wrong step before the NaN that it ends in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.doctor.examinations import STRIDES, Evaluations, Seen, Signal
from engine.doctor.loop import Doubles
from engine.doctor.names import HEALTHY, fault
from engine.doctor.record import Record

LARGE_INPUT = 5.0  # standardised inputs have mean 0 and standard deviation 1
AGREEING = 0.5  # neighbours with the same label; by chance 0.1
GAIN = 4.0  # times 1, or a part of it, at every layer
DEAD = 0.5  # of a layer's units
LEFT = 1e-6  # of the gradient
UPHILL = 0.0
OVERSHOOT = 0.5  # of the batches tried
TWICE = 1e-6  # relative difference of two measurements of the same


@dataclass(frozen=True)
class Evidence:
    """All that was measured of a patient."""

    record: Record
    seen: Seen
    signal: Signal
    drill: Doubles
    dependence: Doubles
    strides: Doubles
    neighbours: float
    evaluations: Evaluations | None


@dataclass(frozen=True)
class Verdict:
    """name      a fault's, or "healthy"
    evidence  the figures that tell it
    fix       what cures it; "" for the healthy
    """

    name: str
    evidence: str
    fix: str

    def __str__(self) -> str:
        return f"{self.name}: {self.evidence}" + (f"; {self.fix}" if self.fix else "")


def judge(evidence: Evidence) -> Verdict:
    """Name what is wrong."""
    for name, sign in SIGNS:
        if found := sign(evidence):
            return Verdict(name, found, fault(name).fix)
    accuracy = evidence.record.moments[-1].test[1]
    return Verdict(HEALTHY, f"nothing found, and {accuracy:.0%} of the test samples are right", "")


def _missing_normalisation(evidence: Evidence) -> str:
    signal = evidence.signal
    if max(abs(signal.mean), signal.std) < LARGE_INPUT:
        return ""
    return f"inputs have mean {signal.mean:.3g} and standard deviation {signal.std:.3g}, not 0 and 1"


def _label_shuffle(evidence: Evidence) -> str:
    if evidence.neighbours > AGREEING:
        return ""
    return (
        f"nearest neighbours share their label in {evidence.neighbours:.0%} of the cases, "
        f"and yet one batch is learnt by heart, to a loss of {evidence.drill[-1]:.2g}"
    )


def _view_bug(evidence: Evidence) -> str:
    off = evidence.dependence[~np.eye(len(evidence.dependence), dtype=bool)]
    others = int(((evidence.dependence != 0).sum(axis=1) - 1).max())
    if not (off > 0).any():
        return ""
    return f"one sample's output changes with {others} other samples' inputs"


def _init(evidence: Evidence) -> str:
    gains = evidence.signal.gains[np.isfinite(evidence.signal.gains)]
    typical = float(np.median(gains))
    if 1.0 / GAIN < typical < GAIN:
        return ""
    return f"at the start every layer makes the signal {typical:.2g} times as large, and should keep it"


def _dead(evidence: Evidence) -> str:
    dead = evidence.record.moments[0].dead
    worst = int(np.argmax(dead))
    if dead[worst] < DEAD:
        return ""
    return f"{dead[worst]:.0%} of the units of layer {worst + 1} are 0 on all samples before the first step"


def _no_zero_grad(evidence: Evidence) -> str:
    record = evidence.record
    used = np.sqrt(np.square(record.norms[1]).sum())
    if not record.left[1] > LEFT * used:
        return ""
    return f"at step 2, .grad held {record.left[1]:.3g} before the backward pass"


def _sign(evidence: Evidence) -> str:
    direction = evidence.record.direction[0]
    if not direction > UPHILL:
        return ""
    return f"the update points along the gradient, with a cosine of {direction:+.2f}, and should be −1"


def _rate(evidence: Evidence) -> str:
    whole, tenth = (evidence.strides[:, STRIDES.index(share)] for share in (1.0, 0.1))
    over = ((whole > 0) & (tenth < 0)) | ~np.isfinite(whole) & (tenth < 0)
    if over.mean() < OVERSHOOT:
        return ""
    return f"the whole step raises the loss of {over.sum()} of {len(over)} batches that a tenth of it lowers"


def _nan(evidence: Evidence) -> str:
    bad = evidence.record.bad
    if bad is None:
        return ""
    return f"the first NaN is in {bad.place} at step {bad.step}, where the loss is still {bad.loss:.3g}"


def _mix_up(evidence: Evidence) -> str:
    tested = evidence.evaluations
    if tested is None or tested.differs <= TWICE * abs(tested.calm):
        return ""
    return (
        f"two tests of the same weights give {tested.losses[0]:.4g} and {tested.losses[1]:.4g}, "
        f"and {tested.calm:.4g} with dropout off"
    )


SIGNS: tuple[tuple[str, Callable[[Evidence], str]], ...] = (
    ("missing normalisation", _missing_normalisation),
    ("label shuffle", _label_shuffle),
    ("view bug", _view_bug),
    ("init", _init),
    ("dead ReLU", _dead),
    ("no zero_grad", _no_zero_grad),
    ("sign", _sign),
    ("rate", _rate),
    ("NaN", _nan),
    ("train/eval mix-up", _mix_up),
)
