"""Programs recorded over scalars: values, gradients and rows of the Hessian, against torch."""

import itertools
import math
import random
from collections.abc import Iterator

import pytest

from engine.autodiff import cotangents, tangents
from engine.expression import parse
from engine.graph import Label
from engine.recording import STARTING_VALUES, evaluate_output, input_values, record
from tests.engine.random_programs import RandomProgram, random_program
from tests.engine.reference import agree, gradients

BATCHES, BATCH = 10, 20  # 200 programs


def hessian_rows(number: int) -> Iterator[tuple[RandomProgram, str, float, list[float]]]:
    """Programs with curvature: an input, the derivative by it, and its row of the Hessian, by torch."""
    found = 0
    for seed in itertools.count(number * 1000):
        program = random_program(seed)
        leaves, outputs = program.run_by_torch()
        chosen = random.Random(seed).choice(list(leaves))
        (slope,) = gradients(outputs[0], [leaves[chosen]], create_graph=True)
        row = [float(entry) for entry in gradients(slope, list(leaves.values()))]
        largest = max(map(abs, row))
        noise = any(0.0 < abs(entry) < 1e-10 * largest for entry in row)  # zeros that torch only rounds to
        if largest > 1e-2 and not noise:
            yield program, chosen, float(slope.detach()), row
            found += 1
        if found == BATCH:
            return


@pytest.mark.parametrize("number", range(BATCHES))
def test_second_derivatives_of_random_programs_agree_with_torch(number: int) -> None:
    for program, chosen, slope, row in hessian_rows(number):
        recording = record(program.program, program.inputs)
        gradient = recording.gradient(0, chosen)
        assert gradient.value == pytest.approx(slope, rel=1e-10, abs=1e-12)
        swept_back = cotangents({gradient: 1.0})
        reverse = [swept_back.get(leaf, 0.0) for leaf in recording.inputs.values()]
        assert agree(reverse, row), program.listing()
        swept_on = [tangents([gradient], {leaf: 1.0}) for leaf in recording.inputs.values()]
        forward = [found.get(gradient, 0.0) for found in swept_on]
        assert agree(forward, row), program.listing()


def test_the_hessian_is_symmetric() -> None:
    program = parse("exp(x*y) * sin(z) + x**3 * z / (1 + y*y)")
    values = {"x": 0.4, "y": -0.7, "z": 1.1}
    recording = record(program, values)
    rows = []
    for name in values:
        found = cotangents({recording.gradient(0, name): 1.0})
        rows.append([found[leaf] for leaf in recording.inputs.values()])
    for i in range(3):
        for j in range(i):
            assert rows[i][j] == pytest.approx(rows[j][i], rel=1e-13)


def test_inputs_want_gradients_and_numbers_in_the_text_do_not() -> None:
    recording = record(parse("x = 2\nh = 3*x\nh + 1"), {"x": 5.0})
    x = recording.inputs["x"]
    assert (x.value, x.requires_grad) == (5.0, True)
    (output,) = recording.outputs
    assert output.value == 16.0
    h, one = output.inputs
    assert not one.requires_grad
    assert not h.inputs[0].requires_grad
    assert h.inputs[1] is x


def test_labels_say_where_a_value_stands_in_the_text() -> None:
    recording = record(parse("h = x*x\nsin(h)"), {"x": 2.0})
    (output,) = recording.outputs
    (h,) = output.inputs
    assert recording.labels[h] == Label("h", (1, 4, 7))
    assert recording.labels[output].span == (2, 0, 6)
    assert recording.labels[recording.inputs["x"]].name == "x"
    assert h.inputs == (recording.inputs["x"],) * 2


def test_several_outputs_share_what_they_have_in_common() -> None:
    recording = record(parse("h = exp(x)\nh + 1, h*h"), {"x": 0.0})
    first, second = recording.outputs
    assert (first.value, second.value) == (2.0, 1.0)
    assert first.inputs[0] is second.inputs[0]
    assert recording.gradient(0, "x").value == pytest.approx(1.0)
    assert recording.gradient(1, "x").value == pytest.approx(2.0)


def test_an_output_that_does_not_depend_on_an_input() -> None:
    recording = record(parse("x*2, y"), {"x": 1.0, "y": 7.0})
    assert recording.gradient(0, "y").value == 0.0
    assert recording.gradient(1, "y").value == 1.0
    assert recording.gradient(0, "x").value == 2.0
    assert not recording.gradient(0, "x").requires_grad


def test_values_are_the_chosen_ones_else_those_in_the_text_else_some_to_start_with() -> None:
    program = parse("a = 4\nb = 5\na + b + c + d")
    assert input_values(program, {"b": 6.0, "c": -1.0, "unknown": 9.0}) == {
        "a": 4.0,
        "b": 6.0,
        "c": -1.0,
        "d": STARTING_VALUES[3],
    }


def test_evaluating_an_output_as_a_function() -> None:
    program = parse("sin(x) * y, y**3")
    values = {"x": 0.6, "y": 2.0}
    assert evaluate_output(program, values, 0, "") == pytest.approx(2.0 * math.sin(0.6))
    assert evaluate_output(program, values, 0, "x") == pytest.approx(2.0 * math.cos(0.6))
    assert evaluate_output(program, values, 1, "y") == pytest.approx(12.0)
    assert evaluate_output(program, values, 1, "x") == 0.0
    assert evaluate_output(parse("3"), {}, 0, "") == 3.0


def test_programs_over_floats_carry_on_after_nan_and_infinity() -> None:
    assert evaluate_output(parse("1/x"), {"x": 0.0}, 0, "") == math.inf
    assert math.isnan(evaluate_output(parse("log(x) * 0"), {"x": -1.0}, 0, ""))
