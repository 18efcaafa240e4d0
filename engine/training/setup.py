"""What the controls of every training that is watched have in common: where the run stands."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from pydantic import Field

from engine.studies.study import Setup

LONGEST_PAST = 8000


class TrainingSetup(Setup):
    """Controls of a run, where it stands, and what was done to it on the way there."""

    epoch: str = Field(
        default="0",
        max_length=16,
        pattern=r"^\d{1,6}(\.\d{1,6})?$",
        title="Epoch",
        description="Where the run stands: epochs, and samples of the one that was begun.",
    )
    past: str = Field(
        default="",
        max_length=LONGEST_PAST,
        title="Past",
        description="What was changed on the way, and when.",
    )

    def at_start(self) -> dict[str, Any]:
        """The fields that say what happens, without those that say how far it went."""
        return self.model_dump(exclude={"epoch", "past"})


@lru_cache(maxsize=256)
def name_of(setup: TrainingSetup) -> str:
    """A short name that two setups share if all their controls are the same."""
    return hashlib.sha256(repr(setup.at_start()).encode()).hexdigest()[:12]
