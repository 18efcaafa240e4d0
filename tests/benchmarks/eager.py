"""One operation at a time: what a call costs by itself, forward and with its derivatives.

Every operation runs on the same numbers in all libraries and must give the same before it is timed.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isqrt
from typing import Any

import numpy as np
import torch

import engine
import engine.nn
from tests.benchmarks.machine import Watch
from tests.benchmarks.peaks import IN_CACHE, memory_peak, share_row
from tests.benchmarks.peers import AUTOGRAD, NUMPY, OURS, TORCH, installed
from tests.benchmarks.report import Row, publish
from tests.benchmarks.tensors import Taped, Values, assert_close, compare, prepare, random_values, ratio_row

SIZES = (10, 1_000, 100_000, 1_000_000)  # elements
TOLERANCE = 1e-5  # in float32, for sums of a million too

Function = Callable[..., Any]


@dataclass(frozen=True)
class Operation:
    """One operation in the words of every library.

    shapes    of the operands, made from a number of elements
    function  the function under the names that engine and torch share, from the library's namespace
    in_numpy  the same for numpy and autograd; None where it is written alike
    streams   large arrays that must pass between memory and processor; 0 if that does not set the time
    """

    name: str
    shapes: tuple[Callable[[int], tuple[int, ...]], ...]
    function: Callable[[Any], Function]
    in_numpy: Callable[[Any], Function] | None = None
    streams: int = 0

    def numpy_function(self, numpy: Any) -> Function:
        return (self.in_numpy or self.function)(numpy)

    def operands(self, elements: int) -> list[Values]:
        return [random_values(*shape(elements), seed=seed) for seed, shape in enumerate(self.shapes)]


def vector(elements: int) -> tuple[int, ...]:
    return (elements,)


def square(elements: int) -> tuple[int, ...]:
    return (isqrt(elements), isqrt(elements))


def side(elements: int) -> tuple[int, ...]:
    return (isqrt(elements),)


def numpy_relu(numpy: Any) -> Function:
    return partial(numpy.maximum, 0.0)


def numpy_softmax(numpy: Any) -> Function:
    def softmax(x: Any) -> Any:
        exponentials = numpy.exp(x - numpy.max(x, -1, keepdims=True))
        return exponentials / numpy.sum(exponentials, -1, keepdims=True)

    return softmax


def numpy_log_softmax(numpy: Any) -> Function:
    def log_softmax(x: Any) -> Any:
        shifted = x - numpy.max(x, -1, keepdims=True)
        return shifted - numpy.log(numpy.sum(numpy.exp(shifted), -1, keepdims=True))

    return log_softmax


def layer_norm(names: Any) -> Function:
    return lambda x: names.nn.functional.layer_norm(x, x.shape[-1:])


def numpy_layer_norm(numpy: Any) -> Function:
    def normalised(x: Any) -> Any:
        deviation = x - numpy.mean(x, -1, keepdims=True)
        return deviation / numpy.sqrt(numpy.mean(deviation**2, -1, keepdims=True) + 1e-5)

    return normalised


OPERATIONS = (
    Operation("add", (vector, vector), lambda _: operator.add, streams=3),
    Operation("mul", (vector, vector), lambda _: operator.mul, streams=3),
    Operation("relu", (vector,), lambda names: names.relu, numpy_relu, streams=2),
    Operation("exp", (vector,), lambda names: names.exp, streams=2),
    Operation("tanh", (vector,), lambda names: names.tanh, streams=2),
    Operation("sum", (vector,), lambda names: names.sum, streams=1),
    Operation("amax", (vector,), lambda names: names.amax, lambda numpy: numpy.max, streams=1),
    Operation("add of a row", (square, side), lambda _: operator.add, streams=2),
    Operation("softmax", (square,), lambda names: partial(names.softmax, dim=-1), numpy_softmax, streams=2),
    Operation(
        "log_softmax",
        (square,),
        lambda names: partial(names.log_softmax, dim=-1),
        numpy_log_softmax,
        streams=2,
    ),
    Operation("layer_norm", (square,), layer_norm, numpy_layer_norm, streams=2),
    Operation("matmul", (square, square), lambda _: operator.matmul),
)


def main() -> None:
    prepare()
    peers = (TORCH, AUTOGRAD) if installed(AUTOGRAD) else (TORCH,)
    watch = Watch(benchmark=os.getpid())
    cases = [(operation, elements) for elements in SIZES for operation in OPERATIONS]
    forward = [row for case in cases for row in forward_rows(*case)]
    publish("Eager operations, forward", forward, watch.conditions())
    both = [row for case in cases for row in backward_rows(*case, peers)]
    publish("Eager operations, forward and backward", both, watch.conditions())
    streams = [stream_row(operation) for operation in OPERATIONS if operation.streams]
    publish(f"Eager operations on {IN_CACHE:,}: time at the bandwidth of memory", streams, watch.conditions())


def goal(elements: int) -> float:
    """Most time against torch. Of up to a thousand elements the time is Python's, of more the memory's."""
    return 0.5 if elements <= 1_000 else 1.0


def forward_rows(operation: Operation, elements: int) -> list[Row]:
    operands = operation.operands(elements)
    calls = {
        OURS: partial(operation.function(engine), *map(engine.tensor, operands)),
        TORCH: partial(operation.function(torch), *map(torch.tensor, operands)),
        NUMPY: partial(operation.numpy_function(np), *operands),
    }
    subject = f"eager: {operation.name}, {elements:,} elements, forward"
    for peer in (TORCH, NUMPY):
        assert_close(calls[OURS](), calls[peer](), TOLERANCE, f"{subject} / {peer}")
    timings = compare(calls)
    return [ratio_row(timings, subject, TORCH, goal(elements)), ratio_row(timings, subject, NUMPY)]


def backward_rows(operation: Operation, elements: int, peers: tuple[str, ...]) -> list[Row]:
    operands = operation.operands(elements)
    cotangent = random_values(*operation.numpy_function(np)(*operands).shape, seed=9)
    own, others = (
        Taped(library, operation.function(library), operands, cotangent) for library in (engine, torch)
    )
    calls: dict[str, Callable[[], Any]] = {OURS: own.step, TORCH: others.step}
    gradients: dict[str, Callable[[], Any]] = {TORCH: others.gradients}
    if AUTOGRAD in peers:
        calls[AUTOGRAD] = gradients[AUTOGRAD] = in_autograd(operation, operands, cotangent)
    subject = f"eager: {operation.name}, {elements:,} elements, forward and backward"
    for peer in peers:
        for found, expected in zip(own.gradients(), gradients[peer](), strict=True):
            assert_close(found, expected, TOLERANCE, f"{subject} / {peer}")
    timings = compare(calls)
    return [ratio_row(timings, subject, peer, goal(elements) if peer == TORCH else None) for peer in peers]


def in_autograd(operation: Operation, operands: list[Values], cotangent: Values) -> Callable[[], Any]:
    """The step in HIPS autograd; returns the gradients."""
    import autograd.numpy
    from autograd import make_vjp

    function = make_vjp(operation.numpy_function(autograd.numpy), tuple(range(len(operands))))

    def step() -> Any:
        pull_back, _ = function(*operands)
        return pull_back(cotangent)

    return step


def stream_row(operation: Operation) -> Row:
    """The time over that of moving the same bytes as fast as the machine can."""
    operands = operation.operands(IN_CACHE)
    peak = memory_peak(IN_CACHE)
    call = partial(operation.function(engine), *map(engine.tensor, operands))
    call()
    timings = compare({OURS: call, peak.name: peak.run})
    moved = float(operation.streams * operands[0].nbytes)
    return share_row(timings, f"eager: {operation.name}, {IN_CACHE:,} elements, forward", moved, peak)


if __name__ == "__main__":
    main()
