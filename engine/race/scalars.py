"""Lanes in which every number is an object: as such, and recorded once to be replayed as flat arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.race.task import Task
from engine.scalar import Scalar
from engine.tape import Tape, kernels

Row = list[Any]


class Net:
    """The net's parameters as Scalars, and the loss of a batch."""

    def __init__(self, task: Task) -> None:
        self.layers: list[tuple[list[Row], Row]] = [
            ([[Scalar(x) for x in row] for row in weights], [Scalar(x) for x in biases])
            for weights, biases in zip(task.start[::2], task.start[1::2], strict=True)
        ]
        self.parameters: list[Scalar] = [
            number for rows, biases in self.layers for row in (*rows, biases) for number in row
        ]

    def loss(self, inputs: list[Row], targets: list[Row]) -> Scalar:
        total = self._loss_of(inputs[0], targets[0][0])
        for point, (target,) in zip(inputs[1:], targets[1:], strict=True):
            total = total + self._loss_of(point, target)
        return total * (1.0 / len(inputs))

    def _loss_of(self, point: Row, target: Any) -> Scalar:
        *hidden, (rows, biases) = self.layers
        x = point
        for layer in hidden:
            x = [unit.relu() for unit in _linear(x, *layer)]
        (output,) = _linear(x, rows, biases)
        found: Scalar = (1.0 - target) * output + (-output).softplus()
        return found


def _linear(x: Row, rows: list[Row], biases: Row) -> Row:
    found = []
    for row, bias in zip(rows, biases, strict=True):
        total = row[0] * x[0]
        for weight, number in zip(row[1:], x[1:], strict=True):
            total = total + weight * number
        found.append(total + bias)
    return found


class Objects:
    """Each step builds the graph of a batch, number by number, walks it back, and drops it."""

    def __init__(self, task: Task) -> None:
        self.rate = task.rate
        self.net = Net(task)
        self.batches = [(inputs.tolist(), targets.tolist()) for inputs, targets in task.batches]

    def prepare(self) -> None:
        """There is nothing to compile."""

    def step(self, batch: int) -> float:
        loss = self.net.loss(*self.batches[batch])
        for parameter in self.net.parameters:
            parameter.grad = None
        loss.backward()
        for parameter in self.net.parameters:
            parameter.value -= self.rate * parameter.grad
        return loss.value


class Replay:
    """The graph of a batch is recorded once; each step writes the batch into it and replays it, compiled."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def prepare(self) -> None:
        kernels()
        inputs, targets = self.task.batches[0]
        net = Net(self.task)
        points = [[Scalar(x, requires_grad=False) for x in row] for row in inputs]
        wanted = [[Scalar(y, requires_grad=False)] for (y,) in targets]
        self.tape = Tape(net.loss(points, wanted))
        self.parameters = self.tape.positions_of(net.parameters)
        self.given = self.tape.positions_of([number for row in (*points, *wanted) for number in row])
        self.batches = [np.concatenate([x.reshape(-1), y.reshape(-1)]) for x, y in self.task.batches]

    def step(self, batch: int) -> float:
        self.tape.values[self.given] = self.batches[batch]
        return self.tape.descend(self.parameters, self.task.rate)
