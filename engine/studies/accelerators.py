"""Study: what an accelerator does with a matrix product, and when it idles or waits.

A systolic array multiplies real numbers, simulated register by register beside its closed form; a roofline
says what memory leaves of a published machine's peak; a ledger says what the same product costs in energy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from engine.agreement import difference
from engine.oracles import torch_version
from engine.studies import accelerators_energy as energy
from engine.studies import accelerators_roofline as roofline
from engine.studies.accelerators_array import Integers, Trace, simulate
from engine.studies.accelerators_cycles import Workload
from engine.studies.accelerators_setup import AcceleratorsSetup, FormatName
from engine.studies.study import Check, Study

SMALLEST, LARGEST = -4, 4  # of the integers that are multiplied
MEASURED_BATCHES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
CURVE_TILES = 8  # of the curve with double-buffered loading
TOLERANCE = 1e-12
ROUNDED = 5e-3  # published figures have three digits


@dataclass(frozen=True)
class ArrayFound:
    """A product on the array: the matrices, the workload with its closed form, and what was simulated."""

    x: Integers
    w: Integers
    work: Workload
    trace: Trace
    measured: Mapping[int, int]  # batch -> cycles counted, of the same layer on the same array

    @property
    def utilisation(self) -> float:
        return self.work.utilisation(self.trace.cycles)

    def summary(self) -> Mapping[str, float | int | str]:
        return {
            "tiles": self.work.tiles,
            "cycles counted": self.trace.cycles,
            "cycles predicted": self.work.cycles,
            "multiply-adds": self.work.products,
            "utilisation": self.utilisation,
            "activations that enter": self.trace.activation_reads,
            "weights that enter": self.trace.weight_reads,
            "sums that leave": self.trace.sum_updates,
        }

    def table(self) -> Mapping[str, Sequence[Any]]:
        """One row a cycle: how many elements did a product that was asked for."""
        busy = self.trace.useful
        return {
            "cycle": list(range(self.trace.cycles)),
            "elements at work": busy.tolist(),
            "products so far": np.cumsum(busy).tolist(),
        }


@dataclass(frozen=True)
class RooflineFound:
    """What the roofs allow a dense layer at this batch, whose intensity is the batch itself."""

    batch: int

    def summary(self) -> Mapping[str, float | int | str]:
        return {
            "peak (TOPS)": roofline.PEAK,
            "ridge (multiply-adds per weight byte)": roofline.RIDGE,
            "attainable at this batch (TOPS)": roofline.attainable(self.batch),
            "with fill and drain (TOPS)": roofline.with_fill_and_drain(self.batch),
            "applications bound by memory": sum(a.is_bound_by_memory for a in roofline.APPLICATIONS),
        }

    def table(self) -> Mapping[str, Sequence[Any]]:
        every = roofline.APPLICATIONS
        return {
            "application": [a.name for a in every],
            "multiply-adds per weight byte": [a.intensity for a in every],
            "attainable (TOPS)": [a.attainable for a in every],
            "measured by the authors (TOPS)": [a.measured for a in every],
        }


@dataclass(frozen=True)
class EnergyFound:
    """The ledgers of a net in every format with every kind of reuse, at one batch."""

    widths: tuple[int, ...]
    batch: int
    chosen: FormatName
    side: int
    ledgers: Mapping[tuple[FormatName, energy.Reuse], energy.Ledger]

    def of(self, reuse: energy.Reuse) -> energy.Ledger:
        """The ledger of the chosen format."""
        return self.ledgers[self.chosen, reuse]

    def per_example(self, batch: int, reuse: energy.Reuse) -> energy.Ledger:
        """The ledger at another batch; divide by the batch for one example."""
        return energy.ledger(self.widths, batch, self.chosen, reuse, self.side)

    def summary(self) -> Mapping[str, float | int | str]:
        figures: dict[str, float | int | str] = {
            "multiply-adds": self.of("no reuse").products,
            "arithmetic (pJ, estimate)": self.of("no reuse").arithmetic,
        }
        return figures | {f"{reuse} (pJ, estimate)": self.of(reuse).total for reuse in energy.REUSES}

    def table(self) -> Mapping[str, Sequence[Any]]:
        rows = list(self.ledgers.items())
        return {
            "format": [name for (name, _), _ in rows],
            "reuse": [reuse for (_, reuse), _ in rows],
            "multiply (pJ)": [each.multiply for _, each in rows],
            "add (pJ)": [each.add for _, each in rows],
            "memory on chip (pJ)": [each.memory for _, each in rows],
            "DRAM (pJ)": [each.dram for _, each in rows],
            "total (pJ)": [each.total for _, each in rows],
        }


Found = ArrayFound | RooflineFound | EnergyFound


@dataclass(frozen=True)
class AcceleratorsResult:
    """What was found, by experiment."""

    setup: AcceleratorsSetup
    found: Found

    def summary(self) -> Mapping[str, float | int | str]:
        return self.found.summary()

    def table(self) -> Mapping[str, Sequence[Any]]:
        return self.found.table()


def run(setup: AcceleratorsSetup) -> AcceleratorsResult:
    """Do the experiment. Raises ValueError for a text that is not the sizes it should be."""
    if setup.experiment == "Systolic array":
        return AcceleratorsResult(setup, multiply(setup))
    if setup.experiment == "Roofline":
        return AcceleratorsResult(setup, RooflineFound(setup.examples))
    widths = setup.widths
    ledgers = {
        (name, reuse): energy.ledger(widths, setup.examples, name, reuse, setup.side)
        for name in energy.FORMATS
        for reuse in energy.REUSES
    }
    found = EnergyFound(widths, setup.examples, setup.number_format, setup.side, ledgers)
    return AcceleratorsResult(setup, found)


def multiply(setup: AcceleratorsSetup) -> ArrayFound:
    """Random small integers through the array, and the cycles of other batches."""
    batch, inputs, outputs = setup.sizes
    work = Workload(batch, inputs, outputs, setup.rows, setup.columns, setup.dataflow, setup.loading)
    draw = np.random.default_rng(setup.seed)
    x = draw.integers(SMALLEST, LARGEST, (batch, inputs), endpoint=True)
    w = draw.integers(SMALLEST, LARGEST, (inputs, outputs), endpoint=True)
    return ArrayFound(x, w, work, simulate(x, w, work), counted(full_tile(work)))


def full_tile(work: Workload, batch: int = 1) -> Workload:
    """The same array with nothing but full tiles: one of them, or several where they overlap."""
    across = work.columns * (CURVE_TILES if work.loading == "double-buffered" else 1)
    inputs = work.rows if work.keeps_weights else work.inputs
    return replace(work, batch=batch, inputs=inputs, outputs=across)


@lru_cache(maxsize=256)
def counted(work: Workload) -> Mapping[int, int]:
    """Cycles of this workload at several batches, by simulation; its own batch does not matter."""
    found = {}
    for batch in MEASURED_BATCHES:
        x, w = np.zeros((batch, work.inputs), np.int64), np.zeros((work.inputs, work.outputs), np.int64)
        found[batch] = simulate(x, w, replace(work, batch=batch), record=False).cycles
    return found


# ---- the oracles


def check(result: AcceleratorsResult) -> list[Check]:
    """Products by numpy and torch, cycles by the closed form; published figures; operations by torch."""
    found = result.found
    if isinstance(found, ArrayFound):
        return check_array(found)
    return check_roofline() if isinstance(found, RooflineFound) else check_energy(found)


def check_array(found: ArrayFound) -> list[Check]:
    import torch

    work, trace = found.work, found.trace
    by_torch = (torch.tensor(found.x) @ torch.tensor(found.w)).numpy()
    by_numpy = found.x @ found.w
    law = "S + R + C − 2"
    missed = sum(full_tile(work, batch).cycles != cycles for batch, cycles in found.measured.items())
    return [
        checked("elements of Y that differ", f"numpy {np.__version__}", 0, (trace.output != by_numpy).sum()),
        checked("elements of Y that are not its", torch_version(), 0, (trace.output != by_torch).sum()),
        checked("cycles", law, work.cycles, trace.cycles),
        checked("utilisation", law, work.utilisation(work.cycles), found.utilisation),
        checked("multiply-adds", "batch · inputs · outputs", found.x.size * work.outputs, trace.useful.sum()),
        checked("other batches with other cycles", law, 0, missed),
    ]


def check_roofline() -> list[Check]:
    every = roofline.APPLICATIONS
    above = sum(each.measured > each.attainable for each in every)
    figures = [
        ("peak (TOPS)", roofline.PUBLISHED_PEAK, roofline.PEAK),
        ("ridge (multiply-adds per byte)", roofline.PUBLISHED_RIDGE, roofline.RIDGE),
        ("applications bound by memory", 4, sum(each.is_bound_by_memory for each in every)),
        ("applications measured above the roof", 0, above),
    ]
    return [checked(name, roofline.SOURCE, published, ours, ROUNDED) for name, published, ours in figures]


def check_energy(found: EnergyFound) -> list[Check]:
    """Multiply-adds as torch counts them, and what crosses the edge of an array as the simulation does."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    layers = [torch.nn.Linear(*pair, bias=False, device="meta") for pair in pairwise(found.widths)]
    with FlopCounterMode(display=False) as counter:
        torch.nn.Sequential(*layers)(torch.empty(found.batch, found.widths[0], device="meta"))
    small = Workload(6, 10, 7, 4, 4)
    trace = simulate(np.ones((6, 10), np.int64), np.ones((10, 7), np.int64), small, record=False)
    products = found.of("no reuse").products
    return [
        checked("multiply-adds", torch_version(), counter.get_total_flops() / 2, products),
        checked("activations that enter", "simulated 4 × 4", trace.activation_reads, small.activation_reads),
        checked("weights that enter", "simulated 4 × 4", trace.weight_reads, small.weight_reads),
        checked("sums that leave", "simulated 4 × 4", trace.sum_updates, small.sum_updates),
    ]


