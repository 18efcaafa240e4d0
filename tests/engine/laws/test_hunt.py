"""The hunt: known laws are not refuted, known non-laws are, and each counter-example breaks in numpy too."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import count, pairwise
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import numpy as np
import pytest

from engine.laws import Arithmetic, Closeness, by_name, read
from engine.laws.domains import Domain, DomainName
from engine.laws.exact import ExactArithmetic
from engine.laws.hunt import Hunt, hunt
from engine.laws.trial import Trial

ROOT = Path(__file__).parents[3]
EXAMPLES = 150


def trial(text: str, domain: DomainName, name: str = "fp32", closeness: Closeness | None = None) -> Trial:
    law = read(text)
    arithmetic = Arithmetic(by_name(name))  # type: ignore[arg-type]
    return Trial(law, arithmetic, dict.fromkeys(law.variables, domain), closeness or Closeness())


def one_hunt(tried: Trial, seed: int = 0, examples: int = EXAMPLES) -> Hunt:
    return hunt(tried.draw, tried.judge, examples=examples, seed=seed, seconds=60)


@pytest.mark.parametrize("name", ["fp16", "fp32", "bf16", "fp64"])
@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("a + b == b + a", "any float"),
        ("a*b == b*a", "any float"),
        ("x - x == 0", "finite"),
        ("-(-x) == x", "any float"),
        ("x + 0 == x", "any float"),
        ("x*1 == x", "any float"),
        ("2*x/2 == x", "|x| ≤ 1000"),
        ("abs(-x) == abs(x)", "any float"),
        ("max(a, a) == a", "any float"),
        ("x = y*(1 + t)\nwhen t <= 1\n(x - y) + y == x", "0 to 1"),  # Sterbenz 1974
        ("when a <= b\na + c <= b + c", "|x| ≤ 1000"),  # rounding is monotonic
        ("sqrt(x)*sqrt(x) >= 0", "positive"),
    ],
)
def test_laws_of_ieee_arithmetic_are_not_refuted(name: str, text: str, domain: DomainName) -> None:
    found = one_hunt(trial(text, domain, name), examples=60)
    assert not found.path
    assert found.end == "complete"
    assert found.tried > 10


NON_LAWS: dict[str, Any] = {
    "(a + b) + c == a + (b + c)": lambda a, b, c: ((a + b) + c, a + (b + c)),
    "a*(b + c) == a*b + a*c": lambda a, b, c: (a * (b + c), a * b + a * c),
    "(a*b)*c == a*(b*c)": lambda a, b, c: ((a * b) * c, a * (b * c)),
    "(a + b) - b == a": lambda a, b: ((a + b) - b, a),
    "(a/b)*b == a": lambda a, b: ((a / b) * b, a),
    "sqrt(a)*sqrt(a) == a": lambda a: (np.sqrt(a) * np.sqrt(a), a),
}


@pytest.mark.parametrize("name", ["float16", "float64"])
@pytest.mark.parametrize("text", NON_LAWS)
def test_every_example_on_the_way_breaks_the_law_in_numpy(text: str, name: str) -> None:
    dtype = np.dtype(name).type
    formats = {"float16": "fp16", "float64": "fp64"}
    found = one_hunt(trial(text, "positive", formats[name]), examples=500)
    assert found.path
    for step in (found.path[0], *found.path[-5:]):
        with np.errstate(all="ignore"):
            numbers = {key: dtype(value) for key, value in step.example.items()}
            left, right = NON_LAWS[text](**numbers)
        assert all(float(numbers[key]) == value for key, value in step.example.items())
        assert left != right


def test_the_way_is_told_as_it_was() -> None:
    found = one_hunt(trial("(a + b) + c == a + (b + c)", "finite"))
    tries = [step.tries for step in found.path]
    assert tries == sorted(set(tries))
    assert found.path[0].tries == found.tried <= EXAMPLES
    assert found.found == found.path[-1].example
    examples = [tuple(step.example.values()) for step in found.path]
    assert all(before != after for before, after in pairwise(examples))


def test_a_small_bound_is_shrunk_to_exactly() -> None:
    """Of the integers that are at least 7 the simplest is 7; of two unequal ones, 0 and 1."""
    found = one_hunt(trial("x < 7", "integers"))
    assert found.found == {"x": 7.0}
    found = one_hunt(trial("a == b", "integers"))
    assert found.found is not None
    assert sorted(map(abs, found.found.values())) == [0.0, 1.0]
    found = one_hunt(trial("vector x\nsum(x) == 0", "integers"))
    assert found.found in ({"x": (1.0,)}, {"x": (-1.0,)})


def test_conditions_are_never_missed() -> None:
    tried = trial("when a < b\na + b != 3", "small integers")
    found = one_hunt(tried, examples=500)
    assert found.found is not None
    assert found.found["a"] < found.found["b"]
    assert sum(found.found.values()) == 3.0
    assert found.skipped > 0
    assert all(example["a"] < example["b"] for example in found.held)


def test_a_seed_gives_one_hunt_whoever_else_hunts() -> None:
    """Eight threads at once, each as if alone."""
    texts = ["(a + b) + c == a + (b + c)", "(a/b)*b == a", "a + b == b + a", "x < 7"]
    alone = [one_hunt(trial(text, "positive")) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: one_hunt(trial(text, "positive")), texts * 2))
    for first, second in zip(alone * 2, together, strict=True):
        assert first.path == second.path
        assert (first.tried, first.shrinks, first.held) == (second.tried, second.shrinks, second.held)


def test_other_seeds_hunt_elsewhere() -> None:
    firsts = {
        one_hunt(trial("(a + b) + c == a + (b + c)", "finite"), seed).path[0].tries for seed in range(4)
    }
    assert len(firsts) > 1


def test_a_hunt_leaves_no_files_and_no_random_state(tmp_path: Path) -> None:
    code = (
        "import random\n"
        "from engine.studies.laws import LawsSetup, run\n"
        "random.seed(5); before = random.getstate()\n"
        "result = run(LawsSetup(examples=50))\n"
        "assert random.getstate() == before\n"
        "print(len(result.found.hunt.path) > 0)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "True", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_others_still_get_hypothesis_whole() -> None:
    from hypothesis import given, settings
    from hypothesis import strategies as st

    one_hunt(trial("x < 7", "integers"), examples=50)
    seen = []

    @settings(max_examples=20, database=None)
    @given(st.floats())
    def test(x: float) -> None:
        seen.append(x)

    test()
    assert len(seen) >= 20


def test_a_hunt_stops_when_it_is_told_and_when_time_is_up() -> None:
    tried = trial("a + b == b + a", "finite")
    progress = Hunt()
    stopped = hunt(
        tried.draw, tried.judge, examples=2000, seed=0, seconds=60, progress=progress,
        is_stopped=lambda: progress.tried >= 20,
    )  # fmt: skip
    assert stopped is progress
    assert stopped.end == "stopped"
    assert stopped.tried == 20
    late = hunt(tried.draw, tried.judge, examples=2000, seed=0, seconds=0.0)
    assert late.end == "time"
    start = monotonic()
    assert hunt(tried.draw, tried.judge, examples=50, seed=0, seconds=60).end == "complete"
    assert monotonic() > start


def test_several_hunts_keep_the_simplest() -> None:
    tried = trial("(a + b) + c == a + (b + c)", "finite")
    first, best = one_hunt(tried, seed=3), tried.hunt(EXAMPLES, 3, 60.0)
    assert best.hunts > 1
    assert best.simplicity <= first.simplicity


def test_a_search_that_was_cut_short_says_so() -> None:
    """Stopped in the second of several hunts: the first one's example stands, marked as such."""
    tried = trial("(a/b)*b == a", "positive")
    looks = count()
    alone = hunt(
        tried.draw, tried.judge, examples=EXAMPLES, seed=0, seconds=60, is_stopped=lambda: next(looks) < 0
    )
    looked, again = next(looks), count()
    cut = tried.hunt(EXAMPLES, 0, 60.0, is_stopped=lambda: next(again) >= looked)
    assert (cut.hunts, cut.end, cut.path) == (2, "stopped", alone.path)


