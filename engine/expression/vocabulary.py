"""The words of the language, its limits, and what to write instead of what it does not have.

The functions are the rows of the table of operators: a new row is callable here at once.
"""

from __future__ import annotations

import difflib
import math

from engine.primitive import Primitive
from engine.primitives import TABLE

MAX_CHARACTERS = 2000
MAX_LINES = 40
MAX_INSTRUCTIONS = 400
MAX_DEPTH = 100
MAX_INPUTS = 16
MAX_NAME = 24
TOO_LONG = "keep to the part you want to look at"  # hint for what is over a limit

CONSTANTS = {"pi": math.pi, "π": math.pi}
ALIASES = {"ln": "log", "max": "maximum", "min": "minimum", "power": "pow"}
FOLDED = ("max", "min")  # take two or more values, combined from the left


def function(name: str) -> Primitive | None:
    """The row of the table called by this name or alias."""
    return TABLE.get(ALIASES.get(name, name))


def function_hint(name: str) -> str:
    """For an unknown function: what may have been meant, and all there are."""
    names = sorted([*TABLE, *ALIASES])
    close = difflib.get_close_matches(name.lower(), names, n=2)
    suggestion = f"did you mean {' or '.join(close)}?" if close else f"to multiply, write {name}*(…)."
    return f"{suggestion} The functions are {', '.join(names)}."


def usage(name: str, arity: int) -> str:
    """How a function is called: max(a, b)."""
    return f"{name}({', '.join('abc'[:arity])})"


def _each(characters: str, hint: str) -> dict[str, str]:
    return dict.fromkeys(characters, hint)


# What people write elsewhere -> what to write here.
FOREIGN = {
    "^": "use ** for powers: x**2",
    **_each("×·⋅∙•∗✕✖", "use * to multiply: a*b"),
    **_each("÷∕⁄", "use / to divide: a/b"),
    **_each("−–—‐‑", "use the minus sign of the keyboard: a - b"),
    "√": "use sqrt(x)",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "=<": "write <=",
    "=>": "write >=",
    "<>": "write !=",
    "//": "use / to divide: a/b",
    "%": "there is no remainder here; use / to divide: a/b",
    "∞": "write a large number, such as 1e300",
    **_each("[]", "use round brackets ( ) to group; names such as x0, x1 instead of x[0], x[1]"),
    **_each("{}", "use round brackets ( ) to group"),
    ".": "a dot belongs only in numbers such as 0.5; write functions alone: sin(x), not math.sin(x)",
    ";": "put every step on a line of its own",
    ":": "write y = x**2 to give a value a name, where(condition, a, b) to choose",
    ":=": "write y = x**2 to give a value a name",
    **dict.fromkeys(("+=", "-=", "*=", "/=", "**=", "//="), "give the result a new name: y = x + 1"),
    "\\": "write names without a backslash: sigma, or σ",
    **_each("'\"`‘’“”", "there is no quoted text here: write names and numbers only"),
    **_each("&", "multiply comparisons: (x > 0) * (x < 1)"),
    **_each("|", "write abs(x) for |x|, max(p, q) for “or”"),
    "!": "there is no factorial here; “not equal” is !=",
    "~": "write -x for minus x, 1 - p for “not”",
    "@": "use * to multiply: a*b",
}

_NO_LOOPS = "there are no loops: write the terms one by one"
_CHOICE = "choose with where(condition, a, b)"
KEYWORDS = {
    "and": "multiply comparisons: (x > 0) * (x < 1)",
    "or": "take the larger of two comparisons: max(x < 0, x > 1)",
    "not": "turn the comparison round: x <= 0, not “not x > 0”",
    "is": "compare with ==",
    "if": _CHOICE,
    "elif": _CHOICE,
    "else": _CHOICE,
    "for": _NO_LOOPS,
    "while": _NO_LOOPS,
    "in": _NO_LOOPS,
    "lambda": "choose another name, such as lam or λ",
    "def": "give a value a name: y = x**2",
    "return": "the last line is what is computed: write it alone",
    "True": "write 1",
    "False": "write 0",
}
