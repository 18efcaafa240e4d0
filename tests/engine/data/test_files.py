"""Files of one's own: what is right is read, what is wrong is named, nothing is executed."""

import gzip
import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.data import DataError, read_csv, read_idx, read_mnist, read_npz

# ---- CSV


def test_csv_with_names() -> None:
    samples = read_csv(b"length, width ,kind\n1,2.5,cat\n3,-4e1,dog\n\n5,6,cat\n")
    assert samples.inputs.tolist() == [[1.0, 2.5], [3.0, -40.0], [5.0, 6.0]]
    assert samples.inputs.dtype == np.float32
    assert samples.targets.tolist() == [0, 1, 0]
    assert samples.columns == ("length", "width")
    assert samples.classes == ("cat", "dog")


def test_csv_without_names() -> None:
    samples = read_csv(b"0,1,7\r\n1,2,5\r\n")
    assert samples.inputs.tolist() == [[0.0, 1.0], [1.0, 2.0]]
    assert samples.columns == ("column 1", "column 2")
    assert (samples.targets.tolist(), samples.classes) == ([1, 0], ("5", "7"))


@pytest.mark.parametrize("target", ["price", 0, -3])
def test_csv_values_of_any_column(target: str | int) -> None:
    samples = read_csv(b'\xef\xbb\xbf"price","x, y",z\n1.5,2,3\n4,5,6\n', target=target, values=True)
    assert samples.targets.tolist() == [1.5, 4.0]
    assert samples.targets.dtype == np.float32
    assert samples.columns == ("x, y", "z")
    assert samples.classes == ()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", {}, "empty"),
        (b"\n\n", {}, "empty"),
        (b"a,b\n", {}, "no rows of numbers"),
        (b"1\n2\n", {}, "two columns"),
        (b"a,b,c\n1,2,3\n1,2\n", {}, "line 3 has 2 columns, and the first one has 3"),
        (b"a,b,c\n1,2,x\n1,oops,y\n", {}, "line 3, b: .*'oops'"),
        (b"a,b,c\n1,,x\n", {}, "line 2, b: .*nothing"),
        (b"a,b,c\n1,inf,x\n", {}, "line 2, b: .*'inf'"),
        (b"a,b,c\n1,2,x\n", {"values": True}, "line 2, c: .*'x'"),
        (b"a,b,c\n1,2,x\n", {"target": "d"}, "no column 'd'; the columns are a, b, c"),
        (b"a,b,c\n1,2,x\n", {"target": 3}, "no column 3"),
        (b"a,\xff,c\n1,2,x\n", {}, "byte 2"),
        (b"1,2\n" * 100, {"limit": 100}, "larger than the limit"),
    ],
)
def test_csv_that_is_wrong(content: bytes, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(content, **options)


@given(st.binary(max_size=300))
def test_csv_of_any_bytes(content: bytes) -> None:
    try:
        samples = read_csv(content)
    except DataError:
        return
    assert len(samples.inputs) == len(samples.targets) > 0
    assert np.isfinite(samples.inputs).all() or np.abs(samples.inputs).max() == np.inf  # above float32


@given(
    arrays.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-1e9, 1e9))
)
def test_csv_of_any_numbers(table: np.ndarray) -> None:
    rows = [",".join([*map(repr, row), f"class {k % 2}"]) for k, row in enumerate(table.tolist())]
    samples = read_csv("\n".join(rows).encode())
    np.testing.assert_array_equal(samples.inputs, table.astype(np.float32))


# ---- IDX


def idx(values: np.ndarray) -> bytes:
    codes = {"uint8": 8, "int8": 9, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}
    header = struct.pack(">BBBB", 0, 0, codes[values.dtype.name], values.ndim)
    return (
        header
        + struct.pack(f">{values.ndim}I", *values.shape)
        + values.astype(values.dtype.newbyteorder(">")).tobytes()
    )


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (0, 3)])
def test_idx(dtype: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    path = tmp_path / "values.idx"
    path.write_bytes(idx(values))
    for source in (idx(values), io.BytesIO(idx(values)), path, str(path), gzip.compress(idx(values))):
        found = read_idx(source)
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values)
        assert found.flags.writeable


IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([2, 0, 1], np.uint8)


def test_mnist() -> None:
    samples = read_mnist(gzip.compress(idx(IMAGES)), idx(LABELS))
    assert samples.inputs.shape == (3, 1, 4, 5)
    assert samples.inputs.dtype == np.float32
    np.testing.assert_allclose(samples.inputs[:, 0] * 255, IMAGES, rtol=1e-6)
    assert samples.targets.tolist() == [2, 0, 1]
    assert samples.classes == ("0", "1", "2")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"PK\3\4 and so on", "not an IDX file"),
        (b"\0\0\7\1\0\0\0\0", "not an IDX file"),
        (b"\0\0\x08\2\0\0\0\1", "2 dimensions"),
        (idx(IMAGES)[:-1], r"\(3, 4, 5\) of uint8 need 76 bytes, and the file has 75"),
        (idx(IMAGES) + b"\0", "the file has 77"),
        (b"\0\0\x0e\xff" + b"\xff" * 1020, "need"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-9], "damaged"),
        (b"\x1f\x8bnonsense", "damaged"),
    ],
)
def test_idx_that_is_wrong(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_idx(content)


def test_a_small_file_that_unpacks_to_a_large_one() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 100_000
    with pytest.raises(DataError, match="larger than the limit of 1 MiB"):
        read_idx(bomb, limit=1 << 20)


def test_mnist_that_is_wrong() -> None:
    with pytest.raises(DataError, match="3 images and 2 labels"):
        read_mnist(idx(IMAGES), idx(LABELS[:2]))
    with pytest.raises(DataError, match=r"not \(3,\) and \(3, 4, 5\)"):
        read_mnist(idx(LABELS), idx(IMAGES))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_idx(tmp_path / "absent")


# ---- NPZ


def npz(**values: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **values)
    return file.getvalue()


def test_npz() -> None:
    values = {
        "weight": np.arange(6.0).reshape(2, 3),
        "transposed": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "count": np.array(7),
        "mask": np.array([True, False]),
        "empty": np.zeros((0, 4), np.int16),
    }
    found = read_npz(npz(**values))
    assert list(found) == list(values)
    for name, value in values.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


class Trap:
    """What a pickle would execute."""

    sprung = False

    def __reduce__(self) -> Any:
        return (setattr, (Trap, "sprung", True))


def archive(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(f"{name}.npy", content)
    return file.getvalue()


def npy(header: str, content: bytes = b"") -> bytes:
    padded = header.ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(padded)) + padded.encode() + content


def test_objects_are_refused_and_not_unpickled() -> None:
    objects = np.array([Trap()], dtype=object)
    with pytest.raises(DataError, match="only numbers"):
        read_npz(npz(bad=objects))
    with pytest.raises(DataError, match="not an array"):
        read_npz(archive(bad=pickle.dumps(Trap())))
    with pytest.raises(DataError, match="not an NPZ"):
        read_npz(pickle.dumps(Trap()))
    assert not Trap.sprung


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an NPZ"),
        (npz(a=np.zeros(100))[:-30], "not an NPZ"),
        (npz(a=np.array(["text"])), "only numbers"),
        (npz(a=np.array([(1, 2.0)], dtype=[("x", "i4"), ("y", "f8")])), "only numbers"),
        (archive(a=b"short"), "a.npy is not an array"),
        (
            archive(a=npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", bytes(8))),
            "length",
        ),
        (archive(a=npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", bytes(8))), "a.npy"),
        (
            archive(a=npy("{'descr': '<f8', 'fortran_order': False, 'shape': __import__('os'), }")),
            "not an array",
        ),
        (npz(a=np.zeros(1_000_000)), "unpacked, the file has 7.63 MiB; the limit is 1 MiB"),
    ],
)
def test_npz_that_is_wrong(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_npz(content, limit=1 << 20)


@given(st.integers(0, 400), st.integers(0, 255))
def test_npz_with_a_changed_byte(place: int, value: int) -> None:
    content = bytearray(npz(a=np.arange(4.0), b=np.arange(3)))
    content[place % len(content)] = value
    try:
        found = read_npz(bytes(content))
    except DataError:
        return
    assert all(array.size <= 4 for array in found.values())
