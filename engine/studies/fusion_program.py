"""A program in the language of tensors as a function: over the engine's tensors or torch's, eager or traced.

Text is walked once; the calls that this makes are written down, and eager runs repeat just these. A traced
walk computes nothing, so what a program would cost is known, and refused, before anything is paid.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from engine import creation, optim
from engine.compiler.program import Program
from engine.compiler.step import Traced, trace
from engine.compiler.trace import Tracer
from engine.composite import expanded
from engine.context import set_grad_enabled, tracer
from engine.errors import TraceError
from engine.expression import Span
from engine.studies.tensor_autodiff import EngineLibrary
from engine.studies.tensor_autodiff_language import TensorProgram
from engine.studies.tensor_autodiff_torch import TorchRun
from engine.studies.tensor_autodiff_walk import Walker

MOST_ELEMENTS = 1 << 22  # of one tensor: 16 MB of float32
MOST_CALLS = 400  # of functions, in a walk
LARGEST_WHOLE = 1 << 24  # which float32 still holds
LAST = "result"
LEARNING_RATE = 0.01

Values = list[Any]
Step = Callable[[Values], Any]


class ProgramWalker(Walker):
    """Walks a program that may end in any tensor, and writes down the calls that made tensors."""

    def __init__(self, program: TensorProgram, sizes: Mapping[str, int], library: Any, watch: Any) -> None:
        super().__init__(program, sizes, library, watch)
        self.inputs: Values = []
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...], Mapping[str, Any], Any]] = []

    def run(self) -> Any:
        """The value of the last line: a tensor."""
        *lines, last = self.program.body
        for line in lines:
            self.loop(line) if isinstance(line, ast.For) else self.assign(line)  # type: ignore[arg-type]
        assert isinstance(last, ast.Expr)
        result = self.value(last.value)
        if not hasattr(result, "shape"):
            raise self.program.error("the last line is a plain number, made of no tensor", last,
                                     "declare an input, such as x = data(n)")  # fmt: skip
        return result

    def declare(self, call: ast.Call, kind: str) -> Any:
        result = super().declare(call, kind)
        self.inputs.append(result)
        return result

    def apply(
        self,
        node: ast.AST,
        name: str,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        result = super().apply(node, name, function, arguments, options)
        if hasattr(result, "shape"):
            self.calls.append((function, arguments, options or {}, result))
        if len(self.calls) > MOST_CALLS:
            raise self.program.error(f"more than {MOST_CALLS} operations", node, "take fewer turns")
        return result

    def check_size(self, shape: tuple[int, ...], node: ast.AST) -> None:
        if math.prod(shape) > MOST_ELEMENTS:
            size = f"a tensor of shape {shape} has {math.prod(shape):,} elements"
            message = f"{size}; at most {MOST_ELEMENTS:,} are computed here"
            raise self.program.error(message, node, "choose smaller sizes")
        super().check_size(shape[:0] if math.prod(shape) else shape, node)

    def check_cost(self, node: ast.AST, name: str, arguments: tuple[Any, ...]) -> None:  # noqa: ARG002
        """Numbers only: what tensors cost is known after the trace, which makes none.

        Nor is there a deadline: text and loops are bounded, and on a busy machine any walk may have to wait.
        """
        numbers = [each for each in arguments if type(each) in (int, float)]
        self.check_numbers(node, numbers, any(hasattr(each, "shape") for each in arguments), LARGEST_WHOLE)


class Watch:
    """Tells a tracer which line it is at, by the name that the line gives; collects the names of inputs."""

    def __init__(self, program: TensorProgram) -> None:
        self.label_of = labels(program)
        self.inputs: list[str] = []

    def enter(self, kind: str, title: str, span: Span, arguments: Sequence[Any] = ()) -> None:  # noqa: ARG002
        if kind == "function":
            self._say(self.label_of.get(span.line, ""))

    def leave(self) -> None:
        self._say("")

    def made(self, result: Any, span: Span) -> None:
        """Calls are written down by the walker."""

    def named(self, name: str, result: Any, kind: str) -> None:  # noqa: ARG002
        if kind:
            self.inputs.append(name)

    def _say(self, label: str) -> None:
        writing = tracer.get()
        if writing is not None:
            writing.label = label


def labels(program: TensorProgram) -> dict[int, str]:
    """What each line is called: the name it gives; the last one is the result."""
    found: dict[int, str] = {}
    for statement in program.body:
        for line in statement.body if isinstance(statement, ast.For) else [statement]:
            name = line.targets[0].id if isinstance(line, ast.Assign) else LAST  # type: ignore[attr-defined]
            found |= dict.fromkeys(range(line.lineno, (line.end_lineno or line.lineno) + 1), name)
    return found


# ---- inputs


class Given(EngineLibrary):
    """The engine's functions, and inputs that were made before."""

    def __init__(self, inputs: Sequence[Any]) -> None:
        self.left = iter(inputs)

    def declare(self, kind: str, shape: tuple[int, ...]) -> Any:  # noqa: ARG002
        return next(self.left)


