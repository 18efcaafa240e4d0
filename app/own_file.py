"""The file that `unroll open FILE` was given, which the page "Your own run" begins with.

Only whoever starts the server names it, by this variable of the environment: no address and no visitor does.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.tracing.files import LARGEST_FILE, TraceFileError

VARIABLE = "UNROLL_TRACE"


def named_file() -> bytes | None:
    """The bytes of that file, None if none was named; OSError, or TraceFileError if it is too large."""
    path = os.environ.get(VARIABLE)
    return None if not path else bounded(Path(path))


def bounded(path: Path) -> bytes:
    """A file's bytes, of which there may not be too many."""
    with path.open("rb") as stream:
        data = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        size = path.stat().st_size / 1e6
        raise TraceFileError(
            f"{path.name} has {size:.1f} MB; a trace has at most {LARGEST_FILE / 1e6:.0f} MB"
        )
    return data
