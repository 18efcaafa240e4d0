"""Watching torch: every operation that leads to a gradient, the modules they are in, and `backward`.

A `TorchFunctionMode` sees each call of the Python interface (F.linear, torch.matmul, x + y …). What a user
writes as `torch.autograd.Function` goes past it: see `torch_functions`. `torch.autograd.backward` is wrapped
while the recording lasts. Only the thread that records is watched.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from engine.tracing import places
from engine.tracing.check import LARGEST
from engine.tracing.tape import Action, Tape, Value, as_numbers
from engine.tracing.torch_calls import assigned, overwrites, wrapped
from engine.tracing.torch_functions import called_functions, rule_of
from engine.tracing.torch_modules import Modules
from engine.tracing.torch_replay import Surroundings, TorchReplay, as_array, tensors_in
from engine.tracing.trace import MOST_VALUES, Failure

if TYPE_CHECKING:
    from engine.tracing.record import Recorder

Prepared = tuple[list[int], TorchReplay | None, str]  # inputs, how to do it again, or why that cannot be
MOST_OPERATIONS = MOST_VALUES // 3
MOST_TOGETHER = 500  # tensors that one operation takes or makes
SILENT = frozenset(
    {"requires_grad_", "retain_grad", "register_hook", "backward", "detach", "detach_", "grad"}
)


class TorchWatch:
    """Fills the recorder's tape with what torch does."""

    def __init__(self, recorder: Recorder, model: Any) -> None:
        import torch

        self.torch = torch
        self.recorder = recorder
        self.libraries = (str(Path(torch.__file__).parent) + "/",)
        self.modules = Modules(model)
        self.thread = threading.get_ident()
        self.paused = False
        self.complained = False
        self.updates = 0
        self.rate: float | None = None
        self.known: dict[int, tuple[Any, int, int]] = {}  # id: tensor, version, position on the tape
        self.handles: list[Any] = []
        self.applied: list[
            tuple[Any, list[Any], Action]
        ] = []  # users' Functions, till their results are seen

    @property
    def tape(self) -> Tape:
        return self.recorder.tape

    @property
    def active(self) -> bool:
        """Whether anything has happened in this step."""
        return bool(self.known)

    @property
    def framework(self) -> str:
        return f"torch {self.torch.__version__.split('+')[0]}"

    def forget(self) -> None:
        """Begin a new tape."""
        self.known.clear()
        self.applied.clear()
        for handle in self.handles:
            handle.remove()
        self.handles.clear()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what happens in this context and thread."""
        from torch.optim.optimizer import register_optimizer_step_post_hook
        from torch.overrides import TorchFunctionMode

        watch = self

        class Mode(TorchFunctionMode):  # type: ignore[misc]  # torch has no types here
            def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                return watch.called(func, args, kwargs or {}, getattr(func, "__name__", "operation"))

        with ExitStack() as stack:
            stack.enter_context(wrapped(self.torch.autograd, "backward", self._backward))
            stack.enter_context(called_functions(partial(self._harmless, self._applied)))
            stack.enter_context(self.modules.followed())
            if "torch._dynamo" in sys.modules:  # compiled code cannot be watched
                stack.enter_context(self.torch.compiler.set_stance("force_eager"))
            stack.callback(register_optimizer_step_post_hook(self._updated).remove)
            stack.enter_context(Mode())
            yield

    @property
    def idle(self) -> bool:
        return self.paused or threading.get_ident() != self.thread

    def _updated(self, optimizer: Any, *_: Any) -> None:
        if not self.idle:
            self.updates += 1
            self.rate = float(optimizer.param_groups[0].get("lr", float("nan")))

    # ---- operations

    def called(self, function: Any, arguments: Any, options: Any, name: str) -> Any:
        """Do one operation, and write it down if a gradient can come back through it."""
        if name == "__get__":
            name = getattr(function.__self__, "__name__", name)
        if self.idle or name in SILENT or not self.torch.is_grad_enabled():
            return function(*arguments, **options)
        given = list(tensors_in((arguments, options)))
        if not any(each.requires_grad for each in given):
            return self._tried(function, arguments, options, name, given)
        return self._recorded(function, arguments, options, name, given)

    def _tried(self, function: Any, arguments: Any, options: Any, name: str, given: list[Any]) -> Any:
        try:
            return function(*arguments, **options)
        except Exception as error:
            self._failed(name, given, error)
            raise

    def _recorded(self, function: Any, arguments: Any, options: Any, name: str, given: list[Any]) -> Any:
        in_place = overwrites(name, options)
        full = len(self.tape.values) > MOST_VALUES - 2 * MOST_TOGETHER
        if full or len(self.tape.actions) >= MOST_OPERATIONS or len(given) > MOST_TOGETHER:
            self.tape.left_out += 1
            return self._tried(function, arguments, options, name, given)
        frame = places.users_frame(self.libraries)
        surroundings = Surroundings(given) if self.tape.full else None
        before = None
        if in_place:
            before = self._harmless(self._prepared, function, arguments, options, given, surroundings, frame)
        result = self._tried(function, arguments, options, name, given)
        outputs = list(tensors_in(arguments[0] if name == "__setitem__" else result))
        new = [each for each in outputs if in_place or all(each is not known for known in given)]
        if not new or not any(each.requires_grad for each in new) or len(new) < len(outputs):
            return result
        if len(new) > MOST_TOGETHER:
            self.tape.left_out += 1
            return result
        prepared = before or self._harmless(
            self._prepared, function, arguments, options, given, surroundings, frame
        )
        if prepared is not None:
            self._harmless(self._write, name, prepared, new, frame)
        return result

    def _harmless(self, part: Callable[..., Any], *arguments: Any) -> Any:
        """Part of the recording, which must not stop the run; None where it fails, which is said once."""
        try:
            return part(*arguments)
        except Exception as error:  # whatever tensors somebody may have
            self.paused = False
            if not self.complained:
                warnings.warn(f"engine.record() leaves something out: {error!r}", stacklevel=2)
            self.complained = True
            return None

    def _prepared(
        self, function: Any, arguments: Any, options: Any, given: list[Any], surroundings: Any,
        frame: FrameType | None,
    ) -> Prepared:  # fmt: skip
        """Where the inputs are on the tape, and how to do it again; asked for before they are overwritten."""
        inputs = [self._position(each, frame) for each in given]
        if not self.tape.full:
            return inputs, None, ""
        self._keep(inputs, given)
        if getattr(function, "__name__", "") == "__setitem__":
            function = assigned
        return inputs, *self._replay(function, arguments, options, surroundings)

    def _replay(
        self, function: Any, arguments: Any, options: Any, surroundings: Any
    ) -> tuple[TorchReplay | None, str]:
        self.paused = True
        try:
            return TorchReplay(function, arguments, options, surroundings, LARGEST), ""
        except (ValueError, RuntimeError, NotImplementedError) as error:
            return None, str(error)[:200]
        finally:
            self.paused = False

    def _write(self, name: str, prepared: Prepared, outputs: list[Any], frame: FrameType | None) -> None:
        inputs, replay, why_not = prepared
        if replay is not None:
            replay.result(outputs)
        made = [self._new(each, "result") for each in outputs]
        action = Action(name.strip("_")[:100], inputs, made, places.place(frame))
        action.groups, action.replay, action.why_not = self.modules.inside(), replay, why_not
        self.tape.actions.append(action)

    def _applied(self, cls: Any, arguments: Any, options: Any) -> None:
        """A derivative of the user's own is about to be used; what it makes is seen when that is used."""
        if self.idle or not self.torch.is_grad_enabled():
            return
        given = list(tensors_in((arguments, options)))
        if any(each.requires_grad for each in given) and len(self.applied) < MOST_OPERATIONS:
            frame = places.users_frame(self.libraries)
            surroundings = Surroundings(given) if self.tape.full else None
            prepared = self._prepared(cls.apply, arguments, options, given, surroundings, frame)
            action = Action(cls.__name__[:100], prepared[0], [], places.place(frame), rule_of(cls))
            action.groups, action.replay, action.why_not = self.modules.inside(), prepared[1], prepared[2]
            self.applied.append((cls, given, action))

    # ---- tensors

    def _position(self, tensor: Any, frame: FrameType | None) -> int:
        """Where a tensor is on the tape; a new one is a leaf, or comes from what was not seen."""
        known = self.known.get(id(tensor))
        if known is not None and known[1] == tensor._version:
            value = self.tape.values[known[2]]
            if value.kind == "result" and not value.name:
                value.name = places.variable(frame, tensor)
            return known[2]
        if tensor.grad_fn is not None:
            return self._unseen(tensor, None if known is None else known[2])
        position = self._new(tensor, "parameter" if tensor.requires_grad else "data")
        self.tape.values[position].name = self.modules.parameter(tensor) or places.variable(frame, tensor)
        return position

    def _unseen(self, tensor: Any, before: int | None) -> int:
        """A result whose making was not seen: of a user's Function, or by a change through a view."""
        cls = getattr(tensor.grad_fn, "_forward_cls", None)
        action = None if cls is None else self._application(cls, tensor.grad_fn)
        if action is None:
            sources = self._sources(tensor.grad_fn) if before is None else [before]
            for source in sources:
                self.tape.values[source].incomplete = True
            name = type(tensor.grad_fn).__name__.removesuffix("Backward0")
            action = Action(name[:100], sources, [], why_not="how it was made was not seen")
        position = self._new(tensor, "result")
        action.outputs.append(position)
        if isinstance(action.replay, TorchReplay):
            action.replay.result(tensor)
        self.tape.actions.append(action)
        return position

    def _application(self, cls: Any, node: Any) -> Action | None:
        """The use of a user's Function that made a node of torch's graph."""
        sources = [(getattr(source, "variable", None), source) for source, _ in node.next_functions]
        for place, (used, given, action) in enumerate(self.applied):
            pairs = list(zip(given, sources, strict=False))
            if (
                used is cls
                and len(given) == len(sources)
                and all(
                    leaf is tensor or (leaf is None and tensor.grad_fn is source)
                    for tensor, (leaf, source) in pairs
                )
            ):
                del self.applied[place]
                return action
        return None

    def _sources(self, node: Any) -> list[int]:
        """The known tensors that a node of torch's graph sends gradients to."""
        makers = {
            (tensor.grad_fn, tensor.output_nr): position
            for tensor, _, position in self.known.values()
            if tensor.grad_fn is not None
        }
        found = []
        for source, number in node.next_functions:
            leaf = getattr(source, "variable", None)
            position = makers.get((source, number)) if leaf is None else self._position(leaf, None)
            if position is not None:
                found.append(position)
        return found

    def _new(self, tensor: Any, kind: Any) -> int:
        position = len(self.tape.values)
        dtype = str(tensor.dtype).removeprefix("torch.")
        self.tape.values.append(Value(kind, tuple(tensor.shape), dtype, bool(tensor.requires_grad)))
        self.known[id(tensor)] = (tensor, tensor._version, position)
        if self.tape.full and tensor.requires_grad:
            self.handles.append(tensor.register_hook(self._arrival(self.tape.values[position])))
        return position

    def _arrival(self, value: Value) -> Callable[[Any], None]:
        def arrived(gradient: Any) -> None:
            self.paused, before = True, self.paused
            found = as_numbers(as_array(gradient))
            if found is not None:
                value.gradient = found if value.gradient is None else value.gradient + found
            self.paused = before

        return arrived

    def _keep(self, positions: list[int], tensors: list[Any]) -> None:
        """Take numbers now: the operation may overwrite them."""
        self.paused = True
        for position, tensor in zip(positions, tensors, strict=True):
            if self.tape.values[position].numbers is None:
                self.tape.values[position].numbers = as_numbers(as_array(tensor))
        self.paused = False

    # ---- the ends of a step

    def _backward(self, original: Callable[..., Any], tensors: Any, *more: Any, **options: Any) -> Any:
        if self.idle:
            return original(tensors, *more, **options)
        roots = list(tensors_in(tensors))
        self._harmless(self._begin_backward, roots)
        try:
            result = original(tensors, *more, **options)
        except Exception as error:
            self._failed("backward", roots, error, backward=True)
            raise
        self.paused = True
        self._harmless(self._end_backward, roots)
        self.paused = False
        return result

    def _begin_backward(self, roots: list[Any]) -> None:
        self.recorder.before_backward()
        for root in roots:
            self.tape.loss = self._position(root, places.users_frame(self.libraries))

    def _end_backward(self, roots: list[Any]) -> None:
        self._complete()
        self.tape.failure = None  # an earlier one, which the run got over
        loss = float(roots[0].detach()) if roots and roots[0].numel() == 1 else None
        self.recorder.after_backward(self, loss)

    def _complete(self) -> None:
        """Take the numbers that nobody has asked for yet."""
        if not self.tape.full:
            return
        for tensor, version, position in self.known.values():
            value = self.tape.values[position]
            if value.numbers is None and tensor._version == version:
                value.numbers = self._harmless(self.numbers, tensor)

    def _failed(self, name: str, given: list[Any], error: Exception, backward: bool = False) -> None:
        frame = places.users_frame(self.libraries)
        inputs = self._harmless(lambda: tuple(self._position(each, frame) for each in given[:100])) or ()
        self._harmless(self._complete)
        self.tape.failure = Failure(
            error=type(error).__name__, message=str(error)[:2000], operation=name.strip("_")[:100],
            place=places.place(frame), inputs=inputs, backward=backward,
        )  # fmt: skip

    def described(self, error: Exception) -> Failure | None:  # noqa: ARG002
        """Nothing more than what was noted when it happened."""
        return None

    def finish(self) -> None:
        """The recording ends: what is on an unfinished tape is kept where the numbers are at hand."""
        self.tape.full = True
        self._complete()

    # ---- what the history measures

    def parameters(self) -> Iterator[tuple[str, Any, Any]]:
        """Name, numbers and gradient (or None) of every parameter that is known."""
        leaves = {
            id(t): (t, position) for t, _, position in self.known.values() if t.is_leaf and t.requires_grad
        }
        for tensor, position in leaves.values():
            name = self.tape.values[position].name or f"parameter {position}"
            yield name, tensor, tensor.grad
        for name, tensor in self.modules.named.values():
            if id(tensor) not in leaves:
                yield name, tensor, tensor.grad

    def numbers(self, tensor: Any) -> Any:
        return as_numbers(as_array(tensor))

    def results(self) -> Iterator[tuple[int, Any]]:
        """Position and numbers of every result on the tape."""
        for tensor, version, position in self.known.values():
            if self.tape.values[position].kind == "result" and tensor._version == version:
                numbers = as_numbers(as_array(tensor))
                if numbers is not None:
                    yield position, numbers
