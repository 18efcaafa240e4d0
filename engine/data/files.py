"""Files of one's own: CSV, IDX and NPZ, checked before they are believed.

A source is a path, the bytes themselves, or a binary file. Nothing is executed, and nothing larger than
`limit` bytes is read or unpacked. What is wrong with a file is said in a `DataError`, for its owner to read.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from engine.data.samples import Samples

Source = str | Path | bytes | IO[bytes] | gzip.GzipFile

MEBIBYTE = 1 << 20
LIMIT = 64 * MEBIBYTE  # all of MNIST takes 53
CSV_LIMIT = 8 * MEBIBYTE  # as text in memory it takes ten times as much

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class DataError(ValueError):
    """A file that is not what it should be. The message is for the person who chose it."""


# ---- CSV


def read_csv(source: Source, target: str | int = -1, values: bool = False, limit: int = CSV_LIMIT) -> Samples:
    """A table of numbers: one sample a row, separated by commas, with or without a row of names on top.

    target  name or number of the column to be predicted; the last one unless told otherwise
    values  whether that column holds values; else it names classes, by any text
    """
    rows = _rows(_read(source, limit))
    names = tuple(f"column {k + 1}" for k in range(len(rows[0][1])))
    if not any(_is_number(cell) for k, cell in enumerate(rows[0][1]) if k != _place(target, names)):
        names = tuple(rows.pop(0)[1])
    if not rows:
        raise DataError("the file has a row of names, but no rows of numbers")
    place = _place(target, names)
    if place is None:
        raise DataError(f"there is no column {target!r}; the columns are {', '.join(names)}")
    inputs = np.array(
        [[_number(row[k], line, names[k]) for k in range(len(names)) if k != place] for line, row in rows],
        np.float32,
    )
    columns = names[:place] + names[place + 1 :]
    found = [row[place] for _, row in rows]
    if values:
        numbers = [_number(row[place], line, names[place]) for line, row in rows]
        return Samples(inputs, np.array(numbers, np.float32), columns)
    classes, targets = np.unique(found, return_inverse=True)
    return Samples(inputs, targets.astype(np.int64), columns, tuple(map(str, classes)))


def _rows(content: bytes) -> list[tuple[int, list[str]]]:
    """Rows that are not empty, with the number of their line; all of one length."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the file is not UTF-8 text (byte {error.start} does not belong there)") from None
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"line {reader.line_num}: {error}") from None
    if not rows:
        raise DataError("the file is empty")
    width = len(rows[0][1])
    if width < 2:
        raise DataError(
            "the file needs at least two columns separated by commas: inputs, and what to predict"
        )
    for line, row in rows:
        if len(row) != width:
            raise DataError(f"line {line} has {len(row)} columns, and the first one has {width}")
    return rows


def _place(target: str | int, names: tuple[str, ...]) -> int | None:
    if isinstance(target, int):
        return target % len(names) if -len(names) <= target < len(names) else None
    return names.index(target) if target in names else None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str, line: int, column: str) -> float:
    number = float(cell) if _is_number(cell) else math.nan
    if not math.isfinite(number):
        shown = repr(cell) if cell else "nothing"
        raise DataError(f"line {line}, {column}: a finite number is needed, and this is {shown}")
    return number


# ---- IDX, the format of MNIST


def read_idx(source: Source, limit: int = LIMIT) -> NDArray[Any]:
    """An array in the IDX format (LeCun), packed with gzip or not: a header of sizes, then the numbers."""
    content = _read(source, limit)
    if content[:2] == b"\x1f\x8b":
        content = _unpacked(content, limit)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES:
        raise DataError(
            "this is not an IDX file: it should start with two zeros, a type and a number of dimensions"
        )
    dtype, rank = np.dtype(IDX_TYPES[content[2]]), content[3]
    start = 4 + 4 * rank
    if len(content) < start:
        raise DataError(f"the header names {rank} dimensions, and the file ends before their lengths")
    shape = tuple(np.frombuffer(content, ">u4", rank, 4).tolist())
    expected = start + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise DataError(f"{shape} of {dtype.name} need {expected} bytes, and the file has {len(content)}")
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def read_mnist(images: Source, labels: Source, limit: int = LIMIT) -> Samples:
    """Images [n, height, width] and labels [n] as two IDX files: inputs [n, 1, height, width], 0 to 1."""
    pixels, targets = read_idx(images, limit), read_idx(labels, limit)
    if pixels.ndim != 3 or pixels.dtype != np.uint8 or targets.ndim != 1:
        raise DataError(
            f"bytes [n, height, width] and labels [n] are needed, not {pixels.shape} and {targets.shape}"
        )
    if len(pixels) != len(targets):
        raise DataError(
            f"there are {len(pixels)} images and {len(targets)} labels; are both from the same set?"
        )
    classes = tuple(str(k) for k in range(int(targets.max(initial=0)) + 1))
    return Samples(
        pixels[:, None].astype(np.float32) / np.float32(255), targets.astype(np.int64), classes=classes
    )


# ---- NPZ


def read_npz(source: Source, limit: int = LIMIT) -> dict[str, NDArray[Any]]:
    """The arrays of numbers in an NPZ file, by name. Python objects in it are refused, never unpickled."""
    try:
        with zipfile.ZipFile(io.BytesIO(_read(source, limit))) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > limit:
                raise DataError(
                    f"unpacked, the file has {_in_mebibytes(size)}; the limit is {_in_mebibytes(limit)}"
                )
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except DataError:
        raise
    except Exception as error:  # a damaged archive makes zipfile raise errors of many kinds
        raise DataError(f"this is not an NPZ file that can be read: {error}") from None


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    content = io.BytesIO(archive.read(member))
    try:
        version = npy.read_magic(content)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = header(content)
        # the shape is only a claim, and numpy would allocate that much
        if dtype.kind not in "biuf":
            raise DataError(f"{member.filename} holds {dtype} data; only numbers and booleans are read")
        if math.prod(shape) * dtype.itemsize != member.file_size - content.tell():
            raise DataError(
                f"{member.filename} should hold {shape} of {dtype}, and its length does not fit that"
            )
        content.seek(0)
        array: NDArray[Any] = npy.read_array(content, allow_pickle=False)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{member.filename} is not an array: {error}") from None
    return array


# ---- bytes


def _read(source: Source, limit: int) -> bytes:
    if isinstance(source, bytes):
        content = source[: limit + 1]
    elif isinstance(source, (str, Path)):
        try:
            with Path(source).open("rb") as file:
                content = file.read(limit + 1)
        except OSError as error:
            raise DataError(f"{source} cannot be read: {error.strerror}") from None
    else:
        content = source.read(limit + 1)
    if len(content) > limit:
        raise DataError(f"the file is larger than the limit of {_in_mebibytes(limit)}")
    return content


def _unpacked(content: bytes, limit: int) -> bytes:
    try:
        return _read(gzip.GzipFile(fileobj=io.BytesIO(content)), limit)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"the file is packed with gzip and damaged: {error}") from None


def _in_mebibytes(size: int) -> str:
    return f"{size / MEBIBYTE:.3g} MiB"
