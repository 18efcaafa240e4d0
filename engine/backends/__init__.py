"""Backends: where tensors live and what computes with them.

reference  plain Python loops over strides: the specification, made to be read
cpu        kernels generated from the table and compiled by numba; the default
cuda       the same for a GPU
simulator  the kernels of cuda, run in this process without a GPU
"""

from __future__ import annotations

import importlib
import threading
from contextvars import ContextVar, Token

from engine.backends.interface import Backend
from engine.errors import BackendError

MODULES = {
    "reference": "engine.backends.reference",
    "cpu": "engine.backends.cpu.backend",
    "cuda": "engine.backends.cuda.backend",
    "simulator": "engine.backends.cuda.simulated",
}

_loaded: dict[str, Backend] = {}
_loading = threading.Lock()
_chosen: ContextVar[str] = ContextVar("backend", default="cpu")


def get(name: str) -> Backend:
    """The backend of this name, imported on first use; raises BackendError if it cannot run here."""
    found = _loaded.get(name)
    if found is not None:
        return found
    if name not in MODULES:
        raise BackendError(f"there is no backend {name!r}; choose one of {', '.join(MODULES)}")
    with _loading:
        if name not in _loaded:
            _loaded[name] = importlib.import_module(MODULES[name]).create()
        return _loaded[name]


def current() -> Backend:
    """The backend that new tensors are made on in this context."""
    return get(_chosen.get())


def is_available(name: str) -> bool:
    """Whether tensors can be made on this backend here."""
    try:
        get(name)
    except BackendError:
        return False
    return True


class backend:  # noqa: N801  (used as a word: `with backend("cpu"):`)
    """`with backend("reference"):`: make new tensors on this backend. Existing ones stay where they are."""

    def __init__(self, name: str) -> None:
        get(name)
        self._name = name
        self._tokens: list[Token[str]] = []

    def __enter__(self) -> Backend:
        self._tokens.append(_chosen.set(self._name))
        return get(self._name)

    def __exit__(self, *exception: object) -> None:
        _chosen.reset(self._tokens.pop())
