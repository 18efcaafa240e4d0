"""The simulated array against numpy and the closed form: 300 random sizes, every dataflow and loading."""

from itertools import product

import numpy as np
import pytest

from engine.studies.accelerators_array import Integers, Trace, simulate
from engine.studies.accelerators_cycles import Workload
from engine.studies.accelerators_setup import Dataflow, Loading

KINDS: list[tuple[Dataflow, Loading]] = [
    ("weight-stationary", "not counted"),
    ("weight-stationary", "before each tile"),
    ("weight-stationary", "double-buffered"),
    ("output-stationary", "not counted"),
]


def drawn(work: Workload, seed: int = 0) -> tuple[Integers, Integers]:
    draw = np.random.default_rng(seed)
    x = draw.integers(-9, 10, (work.batch, work.inputs))
    return x, draw.integers(-9, 10, (work.inputs, work.outputs))


def traced(work: Workload) -> tuple[Integers, Integers, Trace]:
    x, w = drawn(work)
    return x, w, simulate(x, w, work)


def tiles(work: Workload) -> int:
    """Tiles counted one by one."""
    down = work.inputs if work.dataflow == "weight-stationary" else work.batch
    return len(range(0, down, work.rows)) * len(range(0, work.outputs, work.columns))


def test_300_random_products() -> None:
    draw = np.random.default_rng(7)
    for n in range(300):
        batch, inputs, outputs, rows, columns = (int(size) for size in draw.integers(1, 10, 5))
        dataflow, loading = KINDS[n % len(KINDS)]
        work = Workload(batch, inputs, outputs, rows, columns, dataflow, loading)
        x, w = drawn(work, n)
        trace = simulate(x, w, work, record=False)
        assert np.array_equal(trace.output, x @ w), work
        stream = batch if dataflow == "weight-stationary" else inputs
        one = stream + rows + columns - 2
        expected = {
            "not counted": tiles(work) * one,
            "before each tile": tiles(work) * (rows + one),
            "double-buffered": rows + (tiles(work) - 1) * max(rows, stream) + one,
        }[loading]
        assert trace.cycles == work.cycles == expected, work


@pytest.mark.parametrize(("dataflow", "loading"), KINDS)
def test_every_product_is_done_once_with_its_own_operands(dataflow: Dataflow, loading: Loading) -> None:
    work = Workload(5, 7, 4, 3, 2, dataflow, loading)
    x, w, trace = traced(work)
    inside = ((trace.product >= 0) & (trace.product < (5, 7, 4))).all(-1)
    done = trace.product[inside]
    assert sorted(map(tuple, done.tolist())) == list(product(range(5), range(7), range(4)))
    operands = trace.operands[inside]
    assert np.array_equal(operands[:, 0], x[done[:, 0], done[:, 1]])
    assert np.array_equal(operands[:, 1], w[done[:, 1], done[:, 2]])
    gained = trace.sums[..., 1] - trace.sums[..., 0]
    assert np.array_equal(gained[inside], operands.prod(-1))
    assert trace.useful.sum() == 5 * 7 * 4


@pytest.mark.parametrize(("dataflow", "loading"), KINDS)
def test_what_crosses_the_edge(dataflow: Dataflow, loading: Loading) -> None:
    work = Workload(5, 7, 4, 3, 2, dataflow, loading)
    _, _, trace = traced(work)
    stays = dataflow == "weight-stationary"
    assert trace.activation_reads == work.activation_reads == 5 * 7 * 2
    assert trace.weight_reads == work.weight_reads == 7 * 4 * (1 if stays else 2)
    assert trace.sum_updates == work.sum_updates == 5 * 4 * (3 if stays else 1)


def test_values_move_one_element_a_cycle() -> None:
    work = Workload(6, 3, 4, 3, 4)
    _, _, trace = traced(work)
    activation, after = trace.operands[..., 0], trace.sums[..., 1]
    assert np.array_equal(activation[1:, :, 1:], activation[:-1, :, :-1])
    busy = trace.product[1:, 1:, :, 0] >= 0
    assert np.array_equal(trace.sums[1:, 1:, :, 0][busy], after[:-1, :-1][busy])


def test_sums_that_stay_only_grow_in_place() -> None:
    work = Workload(3, 6, 4, 3, 4, "output-stationary")
    x, w, trace = traced(work)
    assert np.array_equal(trace.held[-1, ..., 2], x @ w)
    weight = trace.operands[..., 1]
    assert np.array_equal(weight[1:, 1:], weight[:-1, :-1])


def test_weights_that_stay_are_there_before_they_are_used() -> None:
    work = Workload(2, 4, 4, 2, 2, "weight-stationary", "double-buffered")
    _, w, trace = traced(work)
    busy = trace.product[..., 0] >= 0
    k, j = trace.held[..., 0], trace.held[..., 1]
    assert np.array_equal(trace.held[..., 2][busy], w[k[busy], j[busy]])
    came = trace.waiting[:-1, ..., 0] == 1
    changed = (trace.held[1:, ..., :2] != trace.held[:-1, ..., :2]).any(-1)
    assert np.array_equal(trace.held[1:, ..., 2][changed & came], trace.waiting[:-1, ..., 1][changed & came])
    assert (changed & came).sum() >= 3 * 4


def test_the_share_of_a_tpu_that_200_examples_keep_at_work() -> None:
    """256 × 256 elements, simulated: 28 %; by the law 0.2 % at batch 1 and 80 % at 2048."""
    side = 256
    work = Workload(200, side, side, side, side)
    zeros = np.zeros((200, side), np.int64), np.zeros((side, side), np.int64)
    assert simulate(*zeros, work, record=False).cycles == 200 + 2 * side - 2
    shares = {batch: batch / (batch + 2 * side - 2) for batch in (1, 200, 2048)}
    for batch, share in shares.items():
        each = Workload(batch, side, side, side, side)
        assert each.utilisation(each.cycles) == pytest.approx(share)
    assert [round(100 * share, 1) for share in shares.values()] == [0.2, 28.2, 80.1]
