"""One way to train for each library. All start from the same parameters and hold them in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np

import engine
import engine.nn
import engine.optim
from tests.benchmarks.networks import RATE, Task
from tests.benchmarks.tensors import Values

Parameters = dict[str, Values]


class Taped:
    """Training in engine or torch."""

    def __init__(self, library: Any, task: Task, start: Parameters) -> None:
        self.library = library
        self.task = task
        self.network = task.network(library)
        self.network.load_state_dict({name: library.tensor(values) for name, values in start.items()})
        self.optimizer = task.optimizer(library, self.network.parameters())
        self.inputs, self.targets = library.tensor(task.inputs), library.tensor(task.targets)

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.task.loss(self.library, self.network(self.inputs), self.targets).backward()
        self.optimizer.step()

    def parameters(self) -> list[Values]:
        return [np.array(parameter.detach()) for parameter in self.network.parameters()]


class Autograd:
    """Training of a perceptron in HIPS autograd."""

    def __init__(self, task: Task, start: Parameters) -> None:
        import autograd

        self.inputs, self.targets = task.inputs, task.targets
        self.values = [values.copy() for values in start.values()]
        self.gradient = autograd.grad(self.loss)

    def loss(self, parameters: list[Any]) -> Any:
        import autograd.numpy as anp

        *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
        x = self.inputs
        for weight, bias in hidden:
            x = anp.maximum(x @ weight.T + bias, 0.0)
        weight, bias = last
        return anp.mean((x @ weight.T + bias - self.targets) ** 2)

    def step(self) -> None:
        for values, gradient in zip(self.values, self.gradient(self.values), strict=True):
            values -= RATE * gradient

    def parameters(self) -> list[Values]:
        return self.values


class Micrograd:
    """Training of a perceptron in micrograd, number by number."""

    def __init__(self, task: Task, start: Parameters) -> None:
        from micrograd.engine import Value
        from micrograd.nn import MLP

        self.samples = list(zip(task.inputs.tolist(), task.targets.tolist(), strict=True))
        biases = list(start.values())[1::2]
        self.network = MLP(task.inputs.shape[1], [len(bias) for bias in biases])
        self.shapes = [values.shape for values in start.values()]
        pairs = zip(list(start.values())[::2], biases, self.network.layers, strict=True)
        for weight, bias, layer in pairs:
            for row, number, neuron in zip(weight.tolist(), bias.tolist(), layer.neurons, strict=True):
                neuron.w, neuron.b = [Value(w) for w in row], Value(number)

    def step(self) -> None:
        errors = [self.network(point) - target for point, (target,) in self.samples]
        loss = sum(error * error for error in errors) * (1.0 / len(errors))
        self.network.zero_grad()
        loss.backward()
        for parameter in self.network.parameters():
            parameter.data -= RATE * parameter.grad

    def parameters(self) -> list[Values]:
        found: list[Values] = []
        for layer in self.network.layers:
            found.append(np.array([[w.data for w in neuron.w] for neuron in layer.neurons]))
            found.append(np.array([neuron.b.data for neuron in layer.neurons]))
        return found


class Tinygrad:
    """Training of a perceptron in tinygrad, as one compiled step, on its CPU device, which has a thread.

    A step ends when its result is there: else only handing it to the thread would be timed.
    """

    def __init__(self, task: Task, start: Parameters) -> None:
        from tinygrad import Tensor, TinyJit

        self.inputs, self.targets = (Tensor(values, device="CPU") for values in (task.inputs, task.targets))
        self.values = [Tensor(values, device="CPU") for values in start.values()]
        self.compiled = TinyJit(self.update)

    def update(self) -> Any:
        *hidden, last = zip(self.values[::2], self.values[1::2], strict=True)
        x = self.inputs
        for weight, bias in hidden:
            x = (x @ weight.T + bias).relu()
        weight, bias = last
        loss = (x @ weight.T + bias - self.targets).square().mean()
        gradients = loss.gradient(*self.values)
        for values, gradient in zip(self.values, gradients, strict=True):
            values.assign(values.detach() - RATE * gradient)
        return loss.realize(*self.values)

    def step(self) -> None:
        self.compiled().item()

    def parameters(self) -> list[Values]:
        return [values.numpy() for values in self.values]


class Compiled(Taped):
    """Training in engine, with the step compiled."""

    def __init__(self, task: Task, start: Parameters) -> None:
        super().__init__(engine, task, start)
        self.compiled = engine.compile(self.loss_of_step, wait=True)

    def loss_of_step(self, inputs: Any, targets: Any) -> Any:
        self.optimizer.zero_grad()
        loss = self.task.loss(self.library, self.network(inputs), targets)
        loss.backward()
        self.optimizer.step()
        return loss

    def step(self) -> None:
        self.compiled(self.inputs, self.targets)

    def steps(self, times: int) -> None:
        """Several steps in a row."""
        self.compiled.repeat(times, self.inputs, self.targets)


class Jax:
    """Training of a perceptron in jax, the step compiled by `jit`."""

    def __init__(self, task: Task, start: Parameters) -> None:
        import jax
        import jax.numpy as jnp

        inputs, targets = jnp.array(task.inputs), jnp.array(task.targets)

        def loss(parameters: list[Any]) -> Any:
            *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
            x = inputs
            for weight, bias in hidden:
                x = jnp.maximum(x @ weight.T + bias, 0.0)
            weight, bias = last
            return jnp.mean((x @ weight.T + bias - targets) ** 2)

        def step(parameters: list[Any]) -> list[Any]:
            gradients = jax.grad(loss)(parameters)
            return [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]

        self.values = [jnp.array(values) for values in start.values()]
        self.compiled = jax.jit(step)
        self.loop = jax.jit(
            lambda values, times: jax.lax.fori_loop(0, times, lambda _, found: step(found), values)
        )
        self.ready = jax.block_until_ready

    def step(self) -> None:
        self.values = self.ready(self.compiled(self.values))

    def steps(self, times: int) -> None:
        """Several steps in a loop that is compiled too."""
        self.values = self.ready(self.loop(self.values, times))

    def parameters(self) -> list[Values]:
        return [np.array(values) for values in self.values]
