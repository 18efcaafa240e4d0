"""Sentences that people have judged: those that `make data` fetches, or a file of one's own.

A file has a line for each sentence, a tab between its columns, and their names on top: `sentence` and `label`
(0 for bad, 1 for good, as in SST-2), or `sentence` and `rating` (any number; above 0 is good). There are no
quotation marks round a sentence. What is wrong with a file is said in a `DataError`, for its owner to read.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.compiler.modules import cache_directory
from engine.data.files import MEBIBYTE, DataError
from engine.data.words import Rated

LIMIT = 2 * MEBIBYTE  # of a file; all of what `make data` fetches takes 1.3
MOST = 20_000  # sentences
LONGEST = 1000  # characters of a sentence
FEWEST = 10  # sentences of either kind: a fifth of them is held out
COLUMNS = (["sentence", "label"], ["sentence", "rating"])
MOVIE_REVIEWS = "movie_reviews.tsv"
TOKEN = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[!?]")


@dataclass(frozen=True, eq=False)
class Sentences:
    """Sentences of a file, each once.

    are_rated  whether people rated them from -4 to 4; else they only said good (1) or bad (-1)
    key        a name for the content of the file
    """

    rated: tuple[Rated, ...]
    are_rated: bool
    key: str

    def __len__(self) -> int:
        return len(self.rated)


def words_of(sentence: str) -> list[str]:
    """The words of a sentence, in small letters, and its exclamation and question marks."""
    return TOKEN.findall(sentence.lower().replace("’", "'"))


def movie_reviews() -> Sentences:
    """10,605 sentences of movie reviews, but for 2 repeated ones and 37 rated 0; DataError unless fetched.

    Each with the mean of at least twenty ratings: Hutto & Gilbert 2014 (see `engine.data.words`).
    """
    path = movie_reviews_path()
    if not path.is_file():
        raise DataError(
            "the movie-review sentences are not on this machine; run “make data” once, which fetches them"
            " with pip"
        )
    return _kept(path)


def movie_reviews_path() -> Path:
    """Where `make data` leaves them: in the folder `UNROLL_DATA`, else beside the compiled kernels."""
    chosen = os.environ.get("UNROLL_DATA")
    return (Path(chosen) if chosen else cache_directory() / "data") / MOVIE_REVIEWS


@cache
def _kept(path: Path) -> Sentences:
    return read_sentences(path.read_bytes())


def read_sentences(content: bytes, limit: int = LIMIT) -> Sentences:
    """The sentences of a file, checked. Repeated ones, and those rated 0, are left out."""
    if len(content) > limit:
        raise DataError(f"the file is larger than the limit of {limit / MEBIBYTE:g} MiB")
    lines = _lines(content)
    are_rated = _columns(lines[0][1])[1] == "rating"
    if len(lines) - 1 > MOST:
        raise DataError(f"the file has {len(lines) - 1} sentences, and there may be at most {MOST}")
    found: dict[str, Rated] = {}
    for number, line in lines[1:]:
        rated = _rated(number, line, are_rated)
        if rated.rating:
            found.setdefault(" ".join(words_of(rated.text)), rated)
    _check_both_kinds([rated.rating > 0 for rated in found.values()])
    return Sentences(tuple(found.values()), are_rated, hashlib.sha256(content).hexdigest()[:16])


def _lines(content: bytes) -> list[tuple[int, str]]:
    """Lines that are not empty, with their numbers; at least the one with the names."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the file is not UTF-8 text (byte {error.start} does not belong there)") from None
    lines = [(number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise DataError("the file is empty")
    return lines


def _columns(line: str) -> list[str]:
    names = [name.strip().lower() for name in line.split("\t")]
    if names not in COLUMNS:
        found = ", ".join(name[:20] or "nothing" for name in names[:5])
        raise DataError(
            "the first line should name two columns with a tab between them, sentence and label"
            f" (or sentence and rating), and it has {found}"
        )
    return names


def _rated(number: int, line: str, are_rated: bool) -> Rated:
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) != 2:
        raise DataError(f"line {number} has {len(cells)} columns, and a sentence and its label are needed")
    text, judged = cells
    if len(text) > LONGEST:
        raise DataError(
            f"line {number}: the sentence has {len(text)} characters, and may have at most {LONGEST}"
        )
    if not words_of(text):
        raise DataError(f"line {number}: there are no words in the sentence")
    return Rated(text, _rating(number, judged) if are_rated else _label(number, judged))


def _label(number: int, text: str) -> float:
    if text not in ("0", "1"):
        raise DataError(f"line {number}: a label is 0 (bad) or 1 (good), and this is {_shown(text)}")
    return 1.0 if text == "1" else -1.0


def _rating(number: int, text: str) -> float:
    try:
        rating = float(text)
    except ValueError:
        rating = math.nan
    if not math.isfinite(rating):
        raise DataError(f"line {number}: a rating is a finite number, and this is {_shown(text)}")
    return rating


def _shown(text: str) -> str:
    return repr(text[:40]) if text else "nothing"


def _check_both_kinds(good: list[bool]) -> None:
    for kind, count in (("good", sum(good)), ("bad", len(good) - sum(good))):
        if count < FEWEST:
            raise DataError(f"the file has {count} {kind} sentences, and at least {FEWEST} are needed")
