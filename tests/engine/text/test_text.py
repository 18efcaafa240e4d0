"""Words: what a run learns and what is told of it, beside torch and by hand."""

from typing import Any

import numpy as np
import pytest

import engine
from engine.compiler import background
from engine.data.words import rated_words
from engine.studies.text import EXAMPLES
from engine.text.oracle import compared
from engine.text.run import Run, explained, listens, mistakes
from engine.text.setup import TextSetup
from engine.text.texts import FAMILY, split
from engine.text.tokens import LETTERS, LONGEST_WORD, of_letters
from engine.training.model import values
from engine.training.position import Position

SMALL: dict[str, Any] = {"filters": 5, "embedding": 3, "batch": 1000}


def begun(setup: TextSetup) -> Run:
    """A run whose kernels are all compiled."""
    Run(setup)
    background.settle()
    return Run(setup)


def test_the_lexicon_is_vaders() -> None:
    """Ratings as printed in the lexicon itself; one a line, so each word once."""
    known = {rated.text: rated.rating for rated in rated_words()}
    assert 6500 < len(known) <= 7520
    assert (known["wonderful"], known["catastrophe"], known["okay"]) == (2.7, -3.4, 0.9)
    assert all(set(word) <= set(LETTERS) for word in known)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_words_above_85_per_cent(seed: int) -> None:
    run = begun(EXAMPLES["Above 85 %"].model_copy(update={"seed": seed}))
    run.go_to(Position(30))
    assert run.judged()[1][1] > 0.85


@pytest.mark.parametrize("families", [False, True])
def test_held_out_words_are_held_out(families: bool) -> None:
    train, test = split(TextSetup(families=families, seed=3))
    assert len(train) + len(test) == len(rated_words())
    length = FAMILY if families else 80
    heads = {rated.text[:length] for rated in train.rated}
    assert not heads & {rated.text[:length] for rated in test.rated}
    np.testing.assert_array_equal(test.targets[:, 0], [rated.rating > 0 for rated in test.rated])
    assert len(test) == pytest.approx(0.2 * len(rated_words()), rel=0.1)


@pytest.mark.parametrize("fields", [{}, {"window": 1}, {"window": 8, "dropout": 0.5}])
def test_losses_and_gradients_are_torchs(fields: dict[str, Any]) -> None:
    run = begun(TextSetup(**{**SMALL, **fields}))
    run.go_to(Position(2))
    assert all(check.passed for check in compared(run.still()))


def test_a_run_comes_again_to_the_bit_whatever_is_looked_at() -> None:
    run = begun(TextSetup(**SMALL))
    run.go_to(Position(2))
    run.change(run.controls.model_copy(update={"word": "terrible"}))
    run.change(run.controls.model_copy(update={"rate": 0.01}))
    run.go_to(Position(3, 1000))
    again = Run(run.setup)
    np.testing.assert_array_equal(run.row(), again.row())
    assert run.setup.past == '2:{"rate":0.003}'
    again.change(again.controls.model_copy(update={"word": "happy"}))
    np.testing.assert_array_equal(run.model.save().tensors[0], again.model.save().tensors[0])


def test_words_become_numbers_of_letters() -> None:
    known = of_letters()
    codes = known.encoded([known.tokens("az-'"), known.tokens("b" * 30)])
    assert codes[0].tolist() == [1, 26, 27, 28] + [0] * (LONGEST_WORD - 4)
    assert codes[1].tolist() == [2] * LONGEST_WORD


def test_a_letter_adds_what_is_lost_without_it() -> None:
    run = begun(TextSetup(**SMALL))
    run.go_to(Position(2))
    net = run.model.net.eval()
    codes = of_letters().encoded(["lovely"])
    score, parts = explained(net, codes[0], 6)
    for k in range(6):
        letters = codes.copy()
        letters[0, k] = 0
        without = values(net(engine.from_numpy(letters)))[0, 0]
        assert parts[k] == pytest.approx(score - without, abs=1e-5)


def test_what_a_filter_listens_to_is_where_it_fires_most() -> None:
    fired = np.random.default_rng(0).random((50, 4, 7)).astype(np.float32)
    for filter_, (word, window) in enumerate(listens(fired).astype(int)):
        assert fired[word, filter_, window] == fired[:, filter_].max()


def test_mistakes_are_the_surest_wrong_answers() -> None:
    scores = np.array([3.0, -1.0, 0.5, -4.0, 2.0], np.float32)
    targets = np.array([0.0, 1.0, 1.0, 0.0, 0.0], np.float32)
    found = mistakes(scores, targets)
    assert found[:3].tolist() == [[0.0, 3.0], [4.0, 2.0], [1.0, -1.0]]
    assert (found[3:] == -1).all()


@pytest.mark.parametrize("word", ["", "two words", "Zürich", "a1", "x" * 19])
def test_what_is_no_word_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"a word is made of|the net sees"):
        TextSetup(word=word)
