"""Python's own parser, for any number of threads."""

from __future__ import annotations

import ast
from threading import Lock
from typing import Any, Literal

# CPython counts the depth of the trees it converts in a variable that threads share: two at once can fail.
_parser = Lock()


def parse(code: str, mode: Literal["exec", "eval"] = "exec") -> Any:
    """The syntax tree of a module, or of an expression (mode "eval"); raises what `ast.parse` raises."""
    with _parser:
        return ast.parse(code, mode=mode)
