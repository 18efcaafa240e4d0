"""Random programs with finite, moderate values and no operand near a kink or the end of a domain.

A program is made of instructions directly, from a seed. Its values are computed on the way by the
hand-written functions of `reference`, so the engine under test has no part in choosing it.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from engine.expression import Instruction, Program, Span
from tests.engine.reference import PYTHON, TORCH, gradients, leaf

MAX_NODES = 60
MARGIN = 0.01  # distance kept from kinks and from the ends of domains
LARGEST = 20.0
NO_SPAN = Span(1, 0, 0)

# How often each operator is tried. Steps and choices are flat in places: too many would give programs
# whose gradient is nothing but zeros.
WEIGHTS = dict.fromkeys(PYTHON, 4) | {"add": 8, "sub": 8, "mul": 8, "neg": 2}
WEIGHTS |= dict.fromkeys(("sign", "where", "relu", "lt", "le", "gt", "ge", "eq", "ne"), 1)


def _apart(a: float, b: float) -> bool:
    return abs(a - b) > MARGIN


SAFE: dict[str, Callable[..., bool]] = {
    "div": lambda a, b: abs(b) > 0.1,
    "pow": lambda a, b: a > 0.1 and abs(b) < 4.0,
    "exp": lambda a: a < 3.0,
    # where these saturate, their derivatives are differences of nearly equal numbers, in torch too
    **dict.fromkeys(("tanh", "sigmoid", "gelu", "expm1"), lambda a: abs(a) < 3.0),
    "log": lambda a: a > 0.1,
    "sqrt": lambda a: a > 0.1,
    "log1p": lambda a: a > -0.9,
    "inverse": lambda a: abs(a) > 0.1,
    "abs": lambda a: abs(a) > MARGIN,
    "sign": lambda a: abs(a) > MARGIN,
    "relu": lambda a: abs(a) > MARGIN,
    "maximum": _apart,
    "minimum": _apart,
    "where": lambda condition, a, b: condition == 0.0 or abs(condition) > MARGIN,
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne"), _apart),
}
ARITY = dict.fromkeys(PYTHON, 1) | dict.fromkeys(
    ("add", "sub", "mul", "div", "pow", "maximum", "minimum", "lt", "le", "gt", "ge", "eq", "ne"), 2
)
ARITY["where"] = 3


@dataclass(frozen=True)
class RandomProgram:
    """A program, values for its inputs, and the value of every instruction by Python's own arithmetic."""

    program: Program
    inputs: Mapping[str, float]
    values: tuple[float, ...]

    def listing(self) -> str:
        """The program in words, for the message of a test that fails."""
        lines = []
        for position, (made, value) in enumerate(zip(self.program.instructions, self.values, strict=True)):
            operands = ", ".join(f"v{argument}" for argument in made.arguments)
            text = f"{made.primitive}({operands})" if made.primitive else made.operation
            lines.append(f"v{position} = {text}  # {value!r}")
        return "\n".join(lines)

    def run_by_torch(self) -> tuple[dict[str, Tensor], list[Tensor]]:
        """The input leaves by name, and the outputs, as float64 tensors."""
        leaves = {name: leaf(value) for name, value in self.inputs.items()}
        values: list[Tensor] = []
        for made in self.program.instructions:
            if made.primitive:
                values.append(TORCH[made.primitive](*(values[argument] for argument in made.arguments)))
            else:
                values.append(leaves[made.name] if made.name else leaf(made.value or 0.0).detach())
        return leaves, [values[output] for output in self.program.outputs]


class _Builder:
    def __init__(self, generator: random.Random) -> None:
        self.random = generator
        self.instructions: list[Instruction] = []
        self.values: list[float] = []
        self.unused: list[int] = []

    def add_leaf(self, name: str | None) -> None:
        value = self.random.uniform(-2.0, 2.0)
        kind = "input" if name else "constant"
        self._append(Instruction(kind, None, (), None if name else value, name, NO_SPAN), value)

    def add_operator(self) -> None:
        """An operator and operands where it is smooth; tries until some fit, and the sine always does."""
        for _ in range(20):
            (name,) = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))
            arguments = tuple(self._operand() for _ in range(ARITY[name]))
            if self._apply(name, arguments):
                return
        self._apply("sin", (self._operand(),))

    def join(self) -> None:
        """Bring two values that nothing uses yet together, so that little of a program is idle."""
        for name in ("add", "sub", "mul", "maximum", "sin"):
            arguments = tuple(self.random.sample(self.unused, ARITY[name]))
            if self._apply(name, arguments):
                return

    def _apply(self, name: str, arguments: tuple[int, ...]) -> bool:
        operands = [self.values[argument] for argument in arguments]
        if name in SAFE and not SAFE[name](*operands):
            return False
        value = PYTHON[name](*operands)
        if abs(value) > LARGEST:
            return False
        self.unused = [argument for argument in self.unused if argument not in arguments]
        self._append(Instruction("apply", name, arguments, None, None, NO_SPAN), value)
        return True

    def _append(self, instruction: Instruction, value: float) -> None:
        position = len(self.instructions)
        self.instructions.append(instruction)
        self.values.append(value)
        self.unused.append(position)

    def _operand(self) -> int:
        """Often a value that nothing uses yet, often a recent one, sometimes any: values are reused."""
        choice = self.random.random()
        if choice < 0.5 and self.unused:
            return self.random.choice(self.unused)
        earliest = max(0, len(self.values) - 8) if choice < 0.75 else 0
        return self.random.randrange(earliest, len(self.values))


def random_program(seed: int, max_nodes: int = MAX_NODES) -> RandomProgram:
    """A program of up to `max_nodes` instructions with 1 to 4 inputs and 1 or 2 outputs.

    Made again from the same seed until torch finds a gradient that is neither zero (the program is flat,
    or all but cancels) nor enormous.
    """
    generator = random.Random(seed)
    while True:
        candidate = _candidate(generator, max_nodes)
        leaves, outputs = candidate.run_by_torch()
        steepest = [max(map(abs, map(float, gradients(out, list(leaves.values()))))) for out in outputs]
        if all(1e-2 < slope < 1e4 for slope in steepest):
            return candidate


def _candidate(generator: random.Random, max_nodes: int) -> RandomProgram:
    builder = _Builder(generator)
    names = [f"x{index}" for index in range(generator.randint(1, 4))]
    for name in names:
        builder.add_leaf(name)
    size = generator.randint(8, max_nodes)
    while len(builder.values) < size:
        if size - len(builder.values) < len(builder.unused):
            builder.join()
        elif generator.random() < 0.1:
            builder.add_leaf(None)
        else:
            builder.add_operator()
    outputs = [size - 1]
    if generator.random() < 0.3:
        outputs.append(generator.randrange(len(names), size - 1))
    program = Program("", tuple(builder.instructions), tuple(outputs))
    return RandomProgram(program, dict(zip(names, builder.values, strict=False)), tuple(builder.values))
