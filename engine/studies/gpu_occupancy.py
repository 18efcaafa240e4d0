"""Occupancy: how many warps a multiprocessor can hold at once, and what keeps it from holding more.

Limits and units of allocation are those of the CUDA C++ Programming Guide ("Technical Specifications per
Compute Capability") and of NVIDIA's occupancy calculator.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.studies.gpu_setup import Capability

WARP = 32
REGISTERS = 65536  # of a multiprocessor
REGISTER_UNIT = 256  # are given to a warp at once
WARP_UNIT = 4  # warps that share a multiprocessor's quarters
KIB = 1024


@dataclass(frozen=True)
class Multiprocessor:
    """What the blocks on one multiprocessor share."""

    warps: int
    blocks: int
    shared: int  # bytes
    shared_block: int  # bytes that one block may have
    shared_unit: int
    shared_reserved: int  # bytes of each block, for the system


MULTIPROCESSORS: dict[Capability, Multiprocessor] = {
    "7.5": Multiprocessor(32, 16, 64 * KIB, 64 * KIB, 256, 0),
    "8.0": Multiprocessor(64, 32, 164 * KIB, 163 * KIB, 128, KIB),
    "8.6": Multiprocessor(48, 16, 100 * KIB, 99 * KIB, 128, KIB),
    "8.9": Multiprocessor(48, 24, 100 * KIB, 99 * KIB, 128, KIB),
    "9.0": Multiprocessor(64, 32, 228 * KIB, 227 * KIB, 128, KIB),
}


@dataclass(frozen=True)
class Occupancy:
    """Blocks that fit on a multiprocessor, by each of its resources; `limits` names them."""

    limits: dict[str, int]
    warps_of_block: int
    most_warps: int

    @property
    def blocks(self) -> int:
        return min(self.limits.values())

    @property
    def limiting(self) -> str:
        """The resource that is used up first."""
        return min(self.limits, key=lambda name: self.limits[name])

    @property
    def warps(self) -> int:
        return self.blocks * self.warps_of_block

    @property
    def share(self) -> float:
        """Warps held, of the most there can be."""
        return self.warps / self.most_warps


def occupancy(gpu: Capability, threads: int, registers: int, shared: int) -> Occupancy:
    """Of blocks of so many threads, with so many registers for each thread and bytes of shared memory."""
    machine = MULTIPROCESSORS[gpu]
    warps = -(-threads // WARP)
    of_warp = rounded(registers * WARP, REGISTER_UNIT)
    by_registers = REGISTERS // of_warp // WARP_UNIT * WARP_UNIT // warps
    needed = rounded(shared + machine.shared_reserved, machine.shared_unit)
    by_shared = machine.shared // needed if needed else machine.blocks
    limits = {
        "blocks": machine.blocks,
        "warps": machine.warps // warps,
        "registers": by_registers,
        "shared memory": 0 if shared > machine.shared_block else by_shared,
    }
    return Occupancy(limits, warps, machine.warps)


def rounded(size: int, unit: int) -> int:
    """Up to a whole number of units."""
    return -(-size // unit) * unit
