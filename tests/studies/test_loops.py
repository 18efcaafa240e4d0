"""The recorded loops: results by numpy and torch, positions by numpy's own strides, lines by the source."""

import inspect
import re
from typing import Any

import numpy as np
import pytest

from engine.backends.reference import Reference
from engine.studies import loops_orders
from engine.studies.loops import EXAMPLES, LoopsResult, LoopsSetup, check, run
from engine.studies.loops_setup import MAPS, ZIPS
from engine.studies.loops_tensors import Tensor

ARRANGEMENTS = ("row-major", "transposed", "every second")


def result(**fields: Any) -> LoopsResult:
    return run(LoopsSetup(**fields))


def strided(tensor: Tensor) -> np.ndarray:
    """The positions of a tensor, by numpy's strides over a storage that holds its own positions."""
    slots = np.arange(tensor.storage.size, dtype=np.int64)
    steps = [stride * slots.itemsize for stride in tensor.layout.strides]
    return np.lib.stride_tricks.as_strided(slots[tensor.offset :], tensor.shape, steps)


def reads(found: LoopsResult, output: int, name: str) -> list[int]:
    return [
        place
        for step in found.steps
        if step.output == output
        for storage, place in step.reads
        if storage == name
    ]


def random_shape(draw: np.random.Generator, rank: int) -> tuple[int, ...]:
    return tuple(int(n) for n in draw.integers(1, 5, rank))


def written(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))


