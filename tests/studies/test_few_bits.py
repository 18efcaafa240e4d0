"""Training in few bits: lanes as text, runs that repeat, and figures against torch, numpy and ml_dtypes."""

import re
from dataclasses import fields
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.numbers import named
from engine.studies import few_bits_run
from engine.studies.few_bits import EXAMPLES, STUDY, FewBitsSetup, check, run
from engine.studies.few_bits_figures import quartiles
from engine.studies.few_bits_lane import FORMATS, ROUNDINGS, Lane, read_lane, read_lanes, window
from engine.studies.few_bits_learner import LOW
from engine.studies.few_bits_run import Run
from engine.training.position import Position

MIXED = "fp32; fp8_e4m3fn rounding=stochastic; fp16 scaling=dynamic master=on; bfp4x16 state=bf16"
FORMAT = st.sampled_from([*FORMATS, "q8.8", "q1.15", "e5m6", "bfp4x16"])
LANE = st.builds(
    Lane,
    weights=FORMAT,
    activations=FORMAT,
    gradients=FORMAT,
    state=FORMAT,
    accumulator=st.sampled_from(["fp32", "fp16", "q8.8"]),
    rounding=st.sampled_from(list(ROUNDINGS)),
    scaling=st.sampled_from(["off", "dynamic", "1024"]),
    master=st.sampled_from(["on", "off"]),
)


def small(**changes: Any) -> FewBitsSetup:
    return FewBitsSetup(**{"lanes": MIXED, "hidden": "8", "batch": 200, **changes})


@given(st.lists(LANE, min_size=1, max_size=12))
def test_lanes_survive_being_written(lanes: list[Lane]) -> None:
    assert read_lanes("; ".join(map(str, lanes))) == lanes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1 to 12 lanes"),
        ("fp32; " * 13, "these are 13"),
        ("fp32; fp17", "lane 2: 'fp17' is not a format"),
        ("fp8_e8m0", "is not a format"),
        ("fp64", "is not a format"),
        ("e9m2", "at most e8m23"),
        ("e0m2", "exponent bits"),
        ("q0.8", "1 bit or more before the point"),
        ("q20.8", "at most 24 in all"),
        ("bfp1x16", "2 to 16 bits"),
        ("bfp4x0", "blocks of 1 to"),
        ("fp16 rounding=up", "rounding is nearest, stochastic, zero"),
        ("fp16 master=yes", "master weights are on or off"),
        ("fp16 scaling=-1", "a loss scale is off, dynamic, or a number"),
        ("fp16 scaling=1e99", "up to 2^40"),
        ("fp16 scaling=nan", "up to 2^40"),
        ("fp16 accumulator=mxfp8_e4m3", "an accumulator is one number"),
        ("fp16 wheels=4", "says nothing about a lane"),
        ("fp16 master", "says nothing about a lane"),
    ],
)
def test_what_is_no_lane_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read_lanes(text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": "MNIST", "lanes": "fp32; fp32 accumulator=fp16"}, "lane 2: MNIST is too large"),
        ({"seeds": 9, "lanes": "fp16;" * 12}, "the work of 108 trainings"),
        ({"seeds": 5, "lanes": "fp32 accumulator=fp16; bf16 accumulator=bf16"}, "the work of 100 trainings"),
        ({"hidden": "300"}, "1 to 256 units"),
        ({"hidden": "8, 8, 8, 8"}, "at most 3 hidden layers"),
        ({"past": '1:{"weight.0.0.0": 1}'}, "has no past"),
    ],
)
def test_what_cannot_be_trained_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        FewBitsSetup(**changes)