class Drawn(EngineLibrary):
    """The engine's functions, and inputs of seeded numbers; zeros where nothing will be computed."""

    def __init__(self, seed: int, training: bool, zeros: bool = False) -> None:
        self.draw = np.random.default_rng(seed)
        self.dtype = "float32"
        self.training = training
        self.zeros = zeros

    def declare(self, kind: str, shape: tuple[int, ...]) -> Any:
        token = tracer.set(None)  # an input is there before anything is written down
        try:
            if kind == "classes":
                return super().declare(kind, shape)
            values = np.zeros(shape, np.float32) if self.zeros else super().declare(kind, shape).numpy()
            return creation.tensor(values, requires_grad=kind == "parameter" and self.training)
        finally:
            tracer.reset(token)


# ---- functions


class Recipe:
    """The calls of a walk, to be repeated on other inputs of the same shapes.

    A tensor is let go after its last use, as in a function whose names are used once.
    """

    def __init__(self, walker: ProgramWalker, result: Any) -> None:
        slots = {id(each): slot for slot, each in enumerate(walker.inputs)}
        self.steps: list[tuple[Step, tuple[int, ...]]] = []
        uses: dict[int, int] = {}
        made: list[Step] = []
        for number, (function, arguments, options, found) in enumerate(walker.calls):
            uses |= {slots[id(each)]: number for each in _flat(arguments) if id(each) in slots}
            made.append(_call(partial(function, **options) if options else function, arguments, slots))
            slots[id(found)] = len(walker.inputs) + number
        self.result = slots[id(result)]
        first = len(walker.inputs)
        for number, step in enumerate(made):
            over = [slot for slot, last in uses.items() if last == number and slot != self.result]
            self.steps.append((step, tuple(slot for slot in over if slot >= first)))

    def __call__(self, inputs: Sequence[Any]) -> Any:
        values = list(inputs)
        for step, over in self.steps:
            values.append(step(values))
            for slot in over:
                values[slot] = None
        return values[self.result]


def _flat(arguments: Sequence[Any]) -> list[Any]:
    return [part for each in arguments for part in (each if isinstance(each, tuple) else (each,))]


def _call(function: Callable[..., Any], arguments: tuple[Any, ...], slots: Mapping[int, int]) -> Step:
    """A call whose tensors come from slots; the frequent kinds without a loop over their arguments."""
    places = [slots.get(id(each)) for each in arguments]
    match places:
        case [int(i)]:
            return lambda values: function(values[i])
        case [int(i), int(j)]:
            return lambda values: function(values[i], values[j])
        case [int(i), None] if not isinstance(arguments[1], tuple):
            return lambda values, number=arguments[1]: function(values[i], number)  # type: ignore[misc]
        case [None, int(j)] if not isinstance(arguments[0], tuple):
            return lambda values, number=arguments[0]: function(number, values[j])  # type: ignore[misc]

    def filled(argument: Any, values: Values) -> Any:
        if isinstance(argument, tuple):
            return tuple(filled(part, values) for part in argument)
        return values[slots[id(argument)]] if id(argument) in slots else argument

    return lambda values: function(*[filled(each, values) for each in arguments])


def _training_step(optimizer: Any, forward: Callable[[], Any]) -> Any:
    optimizer.zero_grad()
    loss = forward()
    loss.backward()
    optimizer.step()
    return loss


