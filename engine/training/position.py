"""Where a run stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Position:
    """Where a run stands: whole epochs, and how many samples of the next one have been used."""

    epoch: int = 0
    used: int = 0

    def __str__(self) -> str:
        return f"{self.epoch}.{self.used}" if self.used else str(self.epoch)


def read_position(text: str) -> Position:
    """The position that `str` wrote; ValueError where it did not."""
    epoch, _, used = text.partition(".")
    return Position(int(epoch), int(used or 0))
