"""The process in which kernels are compiled: `python -m engine.compiler.worker` reads names of generated
modules, one a line, imports each, which leaves its machine code on disk, and answers with the name."""

from __future__ import annotations

import contextlib
import os
import sys

from engine.compiler import modules


def main() -> None:
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)  # whoever trains meanwhile goes first
    for line in sys.stdin:
        name = line.strip()
        with contextlib.suppress(Exception):  # whoever asked will see the error when loading it
            modules.load_written(name)
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
