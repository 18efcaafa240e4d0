"""An energy ledger: counted operations and counted reads, each times what it takes at 45 nm. An estimate.

Prices are those of Horowitz, "Computing's energy problem", ISSCC 2014 (45 nm, 0.9 V): the cost of an addition
and of a multiplication, and of reading 64 bits from caches of three sizes and from DRAM. Fewer bits are
charged in proportion, and a write like a read. Not priced, for the table has no row for it: control, clock,
registers, and the step from one element of an array to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from engine.studies.accelerators_cycles import Workload
from engine.studies.accelerators_setup import FormatName

SOURCE = "Horowitz 2014"
Reuse = Literal["no reuse", "on-chip memory", "systolic array"]
REUSES: tuple[Reuse, ...] = ("no reuse", "on-chip memory", "systolic array")

WORD = 64  # bits of a read in the table
DRAM = (1300.0, 2600.0)  # pJ for a word: the ends of the published range
MEMORIES = ((8 * 1024, 10.0), (32 * 1024, 20.0), (1024 * 1024, 100.0))  # bytes, pJ for a word


@dataclass(frozen=True)
class Format:
    """A number format: bits of an operand and of a sum; pJ of a multiplication and of an addition."""

    bits: int
    sum_bits: int
    multiply: float
    add: float


FORMATS: dict[FormatName, Format] = {
    "int8": Format(8, 32, 0.2, 0.1),
    "fp16": Format(16, 16, 1.1, 0.4),
    "fp16, sums in fp32": Format(16, 32, 1.1, 0.9),
    "int32": Format(32, 32, 3.1, 0.1),
    "fp32": Format(32, 32, 3.7, 0.9),
}


@dataclass(frozen=True)
class Ledger:
    """Energies in pJ of one pass of a batch through a net, and the counts behind them."""

    products: int
    memory_bits: int
    dram_bits: int
    multiply: float
    add: float
    memory: float
    dram: float

    @property
    def arithmetic(self) -> float:
        return self.multiply + self.add

    @property
    def total(self) -> float:
        return self.arithmetic + self.memory + self.dram

    @property
    def total_at_most(self) -> float:
        """With DRAM at the upper end of the published range."""
        return self.total + self.dram * (DRAM[1] / DRAM[0] - 1)


def ledger(widths: Sequence[int], batch: int, name: FormatName, reuse: Reuse, side: int) -> Ledger:
    """The ledger of a net of dense layers with these widths, for a batch, in a format, on a machine.

    no reuse         every product fetches both its operands from DRAM
    on-chip memory   every number comes from DRAM once, and every product reads both operands on chip
    systolic array   as before, but only what crosses the edge of a side × side array is read on chip
    """
    form = FORMATS[name]
    products, memory_bits, dram_bits, memory = 0, 0, 0, 0.0
    for inputs, outputs in pairwise(widths):
        work = Workload(batch, inputs, outputs, side, side)
        products += work.products
        once = (batch * inputs + inputs * outputs + batch * outputs) * form.bits
        on_chip = 0
        if reuse == "no reuse":
            dram_bits += 2 * work.products * form.bits + batch * outputs * form.bits
        else:
            dram_bits += once
            on_chip = chip_bits(work, form, reuse)
        memory_bits += on_chip
        memory += on_chip * price(once // 8)
    return Ledger(
        products,
        memory_bits,
        dram_bits,
        products * form.multiply,
        products * form.add,
        memory,
        dram_bits * DRAM[0] / WORD,
    )


def chip_bits(work: Workload, form: Format, reuse: Reuse) -> int:
    """Bits read and written on chip for one layer; sums of more than one tile are read, added to, written."""
    if reuse == "on-chip memory":
        return 2 * work.products * form.bits + work.batch * work.outputs * form.bits
    operands = (work.activation_reads + work.weight_reads) * form.bits
    first = work.batch * work.outputs  # sums that are only written
    return operands + (2 * work.sum_updates - first) * form.sum_bits


def price(size: int) -> float:
    """pJ a bit of the smallest memory of the table that holds so many bytes, or of the largest one."""
    fitting = [cost for room, cost in MEMORIES if size <= room]
    return (fitting[0] if fitting else MEMORIES[-1][1]) / WORD
