"""Which other engines are installed; those that are not are left out, with a line that says so."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from shutil import which

OURS, TORCH, NUMPY = "engine", "torch", "numpy"
AUTOGRAD, MICROGRAD, TINYGRAD, JAX = "autograd", "micrograd", "tinygrad", "jax"
PROGRAMS = {TINYGRAD: "clang"}  # that compile what a library runs


def label(library: str) -> str:
    """The library with its version."""
    return f"{library} {version(library).partition('+')[0]}"


def installed(library: str) -> bool:
    """Whether it can take part. Says so if it cannot."""
    missing = library if find_spec(library) is None else None
    if missing is None and library in PROGRAMS and which(PROGRAMS[library]) is None:
        missing = PROGRAMS[library]
    if missing:
        print(f"{library} is left out: {missing} is not installed.")
    return missing is None
