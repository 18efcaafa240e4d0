"""The doctor: a training run that may be ill, and two laboratories for what makes runs ill or differ."""

from __future__ import annotations

import math
import platform
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from engine.agreement import difference
from engine.doctor import bits, depth, oracle
from engine.doctor.bits import Reproduced
from engine.doctor.depth import Sizes
from engine.doctor.names import HEALTHY, hidden_in
from engine.doctor.operators import OperatorCheck, check_operators
from engine.doctor.patient import examine
from engine.doctor.planted import PLANTED
from engine.doctor.verdict import Evidence, Verdict, judge
from engine.oracles import torch_version
from engine.studies.doctor_setup import HIDDEN, DoctorSetup
from engine.studies.study import Check, Study

COMPARED = 4  # steps; later ones of a loop that explodes multiply the last bits
CLOSE = 1e-3  # relative, for the same reason
PYTHON = f"Python {platform.python_version()}"
KEPT = 24  # results of each kind that need not be computed again


@dataclass(frozen=True)
class Patient:
    """evidence   what was measured, and of the healthy twin with the same seed
    operators  the gradient check of each
    fault      what was planted: for the answer and the oracle. The verdict never sees it
    """

    fault: str
    evidence: Evidence
    operators: tuple[OperatorCheck, ...]
    twin: Evidence | None

    @cached_property
    def verdict(self) -> Verdict:
        return judge(self.evidence)


@dataclass(frozen=True)
class Laboratory:
    """Signals and gradients by layer, for each way to draw first weights."""

    sizes: tuple[Sizes, ...]


@dataclass(frozen=True)
class DoctorResult:
    """What is on screen: a patient, or a laboratory."""

    setup: DoctorSetup
    found: Patient | Laboratory | Reproduced

    def summary(self) -> Mapping[str, float | int | str]:
        """The figures of the room one is in; the verdict only where the answer is asked for."""
        found = self.found
        if isinstance(found, Laboratory):
            return _laboratory_summary(found)
        if isinstance(found, Reproduced):
            sums = {f"sum on {one.threads} threads": one.total for one in found.sums}
            last = found.trainings[-1]
            share = float(last.differing[-1])
            return {**sums, f"weights that differ after training on {last.threads}": share}
        record = found.evidence.record
        figures: dict[str, float | int | str] = {
            "loss of the last batch": float(record.losses[-1]),
            "test accuracy": record.moments[-1].test[1],
            "loss of one batch after its drill": float(found.evidence.drill[-1]),
            "neighbours with the same label": found.evidence.neighbours,
        }
        return figures | ({"verdict": str(found.verdict)} if self.setup.answer else {})

    def table(self) -> Mapping[str, Sequence[Any]]:
        """The curves of the room one is in."""
        found = self.found
        if isinstance(found, Laboratory):
            return _laboratory_table(found)
        if isinstance(found, Reproduced):
            steps = list(range(len(found.trainings[0].differing)))
            shares = {f"differing on {one.threads}": one.differing.tolist() for one in found.trainings}
            gaps = {f"distance on {one.threads}": one.distance.tolist() for one in found.trainings}
            return {"step": steps, **shares, **gaps}
        record = found.evidence.record
        return {
            "step": list(range(1, len(record.losses) + 1)),
            "loss": record.losses.tolist(),
            **{
                f"update / weight, layer {k + 1}": column.tolist() for k, column in enumerate(record.ratios.T)
            },
            **{f"gradient, layer {k + 1}": column.tolist() for k, column in enumerate(record.norms.T)},
        }


def _laboratory_summary(found: Laboratory) -> Mapping[str, float | int | str]:
    figures: dict[str, float | int | str] = {}
    for sizes in found.sizes:
        figures[f"signal out / in, {sizes.scheme.name}"] = float(
            np.median(sizes.signal[:, -1] / sizes.signal[:, 0])
        )
        figures[f"the law, {sizes.scheme.name}"] = float(sizes.signal_law[-1] / sizes.signal_law[0])
    return figures


