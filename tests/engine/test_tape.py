"""The compiled tape against the objects it was recorded from, against torch and against numpy."""

import itertools
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine import TABLE, Scalar, sin, tanh
from engine.recording import record
from engine.tape import CODES, LEAF, Tape, kernel_source
from tests.engine.random_programs import random_program
from tests.engine.reference import TORCH, gradients, leaf, same

PROGRAMS = 200
FIGURES = [0.0, -0.0, 1.0, -1.0, 0.3, -2.5, 3.0, 40.0, -800.0, 1e200, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("batch", range(4))
def test_random_programs_replay_to_the_same_values_and_to_the_gradients_of_torch(batch: int) -> None:
    for seed in range(batch * PROGRAMS // 4, (batch + 1) * PROGRAMS // 4):
        program = random_program(seed)
        recording = record(program.program, program.inputs)
        tape = Tape(recording.outputs[0])
        eager = tape.values.copy()
        inputs = [x for x in recording.inputs.values() if x in tape.positions]
        tape.values[tape.operators != LEAF] = math.nan  # so that nothing is left of the recording
        assert tape.forward() == pytest.approx(recording.outputs[0].value, rel=1e-13)
        assert tape.values == pytest.approx(eager, rel=1e-13, abs=1e-15)

        leaves, outputs = program.run_by_torch()
        by_torch = dict(
            zip(recording.inputs.values(), gradients(outputs[0], list(leaves.values())), strict=True)
        )
        expected = [float(by_torch[x]) for x in inputs]
        found = tape.backward()[tape.positions_of(inputs)]
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-13), program.listing()


def test_new_values_of_the_leaves() -> None:
    x, y = Scalar(0.0), Scalar(0.0)
    tape = Tape(tanh(x * y) + x / y)
    for a, b in [(0.5, -2.0), (1.5, 0.25), (-3.0, 1.0)]:
        tape.values[tape.positions_of([x, y])] = a, b
        leaves = [leaf(a), leaf(b)]
        expected = torch.tanh(leaves[0] * leaves[1]) + leaves[0] / leaves[1]
        assert tape.forward() == pytest.approx(float(expected.detach()), rel=1e-14)
        found = tape.backward()[tape.positions_of([x, y])]
        assert found == pytest.approx([float(slope) for slope in gradients(expected, leaves)], rel=1e-12)


def test_gradients_are_of_the_present_values_and_do_not_add_up() -> None:
    x = Scalar(3.0)
    tape = Tape(x * x * x)
    (place,) = tape.positions_of([x])
    for _ in range(3):
        assert tape.backward()[place] == 27.0
    tape.values[place] = 2.0
    tape.forward()
    assert tape.backward()[place] == 12.0


@pytest.mark.parametrize("name", TABLE)
def test_every_operator_replays_as_it_runs_eagerly(name: str) -> None:
    """Values and partials at special figures too: inf and NaN arise in the same places."""
    row = TABLE[name]
    figures = FIGURES if row.arity < 3 else FIGURES[::2]
    leaves = [Scalar(1.0) for _ in range(row.arity)]
    tape = Tape(row(*leaves))
    places = tape.positions_of(leaves)
    assert tape.operators[-1] == CODES[name]
    for operands in itertools.product(figures, repeat=row.arity):
        tape.values[places] = operands
        value = row(*operands)
        assert same(tape.forward(), value, 1e-13), operands
        found = tape.backward()[places]
        expected = [float(row.partial(index, operands, value)) for index in range(row.arity)]
        assert all(map(same, found.tolist(), expected, itertools.repeat(1e-12))), (operands, found, expected)


@pytest.mark.parametrize(
    "name", ["log", "sqrt", "div", "pow", "exp", "inverse", "log1p", "sigmoid", "softplus"]
)
def test_special_figures_are_those_of_torch(name: str) -> None:
    row = TABLE[name]
    leaves = [Scalar(1.0) for _ in range(row.arity)]
    tape = Tape(row(*leaves))
    places = tape.positions_of(leaves)
    for operands in itertools.product(FIGURES, repeat=row.arity):
        tensors = [leaf(operand) for operand in operands]
        output = TORCH[name](*tensors)
        tape.values[places] = operands
        assert same(tape.forward(), float(output.detach()), 1e-13), operands
        found = tape.backward()[places].tolist()
        expected = [float(slope) for slope in gradients(output, tensors)]
        assert all(map(same, found, expected, itertools.repeat(1e-12))), operands


def test_the_arrays_describe_the_graph() -> None:
    x = Scalar(2.0)
    y = sin(x) * x
    tape = Tape(y)
    assert len(tape) == 3
    assert tape.operators.tolist() == [LEAF, CODES["sin"], CODES["mul"]]
    assert tape.inputs[2, :2].tolist() == [1, 0]
    assert tape.values.tolist() == [2.0, math.sin(2.0), 2.0 * math.sin(2.0)]
    assert (tape.operators.dtype, tape.inputs.dtype, tape.values.dtype) == (np.int8, np.int32, np.float64)
    assert tape.positions_of([x]).tolist() == [0]


def test_a_tape_of_one_leaf() -> None:
    tape = Tape(Scalar(4.0))
    assert tape.forward() == 4.0
    assert tape.backward().tolist() == [1.0]


def test_a_long_tape() -> None:
    x = Scalar(1.0)
    y = x
    for _ in range(50_000):
        y = y * 0.9999
    tape = Tape(y)
    assert tape.forward() == pytest.approx(0.9999**50_000, rel=1e-9)
    assert tape.backward()[tape.positions_of([x])] == pytest.approx([0.9999**50_000], rel=1e-9)


def test_a_scalar_that_is_not_on_the_tape_is_refused() -> None:
    with pytest.raises(KeyError):
        Tape(Scalar(1.0)).positions_of([Scalar(1.0)])


# ---- gradient descent on a small net, beside the same in numpy and in torch

RATE = 0.05
STEPS = 100


def data_and_weights() -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float64]]]:
    generator = np.random.default_rng(0)
    points = generator.uniform(-1.0, 1.0, (12, 2))
    targets = np.sign(points[:, 0] * points[:, 1])
    shapes = [(2, 5), (5,), (5, 1), (1,)]
    return points, targets, [generator.normal(0.0, 0.7, shape) for shape in shapes]


