"""The scalar engine against micrograd: one training step's forward and backward pass.

The model is micrograd's own 2-16-16-1 multi-layer perceptron over 100 points, and its code runs over both
value types: micrograd's `Value` and our `Scalar`. The tape replays what the Scalars recorded.
"""

from __future__ import annotations

import gc
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from micrograd.engine import Value
from micrograd.nn import MLP

from engine import Scalar
from engine.tape import Tape
from tests.benchmarks.machine import Watch
from tests.benchmarks.pairing import Timings, interleave
from tests.benchmarks.report import Row, publish

POINTS = 100
AGREEMENT = 1e-12  # between gradients of the three ways, relative to the largest
MICROGRAD, EAGER, TAPE = "micrograd", "eager Scalar", "tape replay"
MICROGRAD_BUDGET = 30.0  # seconds
ROOT = Path(__file__).resolve().parents[2]
LOAD_KERNELS = """
import json, time
import numba
from engine import tape
start = time.perf_counter()
tape.kernels()
print(json.dumps(time.perf_counter() - start))
"""


class Network:
    """micrograd's network over one value type, with the mean squared error over fixed points."""

    def __init__(self, value_type: Callable[[float], Any], seed: int = 0) -> None:
        random.seed(seed)  # micrograd draws its weights from the global generator
        self.model = MLP(2, [16, 16, 1])
        for layer in self.model.layers:
            for neuron in layer.neurons:
                neuron.w = [value_type(weight.data) for weight in neuron.w]
                neuron.b = value_type(neuron.b.data)
        self.parameters = self.model.parameters()
        self.value_type = value_type
        self.points = [(random.gauss(0, 1), random.gauss(0, 1)) for _ in range(POINTS)]

    def loss(self) -> Any:
        total = self.value_type(0.0)
        for x, y in self.points:
            target = 1.0 if x * y > 0 else -1.0
            total = total + (self.model([x, y]) - target) ** 2
        return total * (1.0 / POINTS)

    def step(self) -> Any:
        """Forward and backward; gradients are left on the parameters."""
        loss = self.loss()
        for parameter in self.parameters:
            parameter.grad = 0.0
        loss.backward()
        return loss


def main() -> None:
    watch = Watch(benchmark=os.getpid())
    peer, own = Network(Value), Network(Scalar)
    loss = own.loss()
    tape = Tape(loss)
    nodes = len(tape)
    assert_same_gradients(peer, own, tape)

    def replay() -> None:
        tape.forward()
        tape.backward()

    against_micrograd = interleave(
        {MICROGRAD: peer.step, EAGER: own.step, TAPE: replay}, budget=MICROGRAD_BUDGET
    )
    uncollected = interleave({MICROGRAD: without_collector(peer.step), TAPE: replay}, budget=10.0)
    against_eager = interleave({EAGER: own.step, TAPE: replay})
    rows = [
        ratio_row(against_micrograd, TAPE, MICROGRAD, "micrograd 0.1", goal=1 / 1000),
        ratio_row(against_micrograd, EAGER, MICROGRAD, "micrograd 0.1"),
        ratio_row(uncollected, TAPE, MICROGRAD, "micrograd 0.1, garbage collector off"),
        ratio_row(against_eager, TAPE, EAGER, "eager Scalar", goal=1 / 5),
        per_node_row(against_micrograd, MICROGRAD, nodes),
        per_node_row(against_eager, EAGER, nodes),
        per_node_row(against_eager, TAPE, nodes),
        *kernel_rows(),
    ]
    pairs = f"{against_micrograd.rounds} pairs with micrograd, {against_eager.rounds} with eager"
    title = f"Scalar step, 2-16-16-1 over {POINTS} points: {nodes} nodes; {pairs}"
    publish(title, rows, watch.conditions())


def assert_same_gradients(peer: Network, own: Network, tape: Tape) -> None:
    """All three ways find the same loss and gradients, or timing them means nothing."""
    expected_loss, found_loss = peer.step().data, own.step().value
    expected = [parameter.grad for parameter in peer.parameters]
    replayed_loss = tape.forward()
    replayed = tape.backward()[tape.positions_of(own.parameters)]
    eager = [parameter.grad for parameter in own.parameters]
    scale = max(map(abs, expected))
    for losses, gradients in ((found_loss, eager), (replayed_loss, replayed)):
        assert abs(losses - expected_loss) <= AGREEMENT * expected_loss
        worst = max(abs(a - b) for a, b in zip(gradients, expected, strict=True))
        assert worst <= AGREEMENT * scale, f"gradients differ by {worst:.2g}"


def without_collector(function: Callable[[], object]) -> Callable[[], None]:
    """The same call with the cyclic garbage collector held off."""

    def call() -> None:
        gc.disable()
        try:
            function()
        finally:
            gc.enable()

    return call


def ratio_row(timings: Timings, name: str, peer: str, peer_label: str, goal: float | None = None) -> Row:
    ratio = timings.ratio(name, peer)
    title = f"scalar step: {name} / {peer_label}"
    return Row(title, ratio.median, "ratio", peer_label, goal, ratio.quartiles)


def per_node_row(timings: Timings, name: str, nodes: int) -> Row:
    seconds = timings.seconds(name)
    lower, upper = (1e9 * quartile / nodes for quartile in seconds.quartiles)
    return Row(f"scalar step: {name}, a node", 1e9 * seconds.median / nodes, "ns", quartiles=(lower, upper))


def kernel_rows() -> list[Row]:
    """How long the tape's kernels take in a new process, before and after they are on disk."""
    with tempfile.TemporaryDirectory(prefix="unroll-bench-") as cache:
        compiled = kernel_seconds(cache)
        loaded = sorted(kernel_seconds(cache) for _ in range(5))
    quartiles = (loaded[1], loaded[3])
    return [
        Row("scalar tape: kernels compiled, nothing on disk", compiled, "s"),
        Row("scalar tape: kernels loaded from disk", loaded[2], "s", goal=0.5, quartiles=quartiles),
    ]


def kernel_seconds(cache: str) -> float:
    """Seconds until the kernels are ready in a new process that has imported numba."""
    finished = subprocess.run(
        [sys.executable, "-c", LOAD_KERNELS],
        cwd=ROOT,
        env={**os.environ, "UNROLL_CACHE": cache},
        capture_output=True,
        check=True,
        text=True,
    )
    return float(json.loads(finished.stdout))


if __name__ == "__main__":
    main()
