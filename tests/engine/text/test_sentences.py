"""Runs on sentences: those of a small file of one's own, and the movie reviews where they were fetched."""

import gc
import os
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from engine.compiler import background
from engine.data.sentences import Sentences, words_of
from engine.studies.text import TextSetup, beginning, examples
from engine.text.oracle import compared
from engine.text.run import Run
from engine.text.sources import open_sentences
from engine.text.texts import split
from engine.text.tokens import LONGEST_SENTENCE, UNKNOWN, of_words
from engine.training.position import Position
from tests.engine.text.labelled import BAD, GOOD, labelled

SMALL: dict[str, Any] = {"filters": 6, "embedding": 4, "vocabulary": 50, "batch": 32, "dropout": 0.2}


@pytest.fixture
def mine() -> Sentences:
    return open_sentences(labelled())


def setup_of(mine: Sentences, **fields: Any) -> TextSetup:
    return TextSetup(**beginning("own file", mine, **{**SMALL, **fields}))


def begun(setup: TextSetup) -> Run:
    """A run whose kernels are all compiled."""
    Run(setup)
    background.settle()
    return Run(setup)


def test_words_have_numbers_by_how_often_they_occur() -> None:
    known = of_words(["a good good film", "a good bad", "film bad once", "a a"], most=3)
    assert list(known.numbers.items()) == [("a", 2), ("good", 3), ("film", 4)]
    codes = known.encoded([known.tokens("A GOOD, bad thing!"), known.tokens("film " * 100)])
    assert codes[0].tolist() == [2, 3, UNKNOWN, UNKNOWN, UNKNOWN] + [0] * (LONGEST_SENTENCE - 5)
    assert codes[1].tolist() == [4] * LONGEST_SENTENCE


def test_the_vocabulary_is_that_of_the_training_sentences(mine: Sentences) -> None:
    train, test = split(setup_of(mine, seed=5))
    assert len(train) + len(test) == len(mine) == 120
    assert not {each.text for each in train.rated} & {each.text for each in test.rated}
    counts = [sum(word in words_of(each.text) for each in train.rated) for word in train.vocabulary.numbers]
    assert min(counts) >= 2
    assert train.vocabulary is test.vocabulary
    assert int(max(train.inputs.max(), test.inputs.max())) < setup_of(mine).numbers


def test_losses_and_gradients_are_torchs(mine: Sentences) -> None:
    run = begun(setup_of(mine))
    run.go_to(Position(2))
    assert all(check.passed for check in compared(run.still()))


def test_it_learns_and_says_which_word_it_was(mine: Sentences) -> None:
    run = begun(setup_of(mine, rate=0.03, window=1, schedule="constant", word=f"the acting is {GOOD[0]}"))
    run.go_to(Position(8))
    assert run.judged()[1][1] == 1.0
    assert parts(run)["contributions"].argmax() == 3
    run.change(run.controls.model_copy(update={"word": f"the acting is {BAD[0]} zorgly"}))
    assert parts(run)["contributions"].argmin() == 3
    assert run.shape()["known"] == [True, True, True, True, False]
    assert parts(run)["score"][0] < 0


def test_the_parts_of_a_row_are_where_its_shape_says(mine: Sentences) -> None:
    run = begun(setup_of(mine, word="one two three", window=3))
    assert sum(run.shape()["lengths"].values()) == len(run.row())
    assert run.row()[2:6] == pytest.approx(
        [figure for pair in zip(*run.judged(), strict=True) for figure in pair], abs=1e-6
    )


def test_a_run_comes_again_to_the_bit(mine: Sentences) -> None:
    run = begun(setup_of(mine))
    run.go_to(Position(1))
    run.change(run.controls.model_copy(update={"word": "another sentence", "rate": 0.01}))
    run.go_to(Position(2, 32))
    np.testing.assert_array_equal(run.row(), Run(run.setup).row())


def test_a_file_is_open_for_as_long_as_somebody_holds_it() -> None:
    mine = open_sentences(labelled(40, seed=3))
    key, run = mine.key, Run(setup_of(mine))
    assert open_sentences(labelled(40, seed=3)) is mine
    del mine
    gc.collect()
    run.change(run.controls.model_copy(update={"filters": 7}))  # a run that goes on can begin again
    assert run.controls.file == key
    del run
    gc.collect()
    with pytest.raises(ValidationError, match="open that file here again"):
        TextSetup(data="own file", file=key)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"data": "own file"}, "choose a file"),
        ({"data": "own file", "file": "0" * 16}, "open that file here again"),
        ({"file": "no hash"}, "pattern"),
        ({"data": "sentences"}, "make data"),
    ],
)
def test_what_is_not_there_is_said(
    fields: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("UNROLL_DATA", str(tmp_path))
    with pytest.raises(ValidationError, match=said):
        TextSetup(**fields)


def test_a_sentence_has_words(mine: Sentences) -> None:
    assert setup_of(mine, word="  Zürich,\n isn't  it? ").word == "Zürich, isn't it?"
    with pytest.raises(ValidationError, match="at least one word"):
        setup_of(mine, word="…")


def test_movie_reviews_are_read_from_where_they_were_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("UNROLL_DATA", str(tmp_path))
    rows = [f"sentence number {k}\t{k - 14.5}" for k in range(30)]
    (tmp_path / "movie_reviews.tsv").write_text("\n".join(["sentence\trating", *rows]), "utf-8")
    train, test = split(TextSetup(data="sentences"))
    assert (len(train), len(test)) == (24, 6)
    assert set(examples(TextSetup(data="sentences"))) >= {"Above 75 %"}


@pytest.mark.skipif("UNROLL_TEST_SENTENCES" not in os.environ, reason="needs make data, and a minute")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sentences_above_75_per_cent(seed: int) -> None:
    run = begun(TextSetup(**beginning("sentences", seed=seed)))
    run.go_to(Position(run.controls.horizon))
    assert run.judged()[1][1] > 0.75


def parts(run: Run) -> dict[str, Any]:
    """The numbers of a row by name."""
    lengths = run.shape()["lengths"]
    return dict(zip(lengths, np.split(run.row(), np.cumsum(list(lengths.values()))[:-1]), strict=True))