def net_of_scalars(points: NDArray[np.float64], targets: NDArray[np.float64], flat: list[Scalar]) -> Scalar:
    """Mean of (y − t)² of a 2-5-1 net with tanh, written out number by number."""
    first, first_bias = flat[:10], flat[10:15]
    second, (second_bias,) = flat[15:20], flat[20:]
    total = Scalar(0.0, requires_grad=False)
    for (x0, x1), target in zip(points.tolist(), targets.tolist(), strict=True):
        hidden = [tanh(first[k] * x0 + first[5 + k] * x1 + first_bias[k]) for k in range(5)]
        output = second_bias
        for weight, unit in zip(second, hidden, strict=True):
            output = output + weight * unit
        total = total + (output - target) ** 2
    return total / len(targets)


def test_descent_is_that_of_numpy_and_torch() -> None:
    points, targets, weights = data_and_weights()
    flat = [Scalar(value) for weight in weights for value in weight.ravel().tolist()]
    tape = Tape(net_of_scalars(points, targets, flat))
    parameters = tape.positions_of(flat)

    tensors = [torch.tensor(weight, requires_grad=True) for weight in weights]
    optimiser = torch.optim.SGD(tensors, lr=RATE)
    x, t = torch.tensor(points), torch.tensor(targets)
    w1, b1, w2, b2 = (weight.copy() for weight in weights)
    for _ in range(STEPS):
        loss = tape.descend(parameters, RATE)

        optimiser.zero_grad()
        by_torch = (
            ((torch.tanh(x @ tensors[0] + tensors[1]) @ tensors[2] + tensors[3]).ravel() - t).square().mean()
        )
        by_torch.backward()
        optimiser.step()

        hidden = np.tanh(points @ w1 + b1)
        error = (hidden @ w2 + b2).ravel() - targets
        upstream = (2.0 / len(targets) * error)[:, None]
        back = upstream @ w2.T * (1.0 - hidden**2)
        gradients_by_hand = (points.T @ back, back.sum(0), hidden.T @ upstream, upstream.sum(0))
        for weight, slope in zip((w1, b1, w2, b2), gradients_by_hand, strict=True):
            weight -= RATE * slope

        assert loss == pytest.approx(float(by_torch.detach()), rel=1e-11)
        assert loss == pytest.approx(float(np.mean(error**2)), rel=1e-11)
    found = tape.values[parameters]
    assert found == pytest.approx(np.concatenate([w.ravel() for w in (w1, b1, w2, b2)]), rel=1e-10)
    assert found == pytest.approx(np.concatenate([w.detach().numpy().ravel() for w in tensors]), rel=1e-10)


def test_the_source_has_a_branch_for_every_operator() -> None:
    text = kernel_source()
    compile(text, "tape", "exec")
    for name, code in CODES.items():
        assert text.count(f"operator == {code}:  # {name}\n") == 2
    assert kernel_source() == text


def test_codes_fit_their_array() -> None:
    assert sorted(CODES.values()) == list(range(len(TABLE)))
    assert len(TABLE) <= np.iinfo(np.int8).max
