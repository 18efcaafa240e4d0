"""Which other engines are installed; those that are not are left out, with a line that says so."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

OURS, TORCH, NUMPY, AUTOGRAD, MICROGRAD = "engine", "torch", "numpy", "autograd", "micrograd"


def label(library: str) -> str:
    """The library with its version."""
    return f"{library} {version(library).partition('+')[0]}"


def installed(library: str) -> bool:
    """Whether it can take part. Says so if it cannot."""
    found = find_spec(library) is not None
    if not found:
        print(f"{library} is not installed: left out.")
    return found
