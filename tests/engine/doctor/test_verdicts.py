"""Every planted fault is named from what is measured, and the healthy are left in peace.

UNROLL_DOCTOR_SEEDS=20 tries so many seeds of each; without it there is one, another for each fault.
"""

import os

import numpy as np
import pytest

from engine.doctor.names import ANSWERS, FAULTS, HEALTHY, NAMES, fault, hidden_in
from engine.doctor.patient import examine
from engine.doctor.planted import PLANTED
from engine.doctor.verdict import judge

MANY = int(os.environ.get("UNROLL_DOCTOR_SEEDS", "0"))
CASES = [(name, seed) for number, name in enumerate(ANSWERS) for seed in (range(MANY) if MANY else [number])]


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_a_patient_gets_the_name_of_its_fault(name: str, seed: int) -> None:
    verdict = judge(examine(name, seed))
    assert verdict.name == name, verdict
    assert verdict.evidence
    assert verdict.fix == ("" if name == HEALTHY else fault(name).fix)


def test_there_is_a_loop_for_every_name() -> None:
    assert list(PLANTED) == list(ANSWERS) == [*NAMES, HEALTHY]
    assert len({entry.name for entry in FAULTS}) == 10


def test_cases_draw_all_faults_and_the_healthy() -> None:
    """Each of the 11 answers comes up about as often as the others: χ² with 10 degrees of freedom."""
    drawn = [hidden_in(case) for case in range(1000)]
    counts = np.array([drawn.count(name) for name in ANSWERS])
    assert ((counts - 1000 / 11) ** 2 / (1000 / 11)).sum() < 29.6  # exceeded by chance once in 1,000
