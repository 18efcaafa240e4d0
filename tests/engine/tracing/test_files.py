"""Files that are no traces, or that mean harm: each is refused in words, and nothing of it is executed."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest

from engine.studies.own_run_examples import recorded
from engine.tracing.files import ARRAYS, DOCUMENT, LARGEST_FILE, TraceFileError, packed, read, write
from engine.tracing.trace import History, Step, Trace, TracedTensor

GOOD = recorded("healthy")


def zipped(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr({"document": DOCUMENT, "arrays": ARRAYS}.get(name, name), content)
    return target.getvalue()


def parts(data: bytes = GOOD) -> tuple[dict[str, Any], bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return json.loads(archive.read(DOCUMENT)), archive.read(ARRAYS)


def with_document(**changes: Any) -> bytes:
    document, arrays = parts()
    return zipped(document=json.dumps({**document, **changes}).encode(), arrays=arrays)


def with_arrays(**arrays: bytes) -> bytes:
    document, _ = parts()
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in arrays.items():
            archive.writestr(f"{name}.npy", content)
    return zipped(document=json.dumps(document).encode(), arrays=inner.getvalue())


def saved(array: Any, **options: Any) -> bytes:
    target = io.BytesIO()
    np.save(target, array, **options)
    return target.getvalue()


def header(text: str) -> bytes:
    padded = text.encode() + b" " * (117 - len(text)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded


class Harm:
    """Would leave a mark if it were unpickled."""

    def __reduce__(self) -> Any:
        return (print, ("unpickled",))


BAD = {
    "nothing": (b"", "not a trace"),
    "text": (b"step,loss\n1,2\n", "not a trace"),
    "truncated": (GOOD[: len(GOOD) // 2], "not a trace"),
    "100 MB": (b"\0" * 100_000_000, "100.0 MB"),
    "another zip": (zipped(readme=b"hello"), "holds readme"),
    "a part too many": (zipped(document=b"{}", arrays=b"", more=b""), "not a trace"),
    "no JSON": (zipped(document=b"{", arrays=b""), "not JSON"),
    "deep JSON": (zipped(document=b"[" * 100_000, arrays=b""), "not JSON"),
    "JSON of something else": (zipped(document=b'{"format": "x"}', arrays=b""), "format"),
    "a list": (zipped(document=b"[]", arrays=b""), "format"),
    "a later version": (with_document(version=2), "version 2"),
    "an unknown field": (with_document(code="import os"), "damaged at code"),
    "a wrong type": (with_document(count="many"), "damaged at count"),
    "a negative count": (with_document(count=-1), "damaged at count"),
    "too many steps": (with_document(steps=parts()[0]["steps"] * 9), "damaged at steps"),
    "no history": (with_document(history=None), "damaged at history"),
    "a bomb": (zipped(document=b" " * 50_000_000, arrays=b""), "unpacks to more"),
    "a bomb of arrays": (zipped(document=b"{}", arrays=b"\0" * 50_000_000), "unpacks to more"),
    "no arrays": (with_arrays(), "names an array"),
    "arrays that are no zip": (zipped(document=json.dumps(parts()[0]).encode(), arrays=b"x"), "not a trace"),
    "a pickle": (with_arrays(f0v=saved(np.array([Harm()], object), allow_pickle=True)), "is damaged"),
    "a bare pickle": (with_arrays(f0v=pickle.dumps(Harm())), "is damaged"),
    "a huge shape": (
        with_arrays(f0v=header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }")),
        "not the elements",
    ),
    "code for a shape": (
        with_arrays(f0v=header("{'descr': '<f4', 'fortran_order': False, 'shape': print('x'), }")),
        "is damaged",
    ),
    "another shape": (with_arrays(f0v=saved(np.zeros(3, np.float32))), "names an array|has not the shape"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_words(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    data, said = BAD[name]
    with pytest.raises(TraceFileError, match=said):
        read(data)
    assert capsys.readouterr().out == ""


def test_a_graph_that_goes_in_circles_is_refused() -> None:
    document, arrays = parts()
    first = document["steps"][0]["operations"][0]
    first["inputs"], first["checks"] = [document["steps"][0]["operations"][-1]["outputs"][0]], []
    with pytest.raises(TraceFileError, match="before it is made"):
        read(zipped(document=json.dumps(document).encode(), arrays=arrays))


@pytest.mark.parametrize("place", [-1, 10_000])
def test_a_tensor_that_is_not_there_is_refused(place: int) -> None:
    document, arrays = parts()
    document["steps"][0]["loss"] = place
    with pytest.raises(TraceFileError, match="not there"):
        read(zipped(document=json.dumps(document).encode(), arrays=arrays))


def test_damage_anywhere_is_refused_or_harmless() -> None:
    draw = np.random.default_rng(0)
    for _ in range(150):
        data = bytearray(GOOD)
        for place in draw.integers(0, len(data), 3):
            data[place] = draw.integers(0, 256)
        try:
            read(bytes(data))
        except TraceFileError:
            continue


def test_fields_of_any_kind_are_refused_or_harmless() -> None:
    """Every number, text and list of the document in turn is something else."""
    document, arrays = parts()
    draw = np.random.default_rng(0)
    odd: list[Any] = [None, -1, 1e400, "NaN", "x" * 5000, [], {}, [[]], True, 2**70]

    def places(value: Any, way: tuple[Any, ...] = ()) -> Any:
        children = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for key, child in children:
            yield (*way, key)
            yield from places(child, (*way, key))

    every = list(places(document))
    for place in draw.choice(len(every), 120, replace=False):
        copy = json.loads(json.dumps(document))
        owner = copy
        for key in every[place][:-1]:
            owner = owner[key]
        owner[every[place][-1]] = odd[draw.integers(len(odd))]
        try:
            read(zipped(document=json.dumps(copy).encode(), arrays=arrays))
        except TraceFileError:
            continue


def test_the_same_run_gives_the_same_bytes_and_comes_back_whole() -> None:
    file = read(GOOD)
    assert packed(file.trace, file.arrays) == GOOD
    assert file.key == read(GOOD).key


def test_numbers_that_are_none_come_back() -> None:
    history = History(losses=((0, 1.0), (1, float("nan")), (2, float("inf"))))
    target = io.BytesIO()
    write(target, Trace(framework="x", count=3, steps=(), history=history), {})
    losses = read(target.getvalue()).trace.history.losses
    assert losses[0] == (0, 1.0)
    assert np.isnan(losses[1][1])
    assert losses[2][1] == float("inf")


def test_what_does_not_fit_is_left_out_and_no_longer_named() -> None:
    draw = np.random.default_rng(0)
    tensors = tuple(
        TracedTensor(kind="data", shape=(60, 60), dtype="float32", requires_grad=False, value_array=f"a{k}")
        for k in range(300)
    )
    arrays = {f"a{k}": draw.normal(size=(60, 60)).astype(np.float32) for k in range(300)}
    target = io.BytesIO()
    write(
        target, Trace(framework="x", count=1, steps=(Step(number=0, tensors=tensors, operations=()),)), arrays
    )
    assert len(target.getvalue()) <= LARGEST_FILE
    file = read(target.getvalue())
    assert len(file.trace.steps[0].tensors) == 300
    assert {name for _, name in file.trace.steps[0].arrays()} <= file.arrays.keys()


def test_a_lying_size_does_not_help() -> None:
    """A zip entry whose header says that it is small."""
    body = zlib.compress(b" " * 30_000_000)[2:-4]
    target = io.BytesIO(zipped(document=b"{}", arrays=b""))
    data = target.getvalue().replace(zlib.compress(b"{}")[2:-4], body[:4])
    with pytest.raises(TraceFileError):
        read(data)
