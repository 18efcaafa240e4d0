"""How an answer is judged: on generated inputs, the first that fails made as simple as it can be."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from random import Random
from time import monotonic

import numpy as np

import engine
from engine.expression import ExpressionError
from engine.puzzles.autodiff_puzzles import AUTODIFF_PUZZLES, AutodiffPuzzle
from engine.puzzles.choices import Choices, shrink
from engine.puzzles.language import MOST_CHARACTERS, functions_called, parse_line, problem
from engine.puzzles.puzzle import Arguments, Function, Numbers, Puzzle
from engine.puzzles.tensor_puzzles import TENSOR_PUZZLES
from engine.puzzles.walk import BUILT_IN, evaluate

TRIALS = 24  # generated inputs
SECONDS = 2.0  # for all of them
EXAMPLE_LENGTH = 3  # of the inputs that are drawn, at least where they may be
LONGEST_ANSWER = 2 * MOST_CHARACTERS + 3  # characters: two lines, and what separates them
RELATIVE, ABSOLUTE = 1e-6, 1e-8  # how far an element may be from its target

_ALL: tuple[Puzzle, ...] = (*TENSOR_PUZZLES, *AUTODIFF_PUZZLES)
PUZZLES = {puzzle.name: puzzle for puzzle in _ALL}
FUNCTIONS: dict[str, Function] = {puzzle.name: puzzle.function for puzzle in TENSOR_PUZZLES}


@dataclass(frozen=True, eq=False)
class Case:
    """An input, and what each part of the answer is to give.

    names   everything that a line may refer to, but for the indices of a derivative
    """

    arguments: Arguments
    names: Mapping[str, Numbers]
    targets: tuple[Numbers, ...]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a line gave on a case: its value and which elements are wrong, or why there is none."""

    value: Numbers | None
    wrong: tuple[int, ...] = ()
    problem: ExpressionError | None = None

    @property
    def right(self) -> bool:
        return self.value is not None and not self.wrong


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is known of one line of an answer.

    trials     generated inputs that it was held against
    functions  solved puzzles that it calls
    case       the simplest input found on which it fails, with its outcome
    """

    accepted: bool
    trials: int
    functions: frozenset[str]
    case: Case | None = None
    outcome: Outcome | None = None
    problem: ExpressionError | None = None  # with the line itself, whatever the input


@dataclass(frozen=True, eq=False)
class Line:
    """A line that could be read."""

    text: str
    tree: ast.expr

    @property
    def functions(self) -> frozenset[str]:
        return functions_called(self.tree) & FUNCTIONS.keys()


def earlier(puzzle: Puzzle) -> tuple[str, ...]:
    """The names of the tensor puzzles before this one: once solved, they are functions here."""
    names = list(FUNCTIONS)
    return tuple(names[: names.index(puzzle.name)] if puzzle.name in FUNCTIONS else names)


def read(puzzle: Puzzle, part: int, text: str) -> Line:
    """The line of this part; raises ExpressionError for what is not of the language."""
    given = cases(puzzle.name)[0]
    names = [*environment(puzzle, part, given)]
    return Line(text, parse_line(text, names, [*BUILT_IN, *earlier(puzzle)]))


def environment(puzzle: Puzzle, part: int, case: Case) -> dict[str, Numbers]:
    """Every name that a line may refer to."""
    if isinstance(puzzle, AutodiffPuzzle):
        return {**case.names, **puzzle.indices(part, case.targets[part])}
    return dict(case.names)


# ---- inputs


def make(puzzle: Puzzle, choices: Choices) -> Case:
    """The case of these choices."""
    with engine.backend("reference"):
        arguments = puzzle.draw(choices)
        targets = tuple(puzzle.target(part, arguments) for part in range(len(puzzle.parts)))
        return Case(arguments, puzzle.names(arguments), targets)


@lru_cache(maxsize=512)
def examples(name: str, seed: int, count: int = 3) -> tuple[Case, ...]:
    """Inputs to look at: neither empty nor tiny, and no two the same."""
    random, found = Random(seed), dict[tuple[int, ...], Case]()
    while len(found) < count:
        choices = Choices(random, least=EXAMPLE_LENGTH)
        case = make(PUZZLES[name], choices)
        found.setdefault(tuple(choices.made), case)
    return tuple(found.values())


@cache
def _generated(name: str) -> tuple[tuple[Choices, Case], ...]:
    """The simplest input of all, and random ones: the same for everybody, simpler ones first."""
    random, puzzle = Random(name), PUZZLES[name]
    drawn = [Choices(), *(Choices(random) for _ in range(TRIALS - 1))]
    made = [(choices, make(puzzle, choices)) for choices in drawn]
    return tuple(sorted(made, key=lambda pair: pair[0].size))


def cases(name: str) -> tuple[Case, ...]:
    """The generated inputs that every answer to this puzzle is held against."""
    return tuple(case for _, case in _generated(name))


# ---- judgement


def outcome(puzzle: Puzzle, part: int, line: Line, case: Case) -> Outcome:
    """What a line gives on one case."""
    try:
        value = evaluate(line.text, line.tree, environment(puzzle, part, case), FUNCTIONS)
    except ExpressionError as error:
        return Outcome(None, problem=error)
    target = case.targets[part]
    try:
        shaped = puzzle.shaped(value, target)
    except ValueError as error:
        everything = tuple(range(max(value.size, 1)))
        return Outcome(value, everything, problem(line.text, str(error), 0, len(line.text)))
    same = np.isclose(shaped, target, RELATIVE, ABSOLUTE, equal_nan=True).reshape(-1)
    return Outcome(shaped, tuple(np.flatnonzero(~same).tolist()))


def judge(name: str, part: int, text: str) -> Verdict:
    """Hold one line of an answer against the generated inputs of its puzzle."""
    try:
        return _judge(name, part, text)
    except ExpressionError as error:
        return Verdict(False, 0, frozenset(), problem=error)


@lru_cache(maxsize=2048)
def _judge(name: str, part: int, text: str) -> Verdict:
    """Raises ExpressionError for a line that cannot be read, or that takes too long this time."""
    puzzle = PUZZLES[name]
    line = read(puzzle, part, text)
    end = monotonic() + SECONDS
    for trial, (choices, case) in enumerate(_generated(name)):
        found = outcome(puzzle, part, line, case)
        if not found.right:
            return _rejected(puzzle, part, line, choices, trial + 1)
        if monotonic() > end:
            message = f"this took more than {SECONDS:g} s for {trial + 1} of {TRIALS} inputs"
            raise problem(text, message, 0, len(text), "find a way with fewer numbers, or try again")
    return Verdict(True, TRIALS, line.functions)


def _rejected(puzzle: Puzzle, part: int, line: Line, choices: Choices, trials: int) -> Verdict:
    def fails(tried: Choices) -> bool:
        return not outcome(puzzle, part, line, make(puzzle, tried)).right

    case = make(puzzle, Choices(recorded=shrink(choices.made, fails)))
    return Verdict(False, trials, line.functions, case, outcome(puzzle, part, line, case))


def lines_of(puzzle: Puzzle, answer: str) -> tuple[str, ...]:
    """An answer's lines, one for each part; they are separated by semicolons, and may be empty."""
    count = len(puzzle.parts)
    given = [line.strip() for line in answer.split(";", count - 1)]
    return (*given, *[""] * (count - len(given)))


def accepted(name: str, answer: str, solved: Collection[str]) -> bool:
    """Whether every line of an answer is right, and calls only functions that are solved."""
    puzzle = PUZZLES[name]
    verdicts = [judge(name, part, line) for part, line in enumerate(lines_of(puzzle, answer))]
    return all(verdict.accepted and verdict.functions <= set(solved) for verdict in verdicts)