def checked(name: str, oracle: str, expected: float, found: float, tolerance: float = TOLERANCE) -> Check:
    error = difference(float(found), float(expected))
    return Check(name, oracle, float(expected), float(found), error, tolerance)


EXAMPLES: dict[str, dict[str, AcceleratorsSetup]] = {
    "Systolic array": {
        "4 × 4, four examples": AcceleratorsSetup(),
        "one example": AcceleratorsSetup(product="1, 4, 4"),
        "a long stream": AcceleratorsSetup(product="16, 4, 4"),
        "sums stay": AcceleratorsSetup(dataflow="output-stationary", product="4, 6, 4"),
        "in tiles": AcceleratorsSetup(rows=3, columns=3, product="4, 5, 6", loading="before each tile"),
        "double-buffered": AcceleratorsSetup(rows=3, columns=3, product="4, 6, 6", loading="double-buffered"),
    },
    "Roofline": {
        "200 examples": AcceleratorsSetup(experiment="Roofline"),
        "one example": AcceleratorsSetup(experiment="Roofline", examples=1),
        "at the ridge": AcceleratorsSetup(experiment="Roofline", examples=1349),
    },
    "Energy": {
        "784-128-10, batch 200": AcceleratorsSetup(experiment="Energy"),
        "batch 1": AcceleratorsSetup(experiment="Energy", examples=1),
        "in fp32": AcceleratorsSetup(experiment="Energy", number_format="fp32"),
        "one large layer": AcceleratorsSetup(experiment="Energy", layers="4096, 4096"),
        "the Playground's net": AcceleratorsSetup(
            experiment="Energy", layers="2, 16, 16, 1", examples=50, side=8
        ),
    },
}

STUDY = Study(
    name="accelerators",
    version=1,
    question="When does an accelerator work, and when does it wait?",
    setup=AcceleratorsSetup,
    run=run,
    check=check,
)
