"""Where the sentences of a run come from: the movie reviews, or a file that somebody opened here."""

from __future__ import annotations

import threading
from typing import Literal
from weakref import WeakValueDictionary

from engine.data.files import DataError
from engine.data.sentences import Sentences, movie_reviews, read_sentences

Data = Literal["words", "sentences", "own file"]

_opened: WeakValueDictionary[str, Sentences] = WeakValueDictionary()
_opening = threading.Lock()


def open_sentences(content: bytes) -> Sentences:
    """The sentences of a file, which a setup may name by their `key` for as long as somebody holds them."""
    made = read_sentences(content)
    with _opening:
        return _opened.setdefault(made.key, made)


def sentences_of(data: Data, file: str) -> Sentences:
    """The sentences that a setup names; DataError where they are not to be had."""
    if data == "sentences":
        return movie_reviews()
    if not file:
        raise DataError("choose a file of sentences first")
    found = _opened.get(file)
    if found is None:
        raise DataError(
            "a link holds only a name for the content of a file; open that file here again, and the run goes"
            " on as the link says"
        )
    return found
