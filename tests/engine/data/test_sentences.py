"""Files of sentences: what is read of them, and what is said of those that are not right."""

import pytest

from engine.data.files import DataError
from engine.data.sentences import FEWEST, LIMIT, LONGEST, MOST, read_sentences, words_of

ROWS = [f"sentence number {k}\t{k % 2}" for k in range(2 * FEWEST)]


def table(*rows: str, head: str = "sentence\tlabel", end: str = "\n") -> bytes:
    return end.join([head, *rows]).encode()


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("It's GOOD!", ["it's", "good", "!"]),
        ("co-writer/director’s “best”…", ["co-writer", "director's", "best"]),
        ("Zürich 2001?", ["zürich", "2001", "?"]),
        (" -- ' ", []),
        ("snake_case", ["snake", "case"]),
    ],
)
def test_words(sentence: str, words: list[str]) -> None:
    assert words_of(sentence) == words


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_labels(end: str) -> None:
    read = read_sentences(b"\xef\xbb\xbf" + table(*ROWS, head="Sentence\tLabel", end=end))
    assert [each.text for each in read.rated] == [row.split("\t")[0] for row in ROWS]
    assert [each.rating for each in read.rated] == [1.0 if k % 2 else -1.0 for k in range(len(ROWS))]
    assert not read.are_rated


def test_ratings_are_kept_but_for_zeros_and_repeated_sentences() -> None:
    rated = [f"number {k}\t{k - FEWEST - 0.5}" for k in range(2 * FEWEST + 2)]
    read = read_sentences(
        table(*rated, "nobody knows\t0", "Number 3!\t2", "NUMBER, 3\t4", head="sentence\trating")
    )
    assert read.are_rated
    assert [each.rating for each in read.rated] == [k - FEWEST - 0.5 for k in range(2 * FEWEST + 2)] + [2.0]


def test_the_key_is_that_of_the_content() -> None:
    one, same, other = (
        read_sentences(content) for content in (table(*ROWS), table(*ROWS), table(*ROWS[::-1]))
    )
    assert one.key == same.key != other.key


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"\xff\xfe\x00", "not UTF-8 text (byte 0"),
        (table(*ROWS, head="text,label"), "name two columns with a tab between them.* it has text,label"),
        (table(*ROWS, head="sentence\tlabel\tsplit"), "it has sentence, label, split"),
        (table(*ROWS, head="label\tsentence"), "it has label, sentence"),
        (table(*ROWS, "no label here"), "line 22 has 1 columns"),
        (table(*ROWS, "a\tb\t1"), "line 22 has 3 columns"),
        (table(*ROWS, "nice\tgood"), "line 22: a label is 0 .bad. or 1 .good., and this is 'good'"),
        (table(*ROWS, "nice\t"), "line 22: .* this is nothing"),
        (table(*ROWS, "nice\tnan"), "line 22: a label is 0"),
        (table(*ROWS, "nice\tnan", head="sentence\trating"), "line 22: a rating is a finite number.*'nan'"),
        (table(*ROWS, "nice\t1e999", head="sentence\trating"), "line 22: a rating is a finite number"),
        (table(*ROWS, "nice\tmany", head="sentence\trating"), "line 22: a rating is a finite number"),
        (table(*ROWS, "\t1"), "line 22: there are no words"),
        (table(*ROWS, "…\t1"), "line 22: there are no words"),
        (table(*ROWS, "long " * LONGEST + "\t1"), f"line 22: the sentence has {5 * LONGEST - 1} characters"),
        (table(*(f"sentence {k}\t1" for k in range(50))), "has 0 bad sentences, and at least 10"),
        (table(*(f"sentence {k}\t0" for k in range(50))), "has 0 good sentences"),
        (table("sentence 1\t0"), "has 0 good sentences"),
        (table(), "has 0 good sentences"),
        (table(*["again\t0", "again\t1"] * 20), "at least 10 are needed"),
        (table(*["a\t0"] * (MOST + 1)), f"has {MOST + 1} sentences, and there may be at most {MOST}"),
        (b"x" * (LIMIT + 1), "larger than the limit of 2 MiB"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said.replace("(byte", r"\(byte")):
        read_sentences(content)