def test_windows_are_those_of_the_formats() -> None:
    for name, kind in (
        ("fp16", np.float16),
        ("bf16", ml_dtypes.bfloat16),
        ("fp8_e4m3fn", ml_dtypes.float8_e4m3fn),
        ("fp8_e5m2", ml_dtypes.float8_e5m2),
        ("fp4_e2m1", ml_dtypes.float4_e2m1fn),
    ):
        found, limits = window(name), ml_dtypes.finfo(kind)
        expected = [limits.smallest_subnormal, limits.smallest_normal, limits.max]
        assert found is not None
        assert [found.smallest, found.normal, found.largest] == [
            np.frexp(float(limit))[1] - 1 for limit in expected
        ], name
    fixed = window("q8.8")  # 2^-8 up to 127 + 255/256
    assert fixed is not None
    assert (fixed.smallest, fixed.largest) == (-8, 6)
    assert fixed.normal > fixed.largest
    assert window("bfp4x16") is None


def test_a_run_repeats_and_goes_back() -> None:
    """Straight on, looked at in between, and back and forth: the same numbers to the last bit."""
    straight = Run(small(epoch="1.400"))
    looked = Run(small())
    while looked.position < Position(1, 400):
        looked.row()
        looked.step()
    np.testing.assert_array_equal(looked.row(), straight.row())
    for there in (Position(0), Position(1, 200), Position(2), Position(1, 400)):
        looked.go_to(there)
    np.testing.assert_array_equal(looked.row(), straight.row())
    assert list(looked.curve) == list(straight.curve) == [0, 1]
    np.testing.assert_array_equal(Run(looked.setup).row(), straight.row())


def test_a_run_goes_back_without_kept_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_bits_run, "MOST_KEPT_BYTES", 0)
    setup = small(optimiser="Adam", rate=0.01)
    back = Run(setup.model_copy(update={"epoch": "3"}))
    back.go_to(Position(2, 200))
    np.testing.assert_array_equal(back.row(), Run(setup.model_copy(update={"epoch": "2.200"})).row())


def test_only_other_controls_begin_again() -> None:
    training = Run(small(epoch="1"))
    assert not training.change(small())
    assert training.position == Position(1)
    assert training.change(small(lanes="bf16"))
    assert training.position == Position(0)
    with pytest.raises(ValueError, match="by hand"):
        training.edit("weight.0.0.0", 1.0)


@pytest.mark.parametrize("optimiser", ["SGD", "momentum", "Adam"])
def test_the_plain_lane_learns_as_torch_does(optimiser: str) -> None:
    setup = small(lanes="fp32", optimiser=optimiser, rate=0.02, hidden="16, 8", seeds=3, epoch="2")
    checks = check(run(setup))
    assert [entry.name for entry in checks] == ["fp32: loss in epoch 1", "fp32: loss in epoch 2"]
    assert all(entry.error < 1e-5 for entry in checks)


def test_stored_weights_are_what_ml_dtypes_makes_of_the_master_weights() -> None:
    kinds = {"fp16": np.float16, "bf16": ml_dtypes.bfloat16, "fp8_e4m3fn": ml_dtypes.float8_e4m3fn}
    lanes = "; ".join(f"{name} master=on" for name in kinds)
    result = run(small(lanes=lanes, epoch="1"))
    for saved, kind in zip(result.still.weights, kinds.values(), strict=True):
        for name, stored in saved.weights.items():
            np.testing.assert_array_equal(stored, saved.master[name].astype(kind).astype(np.float32))
    checks = check(result)
    assert len(checks) == len(kinds)
    assert all(entry.passed for entry in checks)


def test_a_weight_that_a_format_does_not_hold_fails_the_check() -> None:
    result = run(small(lanes="q8.8; bf16"))
    for saved in result.still.weights:
        saved.weights["0.weight"][0, 0] = 0.3
    assert [entry.found for entry in check(result)] == [1, 1]