def broadcastable(draw: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    shape = random_shape(draw, int(draw.integers(2, 4)))
    a, b = (tuple(1 if draw.random() < 0.3 else n for n in shape) for _ in range(2))
    return a, b[int(draw.integers(0, len(b) - 1)) :]


def test_every_read_of_a_zip_is_where_numpy_broadcasts_to() -> None:
    draw = np.random.default_rng(1)
    for trial in range(60):
        a, b = broadcastable(draw)
        layouts = [
            str(draw.choice(ARRANGEMENTS if len(shape) > 1 else ARRANGEMENTS[::2])) for shape in (a, b)
        ]
        found = result(a=written(a), b=written(b), a_layout=layouts[0], b_layout=layouts[1], seed=trial)
        for tensor in found.operands:
            expected = np.broadcast_to(strided(tensor), np.broadcast_shapes(a, b)).reshape(-1)
            for output, place in enumerate(expected.tolist()):
                assert reads(found, output, tensor.name) == [place]
        assert [step.write for step in found.steps if step.write is not None] == list(range(expected.size))


def test_every_read_of_a_reduction_is_along_its_dimensions() -> None:
    draw = np.random.default_rng(2)
    for trial in range(40):
        shape = random_shape(draw, int(draw.integers(1, 4)))
        dims = tuple(
            int(d) for d in sorted(draw.permutation(len(shape))[: int(draw.integers(1, len(shape) + 1))])
        )
        order = str(draw.choice(["backend", "forward"]))
        found = result(operation="reduce", a=written(shape), dim=written(dims), order=order, seed=trial)
        kept = [d for d in range(len(shape)) if d not in dims]
        lengths = [shape[d] for d in kept]
        rows = (
            strided(found.operands[0]).transpose([*kept, *dims]).reshape(int(np.prod(lengths, dtype=int)), -1)
        )
        for output, row in enumerate(rows.tolist()):
            assert reads(found, output, "a") == row


@pytest.mark.parametrize("nest", ["backend", *loops_orders.NESTS])
def test_every_order_of_the_loops_of_a_matmul_meets_the_same_pairs(nest: str) -> None:
    found = result(
        operation="matmul", a="3, 5", b="5, 4", a_layout="transposed", b_layout="every second", nest=nest
    )
    a, b = (strided(tensor) for tensor in found.operands)
    for i, j in np.ndindex(3, 4):
        pairs = sorted(zip(reads(found, 4 * i + j, "a"), reads(found, 4 * i + j, "b"), strict=True))
        assert pairs == sorted(zip(a[i].tolist(), b[:, j].tolist(), strict=True))
    left, right = (tensor.values for tensor in found.operands)
    assert np.array_equal(found.output.values, left @ right)


@pytest.mark.parametrize("order", ["ijk", "ikj", "jik", "jki", "kij", "kji"])
def test_the_loops_are_nested_as_their_name_says(order: str) -> None:
    found = result(operation="matmul", a="2, 3", b="3, 4", nest=order)
    lengths = {"i": 2, "k": 3, "j": 4}
    expected = []
    for index in np.ndindex(*(lengths[name] for name in order)):
        at = dict(zip(order, index, strict=True))
        expected.append((4 * at["i"] + at["j"], 3 * at["i"] + at["k"], 4 * at["k"] + at["j"]))
    assert [tuple(place for _, place in step.reads) for step in found.steps] == expected
    assert [step.write for step in found.steps] == [out for out, _, _ in expected]


def test_tiles_finish_a_block_before_the_next() -> None:
    found = result(operation="matmul", a="4, 4", b="4, 4", nest="tiles", tile=2)
    blocks = [
        (step.output // 8, step.output % 4 // 2, dict(step.reads)["a"] % 4 // 2) for step in found.steps
    ]
    assert blocks[::8] == list(np.ndindex(2, 2, 2))
    assert all(len(set(blocks[k : k + 8])) == 1 for k in range(0, 64, 8))


@pytest.mark.parametrize("name", MAPS)
def test_maps_give_what_torch_gives(name: str) -> None:
    found = result(operation="map", map_operator=name, contents="decimals", a_layout="every second")
    assert all(each.passed for each in check(found))


@pytest.mark.parametrize("name", ZIPS)
def test_zips_give_what_torch_gives(name: str) -> None:
    found = result(zip_operator=name, contents="decimals", b="4", a_layout="transposed")
    assert all(each.passed for each in check(found))


@pytest.mark.parametrize("reduction", ["sum", "prod", "max", "min"])
@pytest.mark.parametrize(
    "order", ["backend", "forward", "reversed", "pairwise", "shuffled", "smallest first"]
)
@pytest.mark.parametrize("precision", ["float16", "float32"])
def test_reductions_in_every_order_give_what_torch_gives(reduction: str, order: str, precision: str) -> None:
    found = result(
        operation="reduce", a="3, 2, 7", dim="0, 2", reduction=reduction, order=order, precision=precision,
        contents="decimals", seed=5,
    )  # fmt: skip
    assert all(each.passed for each in check(found))


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "does not fit"])
def test_examples_agree_with_torch(name: str) -> None:
    checks = check(run(EXAMPLES[name]))
    assert checks
    assert all(each.passed for each in checks)


def test_a_wrong_figure_does_not_pass() -> None:
    found = result()
    found.output.storage[3] += 1.0
    assert not all(each.passed for each in check(found))


# ---- the line that is lit


@pytest.mark.parametrize(
    ("fields", "function", "reading", "storing"),
    [
        ({}, Reference.loop, "x if strides is None else x.buffer", "self._store(target"),
        ({"operation": "map"}, Reference.loop, "x if strides is None else x.buffer", "self._store(target"),
        ({"operation": "reduce"}, Reference.reduce, "values.append(element(x", "self._store(result, kept"),
        (
            {"operation": "matmul", "b": "4, 2"}, Reference.matmul,
            "terms = (element(a, (*where, i, k))", "self._store(result, (*where, i, j)",
        ),
        (
            {"operation": "matmul", "b": "4, 2", "nest": "kij"}, loops_orders.kij,
            "out[i, j] += a[i, k] * b[k, j]", "out[i, j] += a[i, k] * b[k, j]",
        ),
        (
            {"operation": "reduce", "order": "pairwise"}, loops_orders.pairwise,
            "parts = [x[place] for place in places]", "return parts[0]",
        ),
    ],
)  # fmt: skip
def test_the_lit_line_is_the_one_that_reads_or_stores(
    fields: dict[str, Any], function: Any, reading: str, storing: str
) -> None:
    found = result(**fields)
    assert [line.strip() for line in found.source.lines] == [
        line.strip() for line in inspect.getsource(function).splitlines()
    ]
    for step in found.steps:
        line = found.source.lines[step.line]
        if step.reads:
            assert reading in line
        if step.write is not None:
            assert storing in line


