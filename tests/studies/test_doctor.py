"""The doctor's study: what a setup runs, its checks against torch and Python, its program in PyTorch."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from app.figures.doctor_code import WRONG, program
from engine.doctor.names import ANSWERS, NAMES, hidden_in
from engine.doctor.planted import PLANTED
from engine.doctor.record import observe
from engine.jsonable import encode
from engine.studies.doctor import STUDY, Laboratory, Patient, run
from engine.studies.doctor_setup import DoctorSetup

ROOMS = {
    "Patient": DoctorSetup(seed=5, twin=True),
    "Depth": DoctorSetup(room="Depth", depth=8, nets=2),
    "Threads": DoctorSetup(room="Threads", threads=3),
}


@pytest.mark.parametrize("room", ROOMS)
def test_a_run_repeats_agrees_and_can_be_taken_away(room: str) -> None:
    result = run(ROOMS[room])
    checks = STUDY.check(result)
    assert checks
    assert all(check.passed for check in checks), checks
    assert len({len(column) for column in result.table().values()}) == 1
    figures = encode(dict(result.summary()))
    assert json.dumps(figures, allow_nan=False)
    assert encode(dict(run(ROOMS[room]).summary())) == figures


@pytest.mark.parametrize("fault", ["healthy", "no zero_grad", "NaN", "train/eval mix-up", "view bug"])
def test_the_losses_of_a_patient_are_torchs(fault: str) -> None:
    checks = STUDY.check(run(DoctorSetup(patient=fault, seed=2)))
    assert all(check.passed for check in checks), checks


def test_the_hidden_fault_is_not_in_the_setup_and_told_only_with_the_answer() -> None:
    closed, open_ = (run(DoctorSetup(seed=3, answer=answer)) for answer in (False, True))
    assert isinstance(closed.found, Patient)
    assert closed.found.fault == hidden_in(3) == closed.found.verdict.name
    said = json.dumps([closed.setup.model_dump(), encode(dict(closed.summary()))])
    assert not any(name in said for name in ANSWERS)
    assert str(open_.summary()["verdict"]).startswith(hidden_in(3))


def test_a_patient_that_does_not_exist_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no such patient; there are: hidden, no zero_grad"):
        DoctorSetup(patient="flu")


def test_the_laboratory_says_where_signals_go() -> None:
    found = run(DoctorSetup(room="Depth", depth=20, nets=3)).found
    assert isinstance(found, Laboratory)
    ends = {sizes.scheme.name: np.median(sizes.signal[:, -1]) for sizes in found.sizes}
    assert ends["0.01"] < ends["Glorot"] < ends["He"] < ends["1"]
    laws = {sizes.scheme.name: sizes.signal_law[-1] / sizes.signal_law[0] for sizes in found.sizes}
    assert laws["He"] == pytest.approx(1.0)
    assert laws["Glorot"] == pytest.approx(2.0**-10)
    assert laws["yours"] == pytest.approx(1.1**20)


def test_each_fault_is_one_line_of_the_program() -> None:
    assert set(WRONG) == set(NAMES)
    healthy = set(program("healthy", 0).splitlines())
    for name in NAMES:
        added = set(program(name, 0).splitlines()) - healthy
        (line,) = added
        assert "# <-- the fault" in line


def test_the_program_gives_the_losses_of_the_page() -> None:
    text = program("no zero_grad", 6).replace("= 32, 200,", "= 32, 10,")
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    *steps, _ = done.stdout.splitlines()
    losses = [float(line.split()[1]) for line in steps]
    assert len(losses) == 10
    np.testing.assert_allclose(losses, observe(PLANTED["no zero_grad"](6), 10).losses, rtol=1e-3)
