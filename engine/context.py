"""What holds for a stretch of code: whether history is kept, the backend, the default dtype, the seed.

Each is a context variable, so it is private to a thread (and to an async task): one visitor's
`no_grad` never switches off another's gradients.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

grad_enabled: ContextVar[bool] = ContextVar("grad_enabled", default=True)
# what writes computations down instead of doing them (see compiler/trace), if anything does
tracer: ContextVar[Any] = ContextVar("tracer", default=None)
# what is told of the gradients that a `backward` has left (see tracing/engine_watch), if anything is
watcher: ContextVar[Any] = ContextVar("watcher", default=None)
_default_dtype: ContextVar[str] = ContextVar("default_dtype", default="float32")


class Late(float):
    """A number that is looked up afresh in each call, such as a learning rate; its value is the first one."""

    __slots__ = ("place",)
    place: tuple[int, int]  # which group of numbers of the trace, and which of them


def looked_up(function: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
    """The numbers that `function` gives; if the computation is being traced, to be asked for in each call."""
    writing = tracer.get()
    found: tuple[float, ...] = writing.late(function) if writing else function()
    return found


def assume(function: Callable[[], Any]) -> None:
    """If the computation is being traced: it is another one as soon as `function` gives another value."""
    writing = tracer.get()
    if writing is not None:
        writing.assume(function)


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require a gradient are being recorded."""
    return grad_enabled.get()


class set_grad_enabled:  # noqa: N801  (named as in PyTorch, where it is a context manager too)
    """`with set_grad_enabled(False):`: keep history or not in this stretch of code. Also a decorator."""

    def __init__(self, mode: bool) -> None:
        self._mode = mode
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        self._tokens.append(grad_enabled.set(self._mode))

    def __exit__(self, *exception: object) -> None:
        grad_enabled.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def wrapped(*arguments: Any, **options: Any) -> Any:
            with set_grad_enabled(self._mode):
                return function(*arguments, **options)

        return wrapped  # type: ignore[return-value]


def _named_mode(mode: bool) -> Callable[..., Any]:
    def choose(function: Callable[..., Any] | None = None) -> Any:
        return set_grad_enabled(mode) if function is None else set_grad_enabled(mode)(function)

    return choose


no_grad = _named_mode(False)
enable_grad = _named_mode(True)
no_grad.__doc__ = "`with no_grad():` or `@no_grad()`: compute without keeping history."
enable_grad.__doc__ = "`with enable_grad():` inside `no_grad`: keep history after all."


def get_default_dtype() -> str:
    """Name of the floating-point dtype of new tensors here."""
    return _default_dtype.get()


def set_default_dtype(dtype: Any) -> None:
    """Make `float32` or `float64` the dtype of new floating-point tensors in this context."""
    name = getattr(dtype, "name", None)
    if name not in ("float32", "float64"):
        raise TypeError(f"the default dtype is float32 or float64, not {dtype}")
    _default_dtype.set(name)
