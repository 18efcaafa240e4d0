"""What the board of a run that is watched is told of it; its frames come over a connection of their own."""

from __future__ import annotations

from typing import Any

from engine.training.setup import TrainingSetup, name_of


def run_document(setup: TrainingSetup, token: str, present: bool) -> dict[str, Any]:
    """Where the run is to be had, and the moment and the controls that the page knows of."""
    return {"token": token, "present": present, "moment": setup.epoch, "controls": name_of(setup)}
