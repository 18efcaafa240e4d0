"""Watching the engine: its tensors remember how they were computed, so `backward` is all there is to hear.

The graph is read off the history of what is differentiated. After an error it is read off what the failed
operation was given, which Python's traceback still holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.array import Array, tick
from engine.autodiff import topological_order
from engine.context import watcher
from engine.nn.module import Module
from engine.tensor import Constant, Tensor
from engine.tracing import places
from engine.tracing.tape import Action, Numbers, Tape, Value, as_numbers
from engine.tracing.trace import MOST_VALUES, Failure, Group

if TYPE_CHECKING:
    from engine.tracing.record import Recorder

STUDIES = "engine.studies."  # what the examples there write counts as a user's


class EngineReplay:
    """A primitive with the arrays that it was given, in float64. `copy` makes them safe from later steps."""

    def __init__(self, node: Tensor, copy: Callable[[Any], Any]) -> None:
        self.primitive = node.primitive
        self.output = copy(node.value)
        self.operands = [copy(source.value) for source in node.inputs]
        self.slots = [slot for slot, source in enumerate(node.inputs) if isinstance(source, Tensor)]

    def outputs(self, changed: Mapping[int, Numbers]) -> list[Numbers]:
        """As `Replay` says."""
        values = [_precise(value) for value in self.operands]
        for slot, numbers in changed.items():
            values[self.slots[slot]] = Array.from_numpy(numbers, self.output.backend)
        return [self.primitive.on_arrays(tuple(values)).numpy()]

    def vjp(self, cotangents: Sequence[Numbers | None]) -> list[Numbers | None]:
        """As `Replay` says, with the arrays of the run."""
        (arrived,) = cotangents
        assert arrived is not None
        wanted = np.asarray(arrived, self.output.dtype.numpy)
        cotangent = Array.from_numpy(wanted, self.output.backend)
        sent: list[Numbers | None] = []
        for slot in self.slots:
            operand = self.operands[slot]
            if not operand.dtype.is_floating_point:
                sent.append(None)
                continue
            back = self.primitive.vjp(slot, cotangent, tuple(self.operands), self.output)
            sent.append(as_numbers(back.numpy()))
        return sent


def _precise(value: Any) -> Any:
    if value.__class__ is not Array or not value.dtype.is_floating_point:
        return value
    return Array.from_numpy(value.numpy().astype(np.float64), value.backend)


class EngineWatch:
    """Fills the recorder's tape with what the engine did, when it has done it."""

    updates = 0  # of optimisers: the engine's are not counted
    rate: float | None = None

    def __init__(self, recorder: Recorder, model: Any) -> None:
        self.recorder = recorder
        self.model = model
        self.names: dict[Tensor, str] = {}
        self.groups: dict[Tensor, tuple[Group, ...]] = {}
        self.positions: dict[Tensor, int] = {}
        self.copies: dict[int, tuple[Array, Array]] = {}  # by id: an array, and a copy of it
        self.calls = 0
        self.since = 0  # when the last step ended, on the engine's clock

    @property
    def active(self) -> bool:
        """Whether anything has happened in this step."""
        return bool(self.positions)

    @property
    def framework(self) -> str:
        return "the engine"

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what happens in this context."""
        frame = places.users_frame(())
        with ExitStack() as stack:
            for model in self._models(frame):
                self.names |= {parameter: name for name, parameter in model.named_parameters()}
                for name, module in model.named_modules():
                    handle = module.register_forward_hook(self._hook(name or type(module).__name__))
                    stack.callback(handle.remove)
            token = watcher.set(self._swept)
            stack.callback(lambda: watcher.reset(token))
            yield

    def _models(self, frame: FrameType | None) -> list[Module]:
        """The model that was named, or those in the variables where the recording begins."""
        if isinstance(self.model, Module):
            return [self.model]
        held = {} if frame is None else {**frame.f_globals, **frame.f_locals}
        models = {id(value): value for value in held.values() if isinstance(value, Module)}
        inside = {id(part) for model in models.values() for part in model.modules() if part is not model}
        return [model for key, model in models.items() if key not in inside]

    def _hook(self, name: str) -> Any:
        def ran(module: Module, inputs: tuple[Any, ...], output: Any) -> None:
            group = Group(call=self.calls, name=name[:100], kind=type(module).__name__[:100])
            self.calls += 1
            given = {each for each in inputs if isinstance(each, Tensor)}
            for node in _between(output, given):
                self.groups[node] = (group, *self.groups.get(node, ()))

        return ran

    def forget(self) -> None:
        """Begin a new tape."""
        self.groups.clear()
        self.positions.clear()
        self.copies.clear()

    def finish(self) -> None:
        """Nothing to do: what an unfinished step has made is found by `described`."""

    # ---- a backward pass

    def _swept(self, found: Mapping[Any, Any]) -> None:
        root = next(iter(found), None)
        if not isinstance(root, Tensor):
            return
        token = watcher.set(None)  # what the recorder computes is not the user's
        try:
            self.recorder.before_backward()
            tape = self.recorder.tape
            self._write(tape, [root])
            tape.loss = self.positions[root]
            if tape.full:
                for node, gradient in found.items():
                    tape.values[self.positions[node]].gradient = as_numbers(gradient.numpy())
            self.recorder.after_backward(self, float(root.item()) if root.numel() == 1 else None)
            self.since = tick()
        finally:
            watcher.reset(token)

    def _write(self, tape: Tape, outputs: Iterable[Tensor]) -> None:
        frame = places.users_frame(())
        order = [node for node in topological_order(*outputs) if isinstance(node, Tensor)]
        tape.left_out += max(0, len(order) - MOST_VALUES // 2)
        for node in order[-(MOST_VALUES // 2) :]:
            for source in node.inputs:
                if isinstance(source, Tensor) and source not in self.positions:
                    self._add(tape, source, frame)  # its own making was left out
            if node not in self.positions:
                self._add(tape, node, frame)
                if node.primitive is not None:
                    tape.actions.append(self._action(tape, node))

    def _add(self, tape: Tape, node: Tensor, frame: FrameType | None) -> None:
        leaf = "parameter" if node.requires_grad else "data"
        value = Value("result", node.shape, node.dtype.name, node.requires_grad)
        value.kind = "result" if node.primitive is not None else leaf  # type: ignore[assignment]
        value.name = self.names.get(node) or places.variable(frame, node)
        if tape.full:
            value.numbers = as_numbers(node.value.numpy())
        self.positions[node] = len(tape.values)
        tape.values.append(value)

    def _action(self, tape: Tape, node: Tensor) -> Action:
        inputs = [self.positions[source] for source in node.inputs if isinstance(source, Tensor)]
        kind = type(node.primitive)
        action = Action(node.primitive.name[:100], inputs, [self.positions[node]])
        if not kind.__module__.startswith("engine.") or kind.__module__.startswith(STUDIES):
            action.rule = f"{kind.__name__}.vjp, {places.definition(kind.vjp)}"[:120]
        action.groups = self.groups.get(node, ())[:60]
        action.replay = EngineReplay(node, self._copy) if tape.full else None
        return action

    def _copy(self, value: Any) -> Any:
        """An array of its own, the same one for all who use it; anything else as it is."""
        if value.__class__ is not Array:
            return value
        known = self.copies.get(id(value))
        if known is None:
            known = value, Array.from_numpy(value.numpy().copy(), value.backend)
            self.copies[id(value)] = known
        return known[1]

    # ---- an error

    def described(self, error: Exception) -> Failure | None:
        """The failed operation with what it was given; None where the engine had no part in it."""
        frames = list(_frames(error.__traceback__))
        ours = [
            k for k, (frame, _) in enumerate(frames) if frame.f_code.co_filename.startswith(places.ENGINE)
        ]
        tensors = [
            [value for value in frame.f_locals.values() if isinstance(value, Tensor)] for frame, _ in frames
        ]
        if not ours or not any(tensors):
            return None
        tape = self.recorder.tape
        tape.full = True
        given, name = _given(frames, tensors)
        made = [tensor for found in tensors for tensor in found if self._is_new(tensor)]
        self._write(tape, dict.fromkeys([*made, *given]))
        user = max((k for k in range(ours[-1]) if k not in ours), default=0)
        frame, line = frames[user]
        return Failure(
            error=type(error).__name__,
            message=str(error)[:2000],
            operation=name.strip("_")[:100],
            place=places.line_of(frame.f_code.co_filename, line),
            inputs=tuple(self.positions[tensor] for tensor in given)[:100],
        )

    def _is_new(self, tensor: Tensor) -> bool:
        """Whether it is a result of the unfinished step."""
        return tensor.primitive is not None and tensor.made > self.since

    # ---- what the history measures

    def parameters(self) -> Iterator[tuple[str, Any, Any]]:
        """As `Watch` says."""
        for node, position in self.positions.items():
            if node.primitive is None and node.requires_grad:
                name = self.recorder.tape.values[position].name or f"parameter {position}"
                yield name, node, node.grad
        for node, name in self.names.items():
            if node not in self.positions:
                yield name, node, node.grad

    def numbers(self, tensor: Any) -> Numbers | None:
        """As `Watch` says."""
        found = as_numbers(tensor.detach().numpy())
        return None if found is None else found.copy()

    def results(self) -> Iterator[tuple[int, Numbers]]:
        """As `Watch` says."""
        for node, position in self.positions.items():
            if node.primitive is not None:
                numbers = as_numbers(node.value.numpy())
                if numbers is not None:
                    yield position, numbers


def _between(output: Any, given: set[Tensor]) -> list[Tensor]:
    """The results that lead from what a module was given to what it gave."""
    found: dict[Tensor, None] = {}
    stack = [output] if isinstance(output, Tensor) else [x for x in output if isinstance(x, Tensor)]
    while stack:
        node = stack.pop()
        if node.primitive is None or node in given or node in found:
            continue
        found[node] = None
        stack.extend(x for x in node.inputs if not isinstance(x, Constant))
    return list(found)


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _given(frames: list[tuple[FrameType, int]], tensors: list[list[Tensor]]) -> tuple[list[Tensor], str]:
    """What the failed operation was given, and its name: the primitive where it came so far, else the
    engine's innermost function that was given tensors."""
    for (frame, _), found in reversed(list(zip(frames, tensors, strict=True))):
        operands, primitive = frame.f_locals.get("operands"), frame.f_locals.get("primitive")
        if primitive is not None and isinstance(operands, tuple):
            return [each for each in operands if isinstance(each, Tensor)], str(primitive.name)
        if found and frame.f_code.co_filename.startswith(places.ENGINE):
            return found, frame.f_code.co_name
    return [], ""
