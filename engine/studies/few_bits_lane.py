"""A lane: what one of several trainings side by side rounds, and to what, as one line of text.

fp16 scaling=dynamic master=on            everything in fp16, with a loss scale and fp32 weights beside
fp8_e4m3fn gradients=fp8_e5m2 master=on   another format for gradients
q10.6 rounding=stochastic                 16-bit fixed point: 10 bits before the point, 6 after it

The first word is the format of weights, activations and gradients; what is left out is fp32, or off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from math import log2

from engine.numbers import named
from engine.numbers.arithmetic import Arithmetic
from engine.numbers.blocks import BLOCK_FORMATS, BlockFormat, block_floating_point
from engine.numbers.exact import NumberError, Rounding, floor_log2
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat
from engine.numbers.format import Format
from engine.numbers.quantised import UNROUNDED, Quantiser
from engine.numbers.training import LossScaling, Settings

FULL = "fp32"  # what everything is computed in: nothing is rounded
FORMATS = tuple(
    [entry.name for entry in named.FLOATS if entry.is_signed and entry.bits <= 32] + list(BLOCK_FORMATS)
)
ROUNDINGS = {
    "nearest": Rounding.NEAREST_EVEN,
    "stochastic": Rounding.STOCHASTIC,
    "zero": Rounding.TOWARD_ZERO,
}
DYNAMIC = LossScaling(2.0**16, dynamic=True)
MOST_SCALE = 2.0**40
MOST_LANES = 12
MOST_BLOCK = 4096
SPLIT = re.compile(r"e(\d{1,2})m(\d{1,2})")
FIXED = re.compile(r"q(\d{1,2})\.(\d{1,2})")
BLOCKS = re.compile(r"bfp(\d{1,2})x(\d{1,4})")


@dataclass(frozen=True)
class Lane:
    """Formats by name, as `read_format` understands them, and how they are used; see `Settings`."""

    weights: str = FULL
    activations: str = FULL
    gradients: str = FULL
    state: str = FULL
    accumulator: str = FULL
    rounding: str = "nearest"
    scaling: str = "off"  # or "dynamic", or a number
    master: str = "off"  # or "on"

    def __post_init__(self) -> None:
        if self.rounding not in ROUNDINGS:
            raise ValueError(f"rounding is {', '.join(ROUNDINGS)}, and not {self.rounding!r}")
        if self.master not in ("on", "off"):
            raise ValueError(f"master weights are on or off, and not {self.master!r}")
        self.settings()

    def settings(self) -> Settings:
        """What the engine is told."""
        mode = ROUNDINGS[self.rounding]

        def quantiser(name: str) -> Quantiser:
            return UNROUNDED if name == FULL else Quantiser(read_format(name), mode)

        return Settings(
            weights=quantiser(self.weights),
            activations=quantiser(self.activations),
            gradients=quantiser(self.gradients),
            state=quantiser(self.state),
            accumulator=_accumulator(self.accumulator, mode),
            master_weights=self.master == "on",
            scaling=read_scaling(self.scaling),
        )

    @property
    def is_plain(self) -> bool:
        """Whether nothing is rounded or scaled."""
        return replace(self, rounding="nearest", master="off") == Lane()

    def __str__(self) -> str:
        """The shortest text that `read_lane` understands as this lane."""
        usual = _all_in(self.weights)
        return " ".join(
            [self.weights]
            + [
                f"{field.name}={getattr(self, field.name)}"
                for field in fields(self)
                if getattr(self, field.name) != getattr(usual, field.name)
            ]
        )


@dataclass(frozen=True)
class Window:
    """Which magnitudes a format holds, as binary exponents.

    smallest   of the smallest number above 0
    normal     of the smallest number at full precision; above `largest` in fixed point, which has none
    largest    of the largest number
    """

    smallest: int
    normal: int
    largest: int


def window(name: str) -> Window | None:
    """Of a format by name; None where it moves with the numbers, as it does for blocks."""
    target = read_format(name)
    if isinstance(target, FloatFormat):
        return Window(floor_log2(target.smallest), target.smallest_exponent, target.largest_exponent)
    if isinstance(target, FixedFormat):
        largest = int(log2(float(target.largest)))
        return Window(-target.places, largest + 1, largest)
    return None


def read_format(name: str) -> Format | BlockFormat:
    """The format of a name; ValueError says which there are."""
    if name in FORMATS:
        return BLOCK_FORMATS.get(name) or named.by_name(name)
    if found := SPLIT.fullmatch(name):
        exponent, fraction = map(int, found.groups())
        target = FloatFormat(name, exponent, fraction)
        if exponent > 8 or fraction > 23:
            raise NumberError(f"{name} has more bits than fp32, which all is computed in: at most e8m23")
        return target
    if found := FIXED.fullmatch(name):
        whole, places = map(int, found.groups())
        if whole < 1 or whole + places > 24:
            raise NumberError(
                f"{name} must have 1 bit or more before the point, for the sign, and at most 24 in all"
            )
        return FixedFormat(name, whole + places, places)
    if found := BLOCKS.fullmatch(name):
        bits, block = map(int, found.groups())
        if not 2 <= bits <= 16 or not 1 <= block <= MOST_BLOCK:
            raise NumberError(f"{name} must have 2 to 16 bits and blocks of 1 to {MOST_BLOCK}")
        return block_floating_point(bits, block)
    raise NumberError(
        f"{name[:20]!r} is not a format; write one of {', '.join(FORMATS)}, a split as e5m6, fixed point as "
        "q8.8, or blocks as bfp4x16"
    )


def read_scaling(text: str) -> LossScaling:
    """What a loss is multiplied by: off, dynamic, or a number."""
    if text in ("off", "dynamic"):
        return DYNAMIC if text == "dynamic" else LossScaling()
    try:
        scale = float(text)
        if not 0 < scale <= MOST_SCALE:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"a loss scale is off, dynamic, or a number up to 2^40, and not {text[:20]!r}"
        ) from None
    return LossScaling(scale)


def read_lane(text: str) -> Lane:
    """The lane of one line; ValueError says what in it cannot be read."""
    words = text.split()
    if not words:
        raise ValueError("a lane begins with a format, as in fp16 master=on")
    lane = _all_in(words[0])
    known = {field.name for field in fields(Lane)}
    for word in words[1:]:
        name, _, value = word.partition("=")
        if name not in known or not value:
            raise ValueError(f"{word[:30]!r} says nothing about a lane; write {'=…, '.join(sorted(known))}=…")
        lane = replace(lane, **{name: value})
    return lane


def read_lanes(text: str) -> list[Lane]:
    """Lanes with semicolons between them; ValueError names the one that cannot be read."""
    parts = [part for part in text.split(";") if part.strip()]
    if not 1 <= len(parts) <= MOST_LANES:
        raise ValueError(f"there are 1 to {MOST_LANES} lanes, and these are {len(parts)}")
    lanes = []
    for number, part in enumerate(parts, 1):
        try:
            lanes.append(read_lane(part))
        except ValueError as error:
            raise ValueError(f"lane {number}: {error}") from None
    return lanes


def _all_in(name: str) -> Lane:
    return Lane(weights=name, activations=name, gradients=name)


def _accumulator(name: str, mode: Rounding) -> Arithmetic | None:
    target = read_format(name)
    if name == FULL:
        return None
    if isinstance(target, BlockFormat):
        raise NumberError(f"an accumulator is one number, and {name} is a format of blocks")
    return Arithmetic(target, mode)
