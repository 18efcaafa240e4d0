"""Random numbers with a seed, private to a context: one thread's seed never shifts another's numbers."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import numpy as np


class Generator:
    """A stream of random numbers (numpy's PCG64), repeatable from its seed."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed
        self.numpy = np.random.default_rng(seed)

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream again from `seed`."""
        self._seed = int(seed)
        self.numpy = np.random.default_rng(self._seed)
        return self

    def initial_seed(self) -> int | None:
        """The seed of the stream; None if it was started from the system's entropy."""
        return self._seed

    def get_state(self) -> dict[str, Any]:
        """Where in the stream it is; for `set_state`."""
        return dict(self.numpy.bit_generator.state)

    def set_state(self, state: dict[str, Any]) -> None:
        self.numpy.bit_generator.state = state


_default: ContextVar[Generator] = ContextVar("generator")


def default_generator() -> Generator:
    """The generator used where none is named; each context (thread, task) has its own."""
    found = _default.get(None)
    if found is None:
        found = Generator()
        _default.set(found)
    return found


def manual_seed(seed: int) -> Generator:
    """Start this context's random numbers from `seed`."""
    generator = Generator(int(seed))
    _default.set(generator)
    return generator
