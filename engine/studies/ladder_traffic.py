"""What blocking saves: numbers that a small memory fetches for a product in blocks, simulated and by the law.

With room for three blocks of b × b numbers, each block that is fetched does b³ products: all together fetch
2n³/b + n² numbers, a b-th of the two that every product takes by itself [J.-W. Hong and H. T. Kung, "I/O
complexity: the red-blue pebble game", 1981].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from engine.measure import Cache
from engine.studies.ladder_cache import ITEM, simulate
from engine.studies.study import Check

SIDE = 54  # with many divisors, and rows that do not all begin in the same set
BLOCKS = tuple(block for block in range(1, SIDE + 1) if SIDE % block == 0)
WAYS = 16
LATE = (
    1 / 2
)  # more than the law, where a block that comes pushes out the one of the result: 3n³/b instead of 2n³/b


@dataclass(frozen=True)
class Traffic:
    """Numbers fetched in blocks of one size, by a memory that holds `room` numbers."""

    block: int
    room: int
    fetched: int

    @property
    def law(self) -> float:
        return 2 * SIDE**3 / self.block + SIDE**2

    @property
    def fits(self) -> bool:
        """Whether three blocks find room."""
        return 3 * self.block**2 <= self.room

    @property
    def has_one_to_spare(self) -> bool:
        """Whether a fourth block finds room, so that the next one need not push out one that is in use."""
        return 4 * self.block**2 < self.room


@lru_cache(maxsize=16)
def sweep(size: int) -> tuple[Traffic, ...]:
    """All sizes of blocks, with a memory of so many bytes that fetches number by number.

    Raises ValueError for a size that cannot be divided into its sets.
    """
    level = Cache(1, size, WAYS, ITEM)
    return tuple(
        Traffic(block, size // ITEM, simulate("tiles", SIDE, block, (level,)).missed(0)) for block in BLOCKS
    )


def checks(swept: Sequence[Traffic]) -> list[Check]:
    """The law is never exceeded where a fourth block has room, and by half at most where three have.

    Less is fetched where a whole row of blocks stays.
    """
    return [
        Check(
            f"blocks of {each.block}: numbers fetched, at most",
            "2n³/b + n²",
            each.law,
            each.fetched,
            max(each.fetched / each.law - 1, 0.0),
            0.0 if each.has_one_to_spare else LATE,
        )
        for each in swept
        if each.fits
    ]