def _laboratory_table(found: Laboratory) -> Mapping[str, Sequence[Any]]:
    columns: dict[str, list[Any]] = {"layer": list(range(len(found.sizes[0].signal_law)))}
    for sizes in found.sizes:
        name = sizes.scheme.name
        columns[f"signal, {name}"] = np.median(sizes.signal, axis=0).tolist()
        columns[f"signal by the law, {name}"] = sizes.signal_law.tolist()
        columns[f"gradient, {name}"] = np.median(sizes.gradient, axis=0).tolist()
        columns[f"gradient by the law, {name}"] = sizes.gradient_law.tolist()
    return columns


def run(setup: DoctorSetup) -> DoctorResult:
    """Examine the patient, or do what the laboratory does."""
    if setup.room == "Depth":
        nets = (setup.depth, setup.activation, setup.residual, setup.nets, setup.seed)
        return DoctorResult(setup, _laboratory(setup.scale, nets))
    if setup.room == "Threads":
        return DoctorResult(setup, _reproduced(setup.seed, setup.threads))
    fault = hidden_in(setup.seed) if setup.patient == HIDDEN else setup.patient
    twin = _evidence(HEALTHY, setup.seed) if setup.twin else None
    return DoctorResult(
        setup, Patient(fault, _evidence(fault, setup.seed), _operators(fault, setup.seed), twin)
    )


@lru_cache(maxsize=KEPT)
def _laboratory(scale: float, nets: tuple[int, str, bool, int, int]) -> Laboratory:
    return Laboratory(tuple(depth.measure(scheme, *nets) for scheme in depth.schemes(scale)))


@lru_cache(maxsize=KEPT)
def _reproduced(seed: int, threads: int) -> Reproduced:
    return bits.reproduce(seed, threads)


@lru_cache(maxsize=KEPT)
def _evidence(fault: str, seed: int) -> Evidence:
    return examine(fault, seed)


@lru_cache(maxsize=KEPT)
def _operators(fault: str, seed: int) -> tuple[OperatorCheck, ...]:
    return tuple(check_operators(PLANTED[fault](seed)))


def check(result: DoctorResult) -> list[Check]:
    """Losses of the first steps beside torch's faulty loop; a signal beside torch's; sums beside numpy's."""
    setup, found = result.setup, result.found
    if isinstance(found, Patient):
        expected = oracle.torch_losses(found.fault, setup.seed, COMPARED)
        losses = found.evidence.record.losses
        return [_check(f"loss of batch {k + 1}", expected[k], losses[k]) for k in range(COMPARED)]
    if isinstance(found, Laboratory):
        inputs = depth.inputs()
        return [
            _check(
                f"signal after {setup.depth} layers, {sizes.scheme.name}",
                oracle.torch_sizes(
                    depth.weights(sizes.scheme, setup.depth, setup.seed),
                    inputs,
                    setup.activation,
                    setup.residual,
                ),
                float(sizes.signal[0, -1]),
            )
            for sizes in found.sizes
        ]
    ends = (found.sums[0], found.sums[-1])
    exact = math.fsum(bits.numbers(setup.seed).tolist())
    return [
        *(_sum_check(setup.seed, one) for one in ends),
        Check("exact sum, rounded once", PYTHON, exact, found.exact, difference(found.exact, exact), 1e-7),
    ]


def _check(name: str, expected: float, found: float) -> Check:
    gap = difference(found, expected)
    return Check(name, torch_version(), float(expected), float(found), gap, CLOSE)


def _sum_check(seed: int, one: bits.Sum) -> Check:
    """Addition by addition: the float64 sum of two float32 numbers, rounded, is their float32 sum."""

    def from_left(values: Sequence[float]) -> float:
        total = 0.0
        for value in values:
            (total,) = struct.unpack("f", struct.pack("f", total + value))
        return total

    shares = np.array_split(bits.numbers(seed), one.threads)
    expected = from_left([from_left(share.tolist()) for share in shares])
    return Check(
        f"sum on {one.threads} threads", PYTHON, expected, one.total, float(expected != one.total), 0.0
    )


STUDY = Study(
    name="doctor",
    version=1,
    question="Why does it not learn?",
    setup=DoctorSetup,
    run=run,
    check=check,
)
