"""Where something stands in the text, and what is said when it cannot be understood."""

from __future__ import annotations

from dataclasses import dataclass

POINTER_WIDTH = 72  # a longer line is shown as a window around the offending place


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line: 1-based line, 0-based character columns, `end` exclusive."""

    line: int
    start: int
    end: int


class ExpressionError(ValueError):
    """Text that is not a program: what is wrong, where, and what to write instead.

    `line` is 1-based; `column` and `end_column` count characters from 0; `hint` is "" if there is none.
    """

    def __init__(
        self, message: str, line: int, column: int, end_column: int, hint: str = "", text: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.end_column = end_column
        self.hint = hint
        self.text = text

    def pointer(self) -> str:
        """The offending line with ^~~~ under the place, safe to print whatever was typed."""
        first = max(0, self.column - POINTER_WIDTH // 2) if len(self.text) > POINTER_WIDTH else 0
        shown = self.text[first : first + POINTER_WIDTH].replace("\t", " ")
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
        start = self.column - first
        length = max(1, min(self.end_column - first, POINTER_WIDTH) - start)
        return f"{shown}\n{' ' * start}^{'~' * (length - 1)}"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of the text with its 1-based number."""

    number: int
    text: str

    def span(self, start: int, end: int) -> Span:
        return Span(self.number, start, end)

    def error(self, message: str, start: int, end: int, hint: str = "") -> ExpressionError:
        return ExpressionError(message, self.number, start, end, hint, self.text)
