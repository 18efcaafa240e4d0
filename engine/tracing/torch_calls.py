"""Calls of torch: which of them overwrite what they are given, and how one is listened to for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any


def assigned(target: Any, place: Any, value: Any) -> Any:
    """An assignment as a function that returns what it changed."""
    target[place] = value
    return target


def overwrites(name: str, options: Any) -> bool:
    """Whether an operation writes into what it is given: add_, relu(inplace=True), x[0] = y."""
    marked = name.endswith("_") and not name.endswith("__")
    return marked or name == "__setitem__" or options.get("inplace") is True


@contextmanager
def wrapped(owner: Any, name: str, around: Callable[..., Any]) -> Iterator[None]:
    """Let calls of owner.name go through around(original, …) for a while."""
    original = getattr(owner, name)
    setattr(owner, name, partial(around, original))
    try:
        yield
    finally:
        setattr(owner, name, original)
