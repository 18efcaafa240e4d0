"""Whatever is typed: a program that evaluates, or an ExpressionError; never anything else, never slow."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Iterator

from engine.expression import ExpressionError, Instruction, evaluate, parse
from engine.primitives import TABLE

LIMIT_S = 0.5
EXTREMES = (0.75, 0.0, -2.5, 1e308, math.inf, math.nan)
LANGUAGE = [
    *TABLE, "max", "min", "ln", "pi", "x", "y", "w1", "σ", "θ", "x", "y", "0", "1", "2.5", "1e-3", "1e308",
    "-1", "+", "-", "*", "/", "**", "<", "<=", ">", ">=", "==", "!=", "(", ")", "(", ")", ",", "=", "\n", " ",
    "# c\n",
]  # fmt: skip
PYTHON = [
    "__import__", "'os'", '"', "'''", "lambda", "for", "in", "if", "else", "and", "or", "not", "is", "await",
    "yield", "async", "def", "class", "return", "import", "from", "with", "try", "True", "None", ":=", "->",
    "[", "]", "{", "}", ".", ":", ";", "@", "\\", "\\\n", "\t", "\r", "\x00", "\x0c", "f'{", "b'", "0x",
    "1_0", "1j", "...", "**=", "//", "<<", "~",
    "^", "%", "|", "&", "!", "$", "?", "`", "×", "²", "−", "\u00a0",
    "\u202e", "\ud800", "\ufeff", "\U0001f600", "x\u0302", "\ufe0f", "ﬁ", "９", "_", "__class__", "9" * 50,
    "print", "eval", "exec", "match", "case", "type", "x" * 30,
]  # fmt: skip
PROGRAMS = [
    "x*y + sin(x)",
    "-x**2 + 3*(y - 1)/(2.5e-1 + w)",
    "w1 = 0.5\nw2 = -1.5\nx = 2\nh = tanh(w1*x)\no = sigmoid(w2*h)\n(o - 1)**2",
    "(1 - a)**2 + 100*(b - a**2)**2",
    "m = max(a, b, c)\np = exp(a - m)\nq = exp(b - m)\nr = exp(c - m)\np/(p + q + r), q/(p + q + r)",
    "where(x > 0, ln(x), -x) + (x >= y)*(y != 2)",
    "σ = 1.5  # width\nμ = 0\nexp(-((x - μ)/σ)**2/2)/(σ*sqrt(2*pi))",
    "relu(minimum(abs(x), softplus(y)))\n# end\n",
]


def raw_bytes(generator: random.Random) -> str:
    data = generator.randbytes(generator.randrange(1, 80))
    return data.decode("latin-1") if generator.random() < 0.5 else data.decode("utf-8", errors="replace")


def ascii_characters(generator: random.Random) -> str:
    return "".join(map(chr, generator.choices(range(32, 127), k=generator.randrange(1, 60))))


def arithmetic_characters(generator: random.Random) -> str:
    return "".join(generator.choices("xy12.()+-*/<=, \ne", k=generator.randrange(1, 40)))


def language_tokens(generator: random.Random) -> str:
    return "".join(generator.choices(LANGUAGE, k=generator.randrange(1, 20)))


def python_tokens(generator: random.Random) -> str:
    return " "[: generator.randrange(2)].join(
        generator.choices(PYTHON + LANGUAGE, k=generator.randrange(1, 20))
    )


def unicode_characters(generator: random.Random) -> str:
    return "".join(chr(generator.randrange(0x110000)) for _ in range(generator.randrange(1, 30)))


def repetition(generator: random.Random) -> str:
    """The same few tokens many times: deep nesting, long chains, huge literals."""
    piece = "".join(generator.choices(LANGUAGE + PYTHON, k=generator.randrange(1, 4)))
    return piece * generator.choice([10, 100, 500]) + generator.choice(["", "x"])


DISTRIBUTIONS: list[tuple[Callable[[random.Random], str], int]] = [
    (raw_bytes, 40_000),
    (ascii_characters, 15_000),
    (arithmetic_characters, 15_000),
    (language_tokens, 15_000),
    (python_tokens, 10_000),
    (unicode_characters, 4_000),
    (repetition, 1_000),
]


def mutated(generator: random.Random, text: str) -> str:
    """One to four deletions, duplications, insertions, swaps or replacements."""
    for _ in range(generator.randrange(1, 5)):
        start = generator.randrange(len(text) + 1)
        end = min(len(text), start + generator.randrange(1, 6))
        piece = text[start:end]
        token = generator.choice(LANGUAGE + PYTHON)
        change = generator.randrange(5)
        if change == 0:
            text = text[:start] + text[end:]
        elif change == 1:
            text = text[:start] + piece * generator.randrange(2, 40) + text[end:]
        elif change == 2:
            text = text[:start] + token + text[start:]
        elif change == 3:
            text = text[:start] + piece[::-1] + text[end:]
        else:
            text = text[:start] + token + text[end:]
    return text


def with_inputs(value: float) -> Callable[[Instruction], float]:
    """A leaf function that gives `value` to every input without a default."""
    return lambda leaf: value if leaf.value is None else leaf.value


def is_program(source: str) -> bool:
    """Whether `source` parses and evaluates, rather than being refused; any other exception escapes."""
    try:
        program = parse(source)
    except ExpressionError as error:
        error.pointer().encode()
        f"{error} {error.hint}".encode()
        return False
    for value in EXTREMES:
        values = evaluate(program, with_inputs(value), TABLE)
        assert all(isinstance(found, float) for found in values), source
    return True


def processor_time(source: str) -> float:
    start = time.thread_time()
    is_program(source)
    return time.thread_time() - start


def survive(cases: Iterable[str]) -> tuple[int, list[str]]:
    """How many cases are programs, and those that take longer than the limit.

    A slow text is slow whenever it is tried. A collection of what other tests left behind, which may fall
    into any case, is not the text's: so a case over the limit is tried twice more, and the shortest counts.
    """
    programs, slow = 0, []
    for source in cases:
        start = time.thread_time()
        programs += is_program(source)
        if time.thread_time() - start > LIMIT_S and min(map(processor_time, [source] * 2)) > LIMIT_S:
            slow.append(source)
    return programs, slow


def random_strings() -> Iterator[str]:
    generator = random.Random(20_240_501)
    for distribution, count in DISTRIBUTIONS:
        for _ in range(count):
            yield distribution(generator)


def test_100_000_random_strings() -> None:
    assert sum(count for _, count in DISTRIBUTIONS) == 100_000
    programs, slow = survive(random_strings())
    assert programs > 1_000  # the distributions reach the other side too
    assert not slow


def test_20_000_mutated_programs() -> None:
    generator = random.Random(20_240_502)
    cases = (mutated(generator, generator.choice(PROGRAMS)) for _ in range(20_000))
    programs, slow = survive(cases)
    assert programs > 1_000
    assert not slow