def test_gradients_are_counted_as_torch_has_them() -> None:
    """Of fp32, with a loss scale, on the batch that comes next."""
    training = Run(small(lanes="fp32 scaling=64", epoch="0.400"))
    learner = training.lanes[0][0]
    inputs, targets = (torch.from_numpy(part.numpy().copy()) for part in training._batch(0))
    weights = [torch.tensor(p.numpy()).requires_grad_() for p in learner.model.parameters()]
    hidden = torch.relu(torch.nn.functional.linear(inputs, *weights[:2]))
    loss = torch.nn.functional.cross_entropy(torch.nn.functional.linear(hidden, *weights[2:]), targets)
    found = torch.autograd.grad(loss * 64, weights)
    values = np.concatenate([gradient.numpy().reshape(-1) for gradient in found])
    exponents = np.frexp(values[values != 0])[1] - 1
    expected = np.bincount(np.maximum(exponents, LOW) - LOW, minlength=66) / values.size
    figures = training.figures()[0]
    assert np.abs(figures.gradients - expected).sum() < 0.01  # a last bit may move a number over an edge
    assert figures.zeros == pytest.approx(np.mean(values == 0), abs=1e-3)


def test_quartiles_over_seeds_are_numpys() -> None:
    values = np.random.default_rng(0).normal(size=5)
    np.testing.assert_allclose(quartiles(values), np.percentile(values, [25, 50, 75]))
    assert quartiles([1.0, 2.0, 3.0, np.nan, np.inf]).tolist() == [2.0, 3.0, np.inf]


def test_fixed_point_with_few_fraction_bits_trains_only_stochastically() -> None:
    """Gupta et al. 2015, over 5 seeds: 16 bits with 12 after the point suffice; of 6, only at random."""
    setup = FewBitsSetup(
        lanes="fp32; q4.12; q10.6; q10.6 rounding=stochastic", rate=0.3, batch=100, seeds=5, epoch="5"
    )
    fp32, enough, nearest, stochastic = (figures.accuracy for figures in run(setup).still.figures)
    assert fp32[0] > 0.8
    assert enough[1] == pytest.approx(fp32[1], abs=0.02)
    assert nearest[2] < 0.4
    assert stochastic[0] > 0.75


def test_a_dynamic_scale_skips_steps_until_gradients_fit() -> None:
    """At 2^16 all overflow e3m4, whose largest number is 15.5; in the end they do not."""
    setup = small(lanes="fp32 gradients=fp8_e3m4 scaling=dynamic; fp32 gradients=fp8_e3m4 scaling=65536")
    training = Run(setup.model_copy(update={"epoch": "3"}))
    assert training.remark([]).endswith("not finite: fp32 gradients=fp8_e3m4 scaling=65536.")
    found = training.still()
    dynamic, fixed = found.curve[1]
    assert dynamic.skipped > 0.5
    assert fixed.skipped == 0
    dynamic, fixed = found.figures
    assert dynamic.scale < 2**16
    assert np.log2(dynamic.scale) % 1 == 0
    assert np.isfinite(dynamic.test_loss[1])
    assert np.isinf(fixed.test_loss[1])


def test_master_weights_lose_no_updates() -> None:
    without, beside = run(small(lanes="fp8_e4m3fn; fp8_e4m3fn master=on", epoch="2")).still.figures
    assert without.lost.min() > 0.5
    assert beside.lost.max() < 0.05


def test_rows_are_as_long_as_they_say() -> None:
    training = Run(small(hidden="8, 8"))
    shape = training.shape()
    each = 3 * 3 + shape["layers"] + 2 + (shape["high"] - shape["low"] + 1) + 2
    assert len(training.row()) == 8 + len(shape["lanes"]) * each
    assert np.isnan(training.row()[2])  # no training loss before the first step


def test_every_example_is_possible_and_the_table_is_full() -> None:
    for setup in EXAMPLES.values():
        assert FewBitsSetup(**setup.model_dump()) == setup
    result = STUDY.run(small(epoch="1"))
    table = result.table()
    assert set(map(len, table.values())) == {2 * 4}
    assert result.summary()["epoch"] == "1"


def test_every_named_format_can_be_a_lane() -> None:
    for name in FORMATS:
        lane = read_lane(name)
        assert all(hasattr(lane, field.name) for field in fields(lane))
        assert lane.is_plain == (name == named.fp32.name)
