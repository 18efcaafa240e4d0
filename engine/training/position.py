"""Where a run stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Position:
    """Where a run stands: whole epochs, how many samples of the next one have been used for steps, and how
    many samples of the batch that comes next have been looked at, which changes nothing yet."""

    epoch: int = 0
    used: int = 0
    seen: int = 0

    def __str__(self) -> str:
        if self.seen:
            return f"{self.epoch}.{self.used}.{self.seen}"
        return f"{self.epoch}.{self.used}" if self.used else str(self.epoch)

    @property
    def whole(self) -> Position:
        """The same between two steps: on it alone depends what the net has learnt."""
        return Position(self.epoch, self.used)


def read_position(text: str) -> Position:
    """The position that `str` wrote; ValueError where it did not."""
    parts = text.split(".")
    if len(parts) > 3 or not all(part.isdecimal() for part in parts):
        raise ValueError(f"a position is written epoch, epoch.used or epoch.used.seen, not {text[:40]!r}")
    return Position(*map(int, parts))
