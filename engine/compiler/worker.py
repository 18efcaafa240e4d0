"""The process in which kernels are compiled: `python -m engine.compiler.worker` reads names of generated
modules, one a line, and imports them, which leaves their machine code on disk."""

from __future__ import annotations

import contextlib
import os
import sys

from engine.compiler import modules


def main() -> None:
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)  # whoever trains meanwhile goes first
    for name in sys.stdin.read().split():
        modules.load_written(name)


if __name__ == "__main__":
    main()
