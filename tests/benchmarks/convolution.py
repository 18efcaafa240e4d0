"""Convolutions of small networks, forward and with the gradients of input and weight, against torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod

import torch

import engine
import engine.nn.functional
from tests.benchmarks.machine import Watch
from tests.benchmarks.peaks import arithmetic_peaks, share_row
from tests.benchmarks.peers import OURS, TORCH
from tests.benchmarks.report import Row, publish
from tests.benchmarks.tensors import Taped, assert_close, compare, prepare, random_values, ratio_row

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Layer:
    """A convolution of square images with square kernels, stride 1, without padding."""

    batch: int
    in_channels: int
    size: int
    out_channels: int
    kernel: int

    @property
    def name(self) -> str:
        images = f"{self.batch} of {self.in_channels}x{self.size}x{self.size}"
        return f"{images} -> {self.out_channels} channels, kernel {self.kernel}"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.batch, self.in_channels, self.size, self.size

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return self.out_channels, self.in_channels, self.kernel, self.kernel

    @property
    def output_shape(self) -> tuple[int, ...]:
        side = self.size - self.kernel + 1
        return self.batch, self.out_channels, side, side

    @property
    def work(self) -> float:
        """Floating-point operations forward, and as many for each of the two gradients."""
        return 2.0 * prod(self.output_shape) * prod(self.weight_shape[1:])


LAYERS = (
    Layer(16, 1, 28, 6, 5),  # LeNet-5
    Layer(16, 6, 12, 16, 5),
    Layer(64, 1, 28, 6, 5),
    Layer(64, 6, 12, 16, 5),
    Layer(16, 4, 26, 8, 3),  # the second layer of minitorch's network
    Layer(16, 64, 32, 64, 3),
)


def main() -> None:
    prepare()
    watch = Watch(benchmark=os.getpid())
    publish("Convolutions", [row for layer in LAYERS for row in rows(layer)], watch.conditions())


def rows(layer: Layer) -> list[Row]:
    images, weight = random_values(*layer.input_shape, seed=1), random_values(*layer.weight_shape, seed=2)
    cotangent = random_values(*layer.output_shape, seed=3)
    libraries = {OURS: engine, TORCH: torch}
    forward = {
        name: partial(library.nn.functional.conv2d, library.tensor(images), library.tensor(weight))
        for name, library in libraries.items()
    }
    both = {
        name: Taped(library, library.nn.functional.conv2d, (images, weight), cotangent)
        for name, library in libraries.items()
    }
    subject = f"convolution: {layer.name}"
    assert_close(forward[OURS](), forward[TORCH](), TOLERANCE, subject)
    for found, expected in zip(both[OURS].gradients(), both[TORCH].gradients(), strict=True):
        assert_close(found, expected, TOLERANCE, subject)
    return [
        *compared(forward, f"{subject}, forward", layer.work),
        *compared(
            {name: taped.step for name, taped in both.items()},
            f"{subject}, forward and backward",
            3 * layer.work,
        ),
    ]


def compared(calls: Mapping[str, Callable[[], object]], subject: str, work: float) -> list[Row]:
    peaks = arithmetic_peaks()
    timings = compare({**calls, **{peak.name: peak.run for peak in peaks}})
    return [*(share_row(timings, subject, work, peak) for peak in peaks), ratio_row(timings, subject, TORCH)]


if __name__ == "__main__":
    main()
