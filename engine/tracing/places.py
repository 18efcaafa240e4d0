"""Where in the user's program something happens, and what the user calls a tensor.

Only a file's name and a line go into a trace: folders say where somebody's files lie.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from types import FrameType
from typing import Any

ENGINE = str(Path(__file__).resolve().parents[1]) + "/"
OURS = (ENGINE, contextlib.__file__)


def users_frame(libraries: tuple[str, ...]) -> FrameType | None:
    """The innermost frame that runs neither the engine nor one of these folders."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((*OURS, *libraries)):
        frame = frame.f_back
    return frame


def place(frame: FrameType | None) -> str:
    """File and line: train.py:12."""
    return "" if frame is None else line_of(frame.f_code.co_filename, frame.f_lineno)


def line_of(file: str, line: int) -> str:
    return f"{file.replace(chr(92), '/').rsplit('/', 1)[-1][-100:]}:{line}"


def definition(function: Any) -> str:
    """Where a function was written; "" if that is not known."""
    code = getattr(function, "__code__", None)
    return "" if code is None else line_of(code.co_filename, code.co_firstlineno)


def variable(frame: FrameType | None, tensor: Any) -> str:
    """The local variable that holds a tensor, or ""."""
    if frame is None:
        return ""
    held = (name for name, value in frame.f_locals.items() if value is tensor and name.isidentifier())
    return next((name[:40] for name in held if not name.startswith("_")), "")
