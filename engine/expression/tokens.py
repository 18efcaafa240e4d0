"""Text -> tokens: numbers, names, operators and brackets; everything else is refused with a hint."""

from __future__ import annotations

import keyword
import math
import re
import unicodedata
from dataclasses import dataclass

from engine.expression.errors import ExpressionError, SourceLine
from engine.expression.vocabulary import FOREIGN, KEYWORDS, MAX_NAME

_FOREIGN = "|".join(re.escape(text) for text in sorted(FOREIGN, key=len, reverse=True) if len(text) > 1)
TOKEN = re.compile(
    r"(?P<blank>[ \t]+|\#.*)"
    r"|(?P<odd_number>0[xXbBoO][0-9a-fA-F]\w*|[0-9]+(?:_[0-9]+)+|0[0-9]+(?![0-9.eE]))"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<foreign>{_FOREIGN})"
    r"|(?P<operator>\*\*|<=|>=|==|!=|[-+*/<>])"
    r"|(?P<mark>[(),=])"
    r"|(?P<name>[A-Za-z_\x80-\U0010ffff][0-9A-Za-z_\x80-\U0010ffff]*)"
    r"|(?P<other>.)"
)
# Letters and marks that Unicode lets into names but that leave no ink.
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line. `kind` is number, name, operator (+ - * / ** and comparisons) or mark ( ) , =."""

    kind: str
    text: str
    start: int
    end: int


def scan(line: SourceLine) -> list[Token]:
    """The tokens of a line, without blanks and comment."""
    tokens: list[Token] = []
    position = 0
    while match := TOKEN.match(line.text, position):
        kind, text, start = str(match.lastgroup), match.group(), match.start()
        if kind == "name":
            text = _name_at_start(text)
            kind, text = ("name", text) if text else ("other", line.text[start])
        position = start + len(text)
        if kind != "blank":
            tokens.append(Token(kind, text, start, position))
            _check(line, tokens[-1])
    return tokens


def canonical(name: str) -> str:
    """The name as Python compares it: compatibility forms of a letter are the same letter."""
    return unicodedata.normalize("NFKC", name)


def check_printable(line: SourceLine) -> None:
    """Refuse what cannot be seen: control characters, direction overrides, surrogates, odd spaces."""
    if line.text.isprintable():
        return
    for column, character in enumerate(line.text):
        if character != "\t" and not character.isprintable():
            raise _invisible(line, character, column)


def _invisible(line: SourceLine, character: str, column: int) -> ExpressionError:
    is_space = unicodedata.category(character).startswith("Z")
    hint = (
        "type an ordinary space instead" if is_space else "delete it; copied text may have brought it along"
    )
    return line.error(f"an invisible character (U+{ord(character):04X}) is here", column, column + 1, hint)


def _name_at_start(text: str) -> str:
    """The longest name that `text` starts with, "" if none."""
    if text.isascii():
        return text
    for index, character in enumerate(text):
        allowed = f"a{character}".isidentifier() if index else character.isidentifier()
        if not allowed or character in FOREIGN or INVISIBLE.match(character):
            return text[:index]
    return text


def _check(line: SourceLine, token: Token) -> None:
    """Refuse a token that is wrong by itself."""
    text = token.text
    match token.kind:
        case "name":
            text = canonical(token.text)
            message, hint = _name_problem(text)
        case "number":
            message, hint = _number_problem(text)
        case "odd_number":
            message = f"the number {text} is written in a way not used here"
            hint = "write plain decimal numbers, such as 1000, 0.5 or 2.5e-3"
        case "foreign" | "other":
            if INVISIBLE.match(text):
                raise _invisible(line, text, token.start)
            message, hint = f"“{text}” has no meaning here", _foreign_hint(text)
        case _:
            return
    if message:
        raise line.error(message, token.start, token.end, hint)


def _name_problem(name: str) -> tuple[str, str]:
    """Message and hint, or two empty texts."""
    if keyword.iskeyword(name):
        return f"“{name}” is a word that Python keeps for itself", KEYWORDS.get(name, "choose another name")
    if name.startswith("_"):
        return f"the name “{name}” starts with an underscore", "start names with a letter: x, w1, loss"
    if len(name) > MAX_NAME:
        return f"this name is {len(name)} characters long", f"names have at most {MAX_NAME} characters"
    return "", ""


def _number_problem(text: str) -> tuple[str, str]:
    """Message and hint, or two empty texts."""
    value = float(text)
    if math.isinf(value):
        return "this number is too large for float64", "the largest is about 1.8e308"
    if value == 0.0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        return "this number is too small for float64", "the smallest above 0 is about 4.9e-324; or write 0"
    return "", ""


def _foreign_hint(text: str) -> str:
    """What to write instead: from the table, or by what Unicode says the character stands for."""
    if text in FOREIGN:
        return FOREIGN[text]
    plain = canonical(text).replace("⁄", "/").replace("−", "-")
    decomposition = unicodedata.decomposition(text)
    if decomposition.startswith("<super>"):
        return f"write powers with **: x**{plain}"
    if decomposition.startswith("<sub>"):
        return f"write the index as part of the name: x{plain}"
    if plain != text and plain.isascii():
        return f"write {plain}"
    return "a program has names, numbers, + - * / ** ( ) , = and comparisons"
