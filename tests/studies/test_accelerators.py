"""Accelerators against numpy, torch, exact fractions and the published figures."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.studies import accelerators_energy as energy
from engine.studies import accelerators_roofline as roofline
from engine.studies.accelerators import (
    EXAMPLES,
    STUDY,
    ArrayFound,
    EnergyFound,
    check,
    full_tile,
    run,
)
from engine.studies.accelerators_setup import AcceleratorsSetup

EVERY = [example for examples in EXAMPLES.values() for example in examples.values()]


def found(**fields: object) -> ArrayFound:
    result = run(AcceleratorsSetup(**fields)).found
    assert isinstance(result, ArrayFound)
    return result


def ledgers(**fields: object) -> EnergyFound:
    result = run(AcceleratorsSetup(experiment="Energy", **fields)).found
    assert isinstance(result, EnergyFound)
    return result


@pytest.mark.parametrize("setup", EVERY)
def test_every_example_agrees_with_its_oracles(setup: AcceleratorsSetup) -> None:
    result = run(setup)
    assert all(each.passed for each in check(result)), check(result)
    lengths = {len(column) for column in result.table().values()}
    assert len(lengths) == 1
    assert result.summary()


def test_the_product_on_the_array_is_that_of_torch() -> None:
    array = found(product="5, 7, 6", rows=3, columns=2, loading="double-buffered", seed=3)
    expected = torch.tensor(array.x) @ torch.tensor(array.w)
    assert torch.equal(torch.tensor(array.trace.output), expected)


@given(batch=st.integers(1, 16), rows=st.integers(1, 8), columns=st.integers(1, 8))
def test_utilisation_of_a_full_tile(batch: int, rows: int, columns: int) -> None:
    array = found(product=f"{batch}, {rows}, {columns}", rows=rows, columns=columns)
    assert Fraction(array.work.products, rows * columns * array.trace.cycles) == Fraction(
        batch, batch + rows + columns - 2
    )


def test_the_curve_is_counted_on_full_tiles() -> None:
    array = found(rows=3, columns=5, loading="before each tile")
    assert array.measured == {batch: 3 + batch + 3 + 5 - 2 for batch in array.measured}
    work = full_tile(array.work, 9)
    assert (work.batch, work.inputs, work.outputs, work.tiles) == (9, 3, 5, 1)


def test_the_table_counts_elements_at_work() -> None:
    busy = found(product="4, 4, 4").table()["elements at work"]
    diagonals = np.array([[[b + r + c for c in range(4)] for r in range(4)] for b in range(4)])
    assert busy == np.bincount(diagonals.reshape(-1)).tolist()


# ---- the roofline


def test_the_constants_give_the_published_figures() -> None:
    assert pytest.approx(65_536 * 2 * 700e6 / 1e12) == roofline.PEAK
    assert round(roofline.PEAK) == 92
    assert round(roofline.RIDGE, -1) == 1350


@pytest.mark.parametrize(("name", "share"), [("MLP0", 0.90), ("LSTM1", 0.43), ("CNN0", 0.94)])
def test_applications_reach_their_share_of_the_roof(name: str, share: float) -> None:
    one = next(each for each in roofline.APPLICATIONS if each.name == name)
    roof = min(Fraction(917504, 10_000), Fraction(int(one.intensity) * 2 * 34, 1000))
    assert one.measured / float(roof) == pytest.approx(share, abs=0.01)
    assert one.attainable == pytest.approx(float(roof))


@given(st.floats(1, 4096))
def test_a_layer_never_passes_its_roof(batch: float) -> None:
    assert roofline.with_fill_and_drain(batch) <= roofline.attainable(batch) * (1 + 1e-12)
    fill = batch / (batch + 510)
    assert roofline.with_fill_and_drain(batch) <= roofline.PEAK * fill * (1 + 1e-12)


# ---- the ledger


def test_a_ledger_by_hand() -> None:
    """One layer of 2 × 3 for 4 examples in int8 on an array that holds it: exact fractions of a pJ."""
    ledger = energy.ledger((2, 3), 4, "int8", "systolic array", 8)
    numbers = 4 * 2 + 2 * 3 + 4 * 3
    assert ledger.products == 24
    assert ledger.multiply == pytest.approx(float(24 * Fraction(2, 10)))
    assert ledger.add == pytest.approx(float(24 * Fraction(1, 10)))
    assert ledger.dram == pytest.approx(float(Fraction(numbers * 8 * 1300, 64)))
    on_chip = (4 * 2 + 2 * 3) * 8 + 4 * 3 * 32
    assert ledger.memory == pytest.approx(float(Fraction(on_chip * 10, 64)))
    assert ledger.total_at_most - ledger.total == pytest.approx(ledger.dram)


def test_without_reuse_every_product_fetches_two_numbers() -> None:
    ledger = energy.ledger((2, 3), 4, "fp32", "no reuse", 8)
    assert ledger.dram == pytest.approx(float(Fraction((2 * 24 + 12) * 32 * 1300, 64)))
    assert ledger.memory == 0


def test_sums_of_several_tiles_are_read_and_written_again() -> None:
    once = energy.ledger((8, 8), 1, "int8", "systolic array", 8)
    twice = energy.ledger((16, 8), 1, "int8", "systolic array", 8)
    operands = 8 * (8 + 64)
    assert once.memory_bits == operands + 8 * 32
    assert twice.memory_bits == 2 * operands + 3 * 8 * 32


def test_a_read_costs_what_a_memory_that_holds_the_data_costs() -> None:
    kilobyte = 1024
    sizes = [8 * kilobyte, 8 * kilobyte + 1, 32 * kilobyte + 1, 1024 * kilobyte + 1]
    assert [energy.price(size) * 64 for size in sizes] == [10, 20, 100, 100]


@given(batch=st.integers(1, 500), side=st.sampled_from([8, 32, 128, 256]))
def test_reuse_never_costs_more_dram(batch: int, side: int) -> None:
    none, chip, array = (energy.ledger((50, 30), batch, "fp16", r, side) for r in energy.REUSES)
    assert array.dram == chip.dram <= none.dram
    assert array.arithmetic == chip.arithmetic == none.arithmetic


def test_at_batch_1_the_format_saves_no_more_than_its_bits() -> None:
    made = ledgers(examples=1)
    ratio = made.ledgers["fp32", "systolic array"].total / made.ledgers["int8", "systolic array"].total
    assert 4 <= ratio < 4.1


# ---- what cannot be


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4, 4", "three numbers, not 2"),
        ("", "three numbers, not 0"),
        ("4, 17, 4", "'17' is not a whole number from 1 to 16"),
        ("4, 0, 4", "'0' is not a whole number from 1 to 16"),
        ("4, -4, 4", "'-4' is not"),
        ("4, four, 4", "'four' is not"),
        ("4, ٣, 4", "is not a whole number"),
    ],
)
def test_sizes_that_cannot_be_drawn_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(AcceleratorsSetup(product=text))


@pytest.mark.parametrize(
    ("text", "message"),
    [("784", "2 to 9 widths, not 1"), ("784, 99999", "from 1 to 16384"), ("1," * 10, "not 10")],
)
def test_widths_that_make_no_net_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(AcceleratorsSetup(experiment="Energy", layers=text))


def test_the_longest_run_is_within_the_steps() -> None:
    longest = found(product="16, 16, 16", rows=1, columns=1)
    last = AcceleratorsSetup.model_fields["step"].metadata[-1].le
    assert longest.trace.cycles == last + 1 == 4096


def test_the_study_is_named_like_its_page() -> None:
    assert STUDY.name == "accelerators"