def test_every_partial_sum_is_a_step() -> None:
    found = result(
        operation="reduce", a="9", dim="0", order="forward", precision="float16", contents="decimals"
    )
    row = found.operands[0].values.astype(np.float16)
    total, partial = row[0], []
    for number in row[1:]:
        total = np.float16(total + number)
        partial.append(float(total))
    assert [step.value for step in found.steps if step.pair] == partial


def test_a_pairwise_step_names_all_that_is_in_it() -> None:
    found = result(operation="reduce", a="2, 7", dim="1", order="pairwise", a_layout="transposed")
    tensor = found.operands[0]
    for step in found.steps:
        if step.pair:
            assert tensor.storage[list(step.made_of)].sum() == step.value == sum(step.pair)
    whole = [step.made_of for step in found.steps if len(step.made_of) == 7]
    assert whole == [tuple(row) for row in strided(tensor).tolist()]


def test_matmul_in_place_steps_through_partial_results() -> None:
    found = result(operation="matmul", a="2, 3", b="3, 2", nest="kij")
    left, right = (tensor.values for tensor in found.operands)
    total = np.zeros(4)
    for k in range(3):
        for step in found.steps[4 * k : 4 * k + 4]:
            i, j = divmod(step.output, 2)
            total[step.output] += left[i, k] * right[k, j]
            assert step.value == total[step.output]


# ---- what cannot be


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"b": "3"}, "dimension -1 is 4 against 3"),
        ({"a": "3, -4"}, "shape of a: dimension 1 has length -4; a loop needs at least 1"),
        ({"a": "3, 4.5"}, "“4.5” is not a whole number"),
        ({"a": "three"}, "“three” is not a whole number"),
        ({"a": "3, 0"}, "dimension 1 has length 0"),
        ({"a": "400, 400"}, "use a smaller shape"),
        ({"a": "100000, 100000"}, "storage of a: 10,000,000,000 is too many"),
        ({"a": "1000000000000"}, "is not a whole number"),
        ({"a": "600", "a_layout": "every second", "b": "5, 1"}, "the result: 3,000 is too many"),
        ({"a": "1, 1, 1, 1, 1"}, "5 dimensions; at most 4"),
        ({"a": "4", "a_layout": "transposed"}, "(4,) has too few dimensions to be transposed"),
        ({"operation": "reduce", "dim": "2"}, "dimensions: dimension 2 does not exist"),
        ({"operation": "reduce", "dim": "0, 0"}, "dimensions: dimension 0 is named twice"),
        ({"operation": "matmul", "b": "3, 4"}, "are 4 and the rows of b (dimension 0 of (3, 4)) are 3"),
        ({"operation": "matmul", "a": "2, 3, 4"}, "shape of a: a matrix has 2 dimensions, (2, 3, 4) has 3"),
        ({"operation": "matmul", "a": "20, 20", "b": "20, 20"}, "products: 8,000 is too many"),
    ],
)
def test_what_cannot_be_is_explained(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        result(**fields)


def test_unknown_operators_are_refused() -> None:
    with pytest.raises(ValueError, match="no such operator"):
        LoopsSetup(map_operator="mul")


def test_a_tensor_without_dimensions_is_one_step() -> None:
    found = result(a="", b="")
    assert (found.output.shape, len(found.steps)) == ((), 2)
    assert all(each.passed for each in check(found))
    assert all(each.passed for each in check(result(operation="reduce", a="", dim="")))


def test_the_same_setup_gives_the_same_steps() -> None:
    setup = LoopsSetup(operation="reduce", order="shuffled", contents="decimals", seed=9)
    assert run(setup).steps == run(setup).steps