DOMAINS: dict[DomainName, Any] = {
    "any float": lambda x: True,
    "finite": lambda x: abs(x) < np.inf,
    "|x| ≤ 1000": lambda x: abs(x) <= 1000,
    "|x| ≤ 10": lambda x: abs(x) <= 10,
    "positive": lambda x: 0 < x < np.inf,
    "0 to 1": lambda x: 0 <= x <= 1,
    "integers": lambda x: abs(x) <= 1024 and x == round(x),  # 1000 is 1000 in bfloat16, 999 is not there
    "small integers": lambda x: abs(x) <= 10 and x == round(x),
}


class Choices:
    """Choices by chance, where Hypothesis would make them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def draw_boolean(self, p: float) -> bool:
        return self.random.random() < p

    def draw_integer(self, low: int, high: int) -> int:
        return self.random.randint(low, high)


@pytest.mark.parametrize("name", ["fp16", "fp32", "bf16", "fp64"])
@pytest.mark.parametrize("domain", DOMAINS)
def test_domains_hold_what_they_say(domain: DomainName, name: str) -> None:
    target = by_name(name)
    space = Domain(domain, Arithmetic(target))  # type: ignore[arg-type]
    choices = Choices(1)
    drawn = [space.draw(choices) for _ in range(200)]
    drawn += space.sample(np.random.default_rng(1), 300).tolist()
    assert all(DOMAINS[domain](x) for x in drawn)
    assert all(np.isnan(x) or target.round(x) == x for x in drawn)
    assert len(set(drawn)) > 10


@pytest.mark.parametrize("domain", DOMAINS)
def test_exact_domains_are_rationals(domain: DomainName) -> None:
    space = Domain(domain, None)
    drawn = [space.draw(Choices(seed)) for seed in range(100)]
    drawn += space.sample(np.random.default_rng(1), 100).tolist()
    assert all(isinstance(x, Fraction) for x in drawn)
    assert all(DOMAINS[domain](x) for x in drawn)


def test_every_bit_pattern_is_as_likely() -> None:
    """Of the finite float16: chi-squared of the 31 exponents stays below its bound."""
    space = Domain("finite", Arithmetic(by_name("fp16")))  # type: ignore[arg-type]
    values = space.sample(np.random.default_rng(0), 31_000).astype(np.float16)
    exponents = (values.view(np.uint16) >> 10) & 31
    counts = np.bincount(exponents, minlength=31)
    assert len(counts) == 31
    assert float((((counts - 1000) ** 2) / 1000).sum()) < 59.7  # 99.9 % of chi-squared with 30 degrees
    assert abs(float((values < 0).mean()) - 0.5) < 0.02


def test_a_law_of_numbers_is_not_refuted_by_rationals() -> None:
    law = read("(a + b) + c == a + (b + c)")
    exact = Trial(law, ExactArithmetic(), dict.fromkeys(law.variables, "finite"), Closeness())
    assert not one_hunt(exact, examples=60).path
    wrong = Trial(read("a**2 == a"), ExactArithmetic(), {"a": "finite"}, Closeness())
    found = one_hunt(wrong, examples=60).found
    assert found is not None
    assert found["a"] not in (0, 1)
