"""The controls of training in few bits: data, net and optimiser, which all lanes share, and the lanes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from engine.studies.few_bits_lane import FULL, Lane, read_lanes
from engine.training.setup import TrainingSetup

MOST_UNITS = 256
MOST_LAYERS = 3
MOST_EPOCHS = 500
LONGEST_LANES = 2000
MOST_SIDE_BY_SIDE = {"digits": 60, "MNIST": 30}  # trainings; more would keep a page waiting
NARROW = 10  # such trainings take as long as one that adds up in a narrow accumulator


class FewBitsSetup(TrainingSetup):
    """One net, trained side by side in several lanes that round differently."""

    data: Literal["digits", "MNIST"] = Field(
        default="digits",
        title="Data",
        description="1,797 digits of 8 × 8 pixels, or 5,000 of MNIST, 28 × 28; a fifth is for testing.",
    )
    lanes: str = Field(
        default="fp32; fp16; bf16; fp8_e4m3fn; fp8_e4m3fn scaling=dynamic master=on; "
        "q8.8; q8.8 rounding=stochastic",
        max_length=LONGEST_LANES,
        title="Lanes",
        description="What each training rounds, one after the other: fp16; fp16 scaling=dynamic master=on; …",
    )
    hidden: str = Field(
        default="32",
        max_length=20,
        title="Hidden layers",
        description=f"Units of each, as in 64, 32: up to {MOST_LAYERS} layers of up to {MOST_UNITS} ReLUs.",
    )
    optimiser: Literal["SGD", "momentum", "Adam"] = Field(
        default="SGD", title="Optimiser", description="Momentum is 0.9."
    )
    rate: float = Field(default=0.1, gt=0, le=10, title="Learning rate", description="Constant.")
    batch: int = Field(default=50, ge=1, le=500, title="Batch size", description="Samples in one step.")
    seeds: int = Field(
        default=1,
        ge=1,
        le=9,
        title="Seeds",
        description="Each lane is trained from so many beginnings; curves are medians, bands quartiles.",
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        title="Seed",
        description="Of first weights, order of samples and stochastic rounding; further ones follow it.",
    )

    @field_validator("lanes")
    @classmethod
    def _readable_lanes(cls, text: str, info: ValidationInfo) -> str:
        lanes = read_lanes(text)
        for number, lane in enumerate(lanes, 1):
            if lane.accumulator != FULL and info.data.get("data") == "MNIST":
                raise ValueError(
                    f"lane {number}: MNIST is too large for an accumulator, whose every addition is simulated"
                )
        return "; ".join(map(str, lanes))

    @field_validator("seeds")
    @classmethod
    def _bearable(cls, seeds: int, info: ValidationInfo) -> int:
        lanes = read_lanes(info.data.get("lanes", FULL))
        work = seeds * sum(NARROW if lane.accumulator != FULL else 1 for lane in lanes)
        data = info.data.get("data", "digits")
        most = MOST_SIDE_BY_SIDE[data]
        if work > most:
            raise ValueError(
                f"with these lanes that is the work of {work} trainings, and {most} is the most"
                f" on {data} (a narrow accumulator counts {NARROW} times)"
            )
        return seeds

    @field_validator("hidden")
    @classmethod
    def _readable_layers(cls, text: str) -> str:
        return ", ".join(map(str, read_layers(text)))

    @field_validator("past")
    @classmethod
    def _no_past(cls, text: str) -> str:
        if text:
            raise ValueError("here every change begins a run of its own, which has no past")
        return text

    @property
    def each_lane(self) -> list[Lane]:
        return read_lanes(self.lanes)

    @property
    def each_seed(self) -> range:
        return range(self.seed, self.seed + self.seeds)

    @property
    def layers(self) -> list[int]:
        """Units of the hidden layers."""
        return read_layers(self.hidden)


def read_layers(text: str) -> list[int]:
    """Units from "64, 32"; ValueError quotes what is no such number."""
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not part.isdecimal() or not 1 <= int(part) <= MOST_UNITS:
            raise ValueError(f"a layer has 1 to {MOST_UNITS} units, as in 64, 32, and not {part[:20]!r}")
    if len(parts) > MOST_LAYERS:
        raise ValueError(f"there may be at most {MOST_LAYERS} hidden layers, and these are {len(parts)}")
    return [int(part) for part in parts]