@dataclass
class Runnable:
    """A program over tensors of one library: called, it computes the result, or makes a training step."""

    recipe: Recipe
    names: list[str]
    inputs: Values
    optimizer: Any  # None without training

    def __call__(self) -> Any:
        if self.optimizer is None:
            return self.recipe(self.inputs)
        return _training_step(self.optimizer, lambda: self.recipe(self.inputs))


def by_engine(program: TensorProgram, sizes: Mapping[str, int], seed: int, training: bool) -> Runnable:
    """The program over the engine's tensors, its inputs seeded. Walking it computes it once."""
    return _walked(program, sizes, Drawn(seed, training), training)


def untouched(program: TensorProgram, sizes: Mapping[str, int], training: bool) -> Runnable:
    """The same with inputs of zeros that cost nothing, and nothing computed: to be traced, not to be called.

    Raises ExpressionError for what does not fit.
    """
    with Tracer().tracing():
        return _walked(program, sizes, Drawn(0, training, zeros=True), training)


def _walked(
    program: TensorProgram, sizes: Mapping[str, int], library: EngineLibrary, training: bool
) -> Runnable:
    watch = Watch(program)
    walker = ProgramWalker(program, sizes, library, watch)
    with set_grad_enabled(training), expanded():
        result = walker.run()
        recipe = Recipe(walker, result)
        if training:
            _refuse_untrainable(program, result)
    parameters = [x for x in walker.inputs if x.requires_grad]
    optimizer = optim.SGD(parameters, lr=LEARNING_RATE) if training else None
    return Runnable(recipe, watch.inputs, walker.inputs, optimizer)


def _refuse_untrainable(program: TensorProgram, result: Any) -> None:
    said = ""
    if math.prod(result.shape) != 1:
        said = f"a training step differentiates one number, and the last line has shape {tuple(result.shape)}"
    elif not result.requires_grad:
        said = "a training step needs a parameter that the last line depends on"
    if said:
        raise program.error(
            said, program.body[-1], "write for example mean(…), or switch the training step off"
        )


def by_torch(program: TensorProgram, sizes: Mapping[str, int], like: Runnable) -> Runnable:
    """The program over torch's tensors, with the inputs that the engine's has now."""
    import torch

    library = TorchRun([np.array(x.detach().numpy()) for x in like.inputs])
    watch = Watch(program)
    walker = ProgramWalker(program, sizes, library, watch)
    training = like.optimizer is not None
    with torch.set_grad_enabled(training):
        recipe = Recipe(walker, walker.run())
    for x in walker.inputs:
        x.requires_grad_(x.requires_grad and training)
    parameters = [x for x in walker.inputs if x.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=LEARNING_RATE) if training else None
    return Runnable(recipe, watch.inputs, walker.inputs, optimizer)


def traced(program: TensorProgram, sizes: Mapping[str, int], like: Runnable) -> Traced:
    """What the compiler makes of it, with these inputs: parameters are captured, all else is given.

    Raises ExpressionError for what cannot be traced.
    """
    inputs, training = like.inputs, like.optimizer is not None

    def function(*arguments: Any) -> Any:
        given = iter(arguments)
        library = Given([x if x.requires_grad else next(given) for x in inputs])
        walker = ProgramWalker(program, sizes, library, Watch(program))
        return _training_step(like.optimizer, walker.run) if training else walker.run()

    try:
        with set_grad_enabled(training), expanded():
            found = trace(function, tuple(data(like)))
    except TraceError as error:
        raise program.error(str(error), program.body[-1]) from error
    _name_inputs(found.executable.program, like)
    return found


def data(runnable: Runnable) -> Values:
    """The inputs that a compiled function is called with."""
    return [x for x in runnable.inputs if not x.requires_grad]


def _name_inputs(written: Program, like: Runnable) -> None:
    """The program's names for the storages of its inputs."""
    pairs = list(zip(like.names, like.inputs, strict=True))
    given = [name for name, x in pairs if not x.requires_grad]
    written.names |= dict(zip(written.arguments, given, strict=True))
    captured = {id(x.value.buffer): name for name, x in pairs if x.requires_grad}
    for storage, array in written.captured.items():
        if id(array.buffer) in captured:
            written.names[storage] = captured[id(array.buffer)]
