"""A program and its inputs, ready to be timed in every way that it can be run."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from functools import cached_property, partial
from typing import Any, TypeVar

from engine.backends.cpu.arrival import patience
from engine.backends.cpu.threads import set_num_threads
from engine.compiler.execute import Executable
from engine.compiler.interpret import interpreted
from engine.compiler.machine import compiled_afresh
from engine.compiler.memory import Memory
from engine.compiler.native import Code
from engine.compiler.step import Traced
from engine.composite import expanded
from engine.context import set_grad_enabled
from engine.measure import Work
from engine.studies import fusion_program
from engine.studies.fusion_costs import Compilation, Launch, compilation, total
from engine.studies.fusion_program import Runnable, data
from engine.studies.fusion_setup import FusionSetup, Sizes

EAGER, GROUPS, WHOLE, TORCH = "eager", "fused kernels", "one function", "torch, eager"
WAYS = (EAGER, GROUPS, WHOLE, TORCH)
OPERATION, KERNEL = "operation", "kernel"
NOTES = {
    EAGER: "an operation at a time, each with a new result",
    GROUPS: "called from Python one by one, in memory that is there already",
    WHOLE: "one call; its result is copied out",
    TORCH: "the same operations",
}

COPY = "copy of the result"

Call = Callable[[], object]
Result = TypeVar("Result")


class Bench:
    """Makes everything when it is first needed: that is when its turn to be measured comes."""

    def __init__(self, setup: FusionSetup, sizes: Sizes) -> None:
        self.setup = setup
        self.sizes = dict(sizes)
        self.compilation = compilation(setup.program, sizes, setup.training)

    # ---- pieces of work

    def way(self, name: str, at: float, tiny: Bench | None = None, series: str = "") -> Work:
        """A whole call; with `tiny`, what compiling costs the first time, and a launch."""
        afresh = tiny is not None and name == WHOLE
        return Work(
            series=series or name,
            at=at,
            amount=max(total(launches(self.compilation, name), "moved"), 1),
            unit="byte",
            compile=partial(self.code, name, afresh),
            bind=partial(self.call, name),
            empty=None if tiny is None else lambda _: tiny.call(name, tiny.code(name)),
            note=NOTES[name],
        )

    def operation(self, k: int, launch: Launch) -> Work:
        """One operation of the computation as traced, on values that are there already."""

        def bind(found: tuple[Executable, Memory]) -> Call:
            executable, memory = found
            (step,) = interpreted([executable.program.nodes[launch.nodes[0]]], memory)
            return self.under_conditions(step)

        compiled = self.step_by_step
        return Work(OPERATION, k, max(launch.moved, 1), "byte", compiled, bind, note=launch.operations[0])

    def kernel(self, k: int, launch: Launch) -> Work:
        """One fused group, or a call of the library."""

        def bind(found: Traced) -> Call:
            return self.under_conditions(self._steps(found)[k])

        note = ", ".join(launch.operations)
        return Work(KERNEL, k, max(launch.moved, 1), "byte", self.compiled, bind, note=note)

    # ---- code, and calls of it

    def code(self, name: str, afresh: bool = False) -> Any:
        """What has to be there before a call."""
        if name == TORCH:
            return importlib.import_module("torch")
        if name == EAGER:
            return self.runnable
        return self.compiled(afresh)

    def call(self, name: str, code: Any) -> Call:
        if name == TORCH:
            return self._torch(code)
        if name == GROUPS:
            return self.under_conditions(_in_turn(self._steps(code)))
        call = code if name == EAGER else partial(code, tuple(data(self.runnable)))
        return self.under_conditions(call)

    def _torch(self, torch: Any) -> Call:
        program = fusion_program.by_torch(self.compilation.program, self.sizes, self.runnable)

        def call() -> None:
            before = torch.get_num_threads()
            torch.set_num_threads(1)  # this, and setting it back, takes a third of a microsecond
            try:
                program()
            finally:
                torch.set_num_threads(before)

        return call

    @cached_property
    def runnable(self) -> Runnable:
        """The program over the engine's tensors, run once."""
        program, seed = self.compilation.program, self.setup.seed
        make = partial(fusion_program.by_engine, program, self.sizes, seed, self.setup.training)
        return self.run(make)

    def compiled(self, afresh: bool = False) -> Traced:
        """The compiled function, with `afresh` as if none of its kernels were on disk."""
        trace = partial(fusion_program.traced, self.compilation.program, self.sizes, self.runnable)
        found = self.run(trace)
        executable = found.executable
        for source in {kernel.source for kernel in executable.kernels.values()} if afresh else ():
            compiled_afresh(Code(source, "nest"))
        self.run(executable.compile)
        return found

    def step_by_step(self) -> tuple[Executable, Memory]:
        """The computation as traced, and memory in which each of its nodes has been computed."""
        return self._step_by_step

    @cached_property
    def _step_by_step(self) -> tuple[Executable, Memory]:
        trace = partial(fusion_program.traced, self.compilation.program, self.sizes, self.runnable)
        executable = self.run(trace).executable
        memory = Memory(executable.program)
        memory.receive([x.value for x in data(self.runnable)])
        for step in interpreted(list(executable.program.nodes), memory):
            self.run(step)
        return executable, memory

    def _steps(self, found: Traced) -> list[Call]:
        """A call for each group, on the inputs."""
        found.executable.memory.receive([x.value for x in data(self.runnable)])
        return list(found.executable.by_group())

    # ---- conditions

    @cached_property
    def conditions(self) -> Context:
        """One thread; every operation by itself; kernels waited for; no history but for a training step."""
        with expanded(), patience(), set_grad_enabled(self.setup.training):
            found = copy_context()
        found.run(set_num_threads, 1)
        return found

    def run(self, call: Callable[[], Result]) -> Result:
        return self.conditions.copy().run(call)

    def under_conditions(self, call: Call) -> Call:
        return partial(self.conditions.copy().run, call)


def launches(found: Compilation, name: str) -> tuple[Launch, ...]:
    """What one call in this way is made of."""
    if name == WHOLE and found.returned:
        copy = Launch((), (COPY,), found.returned, found.returned, 0, 0)
        return (*found.fused, copy)
    return found.fused if name in (GROUPS, WHOLE) else found.eager


def _in_turn(steps: Sequence[Call]) -> Call:
    def call() -> None:
        for step in steps:
            step()

    return call
