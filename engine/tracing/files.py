"""The file of a trace: a zip with `trace.json` and `arrays.npz`. Read as if an enemy had sent it.

Nothing in it is ever executed: JSON, and arrays without pickle. Sizes are checked before anything is
unpacked and again while it is, so that a small file cannot become a large one.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydantic import ValidationError

from engine.jsonable import encode
from engine.tracing.tape import Numbers
from engine.tracing.trace import Trace

FORMAT, VERSION = "unroll-trace", 1
LARGEST_FILE = 2_000_000  # bytes, which is what a page takes
LARGEST_DOCUMENT = 16_000_000
LARGEST_ARRAYS = 4_000_000
MOST_ARRAYS = 20_000
DOCUMENT, ARRAYS = "trace.json", "arrays.npz"
DTYPES = frozenset({"float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"})


class TraceFileError(ValueError):
    """This file is no trace, or not one that can be shown; the message says why."""


@dataclass(frozen=True)
class TraceFile:
    """A trace with its arrays; `key` names its content."""

    key: str
    trace: Trace
    arrays: Mapping[str, Numbers]


def write(target: str | Path | BinaryIO, trace: Trace, arrays: Mapping[str, Numbers]) -> None:
    """Write a trace, of at most LARGEST_FILE bytes: what does not fit is left out and not named any more."""
    data = packed(trace, arrays)
    for most in (4096, 256, 64, 0):
        if len(data) <= LARGEST_FILE:
            break
        kept = {name: array for name, array in arrays.items() if array.size <= most}
        data = packed(without_arrays(trace, kept), kept)
    if len(data) > LARGEST_FILE:
        steps = tuple(step for step in trace.steps if step.failure) or trace.steps[:1]
        data = packed(without_arrays(trace.model_copy(update={"steps": steps}), {}), {})
    if len(data) > LARGEST_FILE:
        data = packed(trace.model_copy(update={"steps": ()}), {})
    if isinstance(target, (str, Path)):
        Path(target).write_bytes(data)
    else:
        target.write(data)


def without_arrays(trace: Trace, kept: Mapping[str, Numbers]) -> Trace:
    """The trace without the names of arrays that are not kept."""
    steps = []
    for step in trace.steps:
        tensors = tuple(
            tensor.model_copy(
                update={
                    key: name if name in kept else ""
                    for key in ("value_array", "gradient_array")
                    if (name := getattr(tensor, key))
                }
            )
            for tensor in step.tensors
        )
        steps.append(step.model_copy(update={"tensors": tensors}))
    return trace.model_copy(update={"steps": tuple(steps)})


def packed(trace: Trace, arrays: Mapping[str, Numbers]) -> bytes:
    """The file's bytes; the same for the same trace."""
    text = json.dumps(encode(trace.model_dump()), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as inner:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.asarray(array, order="C"), allow_pickle=False)
            inner.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue())
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as outer:
        for part, content in ((DOCUMENT, text.encode()), (ARRAYS, stored.getvalue())):
            outer.writestr(zipfile.ZipInfo(part), content, zipfile.ZIP_DEFLATED, 9)
    return data.getvalue()


def read(data: bytes) -> TraceFile:
    """A trace from a file's bytes; raises TraceFileError that says what is wrong with them."""
    if len(data) > LARGEST_FILE:
        raise TraceFileError(
            f"this file has {len(data) / 1e6:.1f} MB; a trace has at most {LARGEST_FILE / 1e6:.0f} MB"
        )
    try:
        parts = unpacked(data, {DOCUMENT: LARGEST_DOCUMENT, ARRAYS: LARGEST_ARRAYS}, exactly=True)
        trace = _document(parts[DOCUMENT])
        arrays = _arrays(parts[ARRAYS])
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise TraceFileError(
            "this is not a trace, or not all of it: engine.record() writes a zip file with "
            f"{DOCUMENT} and {ARRAYS} ({error})"
        ) from error
    _fit(trace, arrays)
    return TraceFile(hashlib.sha256(data).hexdigest()[:32], trace, arrays)


def unpacked(data: bytes, limits: Mapping[str, int], exactly: bool = False) -> dict[str, bytes]:
    """The files in a zip, none larger than its limit (the limit of "" is that of all others together)."""
    found: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        if exactly and sorted(names) != sorted(limits):
            shown = ", ".join(names[:3])[:80] or "nothing"
            raise TraceFileError(f"this zip file is not a trace: it holds {shown}")
        if len(names) > MOST_ARRAYS or len(set(names)) < len(names):
            raise TraceFileError("this trace holds too many arrays, or one twice")
        room = limits.get("", 0)
        for entry in entries:
            most = limits.get(entry.filename, room)
            with archive.open(entry) as stream:
                content = stream.read(most + 1)
            if len(content) > most:
                raise TraceFileError(
                    f"{entry.filename[:80]} in this file unpacks to more than {most:,} bytes"
                )
            room -= 0 if entry.filename in limits else len(content)
            found[entry.filename] = content
    return found


def _document(content: bytes) -> Trace:
    try:
        document = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise TraceFileError(f"{DOCUMENT} in this file is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise TraceFileError(f'this is not a trace: its "format" is not "{FORMAT}"')
    if document.get("version") != VERSION:
        raise TraceFileError(
            f"this trace is of version {str(document.get('version'))[:20]}; here version {VERSION} is read"
        )
    try:
        return Trace.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:120]
        raise TraceFileError(f"this trace is damaged at {place or DOCUMENT}: {first['msg'][:200]}") from error


def _arrays(content: bytes) -> dict[str, Numbers]:
    entries = unpacked(content, {"": LARGEST_ARRAYS})
    return {name.removesuffix(".npy"): _array(name, entry) for name, entry in entries.items()}


def _array(name: str, content: bytes) -> Numbers:
    """One array; its header is held against the bytes there are before room is made for it."""
    end = 10 + int.from_bytes(content[8:10], "little")
    try:
        shape, dtype = _header(content[:end])
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise TraceFileError(f"the array {name[:40]} in this trace is damaged") from error
    if math.prod(shape) * dtype.itemsize != len(content) - end:
        raise TraceFileError(f"the array {name[:40]} in this trace has not the elements that it says")
    return np.frombuffer(content, dtype, offset=end).reshape(shape)


@lru_cache(maxsize=256)  # most arrays of a trace are of a few shapes
def _header(head: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype from the beginning of a .npy file; raises ValueError for those that are not taken."""
    stream = io.BytesIO(head)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("another version of the format")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if fortran or dtype.name not in DTYPES or len(shape) > 16 or any(length < 0 for length in shape):
        raise ValueError("no plain array of numbers")
    return shape, dtype


def _fit(trace: Trace, arrays: Mapping[str, Numbers]) -> None:
    """Every array that is named is there, with the shape that it should have."""
    for step in trace.steps:
        for tensor, name in step.arrays():
            array = arrays.get(name)
            if array is None:
                raise TraceFileError(f"this trace names an array {name[:40]!r} that is not in it")
            if (tensor.whole and array.shape != tensor.shape) or array.size > math.prod(tensor.shape):
                raise TraceFileError(f"the array {name[:40]!r} in this trace has not the shape of its tensor")
