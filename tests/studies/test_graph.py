"""The study of graphs and sweeps: every setup against torch, and every wrong one refused."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from engine import studies
from engine.expression import ExpressionError
from engine.studies.graph import STUDY, GraphResult, GraphSetup
from tests.engine.reference import gradients, leaf

NEURON = "tanh(w1*x1 + w2*x2 + b)"
SOFTMAX = "m = max(a, b, c)\np = exp(a - m)\nq = exp(b - m)\nr = exp(c - m)\ns = p + q + r\np/s, q/s, r/s"
ROSENBROCK = "x = -1.2\ny = 1\n(1 - x)**2 + 100*(y - x**2)**2"
DIAMOND = "h = x*x\nh * sin(h)"
SETUPS: list[dict[str, Any]] = [
    {},
    {"program": NEURON, "values": {"w1": 0.3, "x2": -2.0, "b": 0.0}},
    {"program": NEURON, "mode": "forward", "seed_input": "w2"},
    {"program": NEURON, "differentiate": "w1"},
    {"program": SOFTMAX, "values": {"a": 1.0, "b": 0.2, "c": -0.5}},
    {"program": SOFTMAX, "output": 2, "mode": "forward", "seed_input": "b"},
    {"program": SOFTMAX, "output": 1, "differentiate": "c"},
    {"program": ROSENBROCK},
    {"program": ROSENBROCK, "differentiate": "x"},
    {"program": ROSENBROCK, "differentiate": "y", "mode": "forward", "seed_input": "x"},
    {"program": DIAMOND, "order": "every path"},
    {"program": "relu(x) + abs(y) + max(x, y)", "values": {"x": 0.0, "y": 0.0}},
    {"program": "where(x > y, x*x, y)", "values": {"x": 2.0, "y": 1.0}},
    {"program": "3*x + y", "differentiate": "x"},
    {"program": "1 + 2"},
    {"program": "x"},
    {"program": "log(x)", "values": {"x": 0.0}},
    {"program": "x/x", "values": {"x": 0.0}},
]


def run(**fields: Any) -> GraphResult:
    return STUDY.run(GraphSetup(**fields))


@pytest.mark.parametrize("fields", SETUPS, ids=str)
def test_every_figure_agrees_with_torch(fields: dict[str, Any]) -> None:
    result = run(**fields)
    checks = STUDY.check(result)
    assert [check.name for check in checks] == [
        "output",
        *(f"d(output)/d({entry.name})" for entry in result.inputs),
    ]
    for check in checks:
        assert check.passed, check
        assert check.oracle == f"torch {torch.__version__.split('+')[0]}"
    for entry in result.inputs:
        assert entry.forward_mode == pytest.approx(entry.backprop, rel=1e-12, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("fields", SETUPS[:11], ids=str)
def test_central_differences_agree(fields: dict[str, Any]) -> None:
    for entry in run(**fields).inputs:
        assert entry.finite_difference == pytest.approx(entry.backprop, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("fields", SETUPS, ids=str)
def test_summary_and_table(fields: dict[str, Any]) -> None:
    result = run(**fields)
    summary, table = result.summary(), result.table()
    assert summary["nodes"] == len(result.graph)
    assert {len(column) for column in table.values()} == {len(result.graph)}
    assert table["node"] == [f"n{position}" for position in range(len(result.graph))]
    np.testing.assert_equal(
        table["value"][-1] if len(result.graph.outputs) == 1 else result.graph.value, summary["output"]
    )


def test_a_neuron_by_hand() -> None:
    values = {"w1": -3.0, "x1": 2.0, "w2": 1.0, "x2": 0.5, "b": 6.0}
    summary = run(program=NEURON, values=values).summary()
    y = math.tanh(-3.0 * 2.0 + 1.0 * 0.5 + 6.0)
    slope = 1.0 - y * y
    expected = {"w1": 2.0 * slope, "x1": -3.0 * slope, "w2": 0.5 * slope, "x2": slope, "b": slope}
    assert summary["output"] == pytest.approx(y)
    assert {name: summary[f"d(output)/d({name})"] for name in values} == pytest.approx(expected)


def test_softmax_gradient_by_torch() -> None:
    values = {"a": 1.0, "b": 0.2, "c": -0.5}
    x = leaf(list(values.values()))
    (expected,) = gradients(torch.softmax(x, 0)[1], [x])
    found = {entry.name: entry.backprop for entry in run(program=SOFTMAX, values=values, output=1).inputs}
    assert found == pytest.approx(dict(zip(values, expected.tolist(), strict=True)), rel=1e-12)


def test_hessian_of_rosenbrock_by_hand() -> None:
    x, y = -1.2, 1.0
    found = {entry.name: entry.backprop for entry in run(program=ROSENBROCK, differentiate="x").inputs}
    assert found == pytest.approx({"x": 1200 * x * x - 400 * y + 2, "y": -400 * x})


def test_breadth_first_shows_its_wrong_answer_and_the_check_says_so() -> None:
    result = run(program=DIAMOND, values={"x": 0.9}, order="breadth first")
    (entry,) = result.inputs
    right = 2 * 0.9 * (0.81 * math.cos(0.81) + math.sin(0.81))
    assert entry.backprop == pytest.approx(right)
    assert entry.shown == entry.swept == pytest.approx(2 * 0.9 * math.sin(0.81))
    assert not entry.agrees(entry.shown)
    assert entry.agrees(entry.forward_mode)
    value, gradient = STUDY.check(result)
    assert value.passed
    assert not gradient.passed
    assert gradient.expected == pytest.approx(right)


def test_costs_of_many_inputs_and_of_many_outputs() -> None:
    """Reverse mode needs a sweep an output, forward mode one an input."""
    many_inputs = run(program="a*b*c*d*e*f").costs
    assert (many_inputs.forward.sweeps, many_inputs.reverse.sweeps) == (6, 1)
    assert many_inputs.reverse.multiplications == 10  # five products, two operands each
    assert many_inputs.forward.multiplications == 5 + 5 + 4 + 3 + 2 + 1
    many_outputs = run(program="h = exp(x)\nh*2, h*3, h*4, h*5").costs
    assert (many_outputs.forward.sweeps, many_outputs.reverse.sweeps) == (1, 4)
    assert many_outputs.reverse.multiplications == 8
    assert many_outputs.forward.multiplications == 5
    assert (many_outputs.inputs, many_outputs.outputs) == (1, 4)


def test_visits_that_every_path_would_need() -> None:
    lines = [f"x{k + 1} = x{k} + sin(x{k})" for k in range(15)]
    result = run(program="\n".join([*lines, "x15"]), order="every path")
    assert result.costs.path_visits == 2 * (2**15 - 1)
    assert len(result.steps) < 1000


def test_forward_mode_follows_the_input_it_is_told_to() -> None:
    for name in ("w1", "x1", "w2", "x2", "b"):
        result = run(program=NEURON, mode="forward", seed_input=name)
        (seed,) = [step for step in result.steps if step.kind == "seed"]
        assert result.graph.by_id()[seed.node].label.name == name
        (swept,) = [entry for entry in result.inputs if entry.swept is not None]
        assert swept.name == name
        assert swept.swept == pytest.approx(swept.backprop, rel=1e-13)


def test_not_finite_results_are_named() -> None:
    graph = run(program="sin(log(x))", values={"x": 0.0}).graph
    first = graph.first_not_finite()
    assert first is not None
    assert first.operator == "log"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"program": NEURON, "mode": "forward", "seed_input": "z"}, "cannot follow z: .* w1, x1, w2, x2, b"),
        ({"program": NEURON, "differentiate": "z"}, "cannot differentiate by z"),
        ({"program": "1 + 2", "differentiate": "x"}, "inputs of this program are none"),
        ({"program": "x, y", "output": 2}, "no output 2: this program has 2"),
    ],
)
def test_names_that_the_program_does_not_have(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(**fields)


@pytest.mark.parametrize("program", ["", "x +", "__import__('os')", "x.y", "frobnicate(x)", "x" * 2001])
def test_programs_outside_the_language(program: str) -> None:
    with pytest.raises(ExpressionError):
        run(program=program)


@pytest.mark.parametrize(
    "fields",
    [
        {"program": "x" * 100_001},
        {"values": {f"x{k}": 0.0 for k in range(33)}},
        {"mode": "sideways"},
        {"order": "random"},
        {"output": -1},
        {"output": 16},
        {"step": -1},
        {"values": {"x": math.nan}},
        {"values": {"x": "two"}},
        {"seed_input": "x" * 25},
        {"unknown": 1},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_setups_out_of_bounds_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GraphSetup(**fields)


def test_a_setup_is_immutable() -> None:
    setup = GraphSetup()
    with pytest.raises(ValidationError):
        setup.output = 1


def test_the_study_is_found_by_its_name() -> None:
    assert studies.load("graph") is STUDY
    assert {studies.load(name).name for name in studies.NAMES} == set(studies.NAMES)
    with pytest.raises(KeyError, match="unknown study 'nothing'"):
        studies.load("nothing")


def test_a_graph_too_large_to_show_is_refused_with_its_size() -> None:
    with pytest.raises(ValueError, match="399 nodes, and at most 250"):
        STUDY.run(GraphSetup(program=" + ".join(["x*y"] * 199)))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"program": "x*y"}, "∂f/∂y"),
        ({"program": "x*y", "differentiate": "x"}, "∂²f/∂x∂y"),
        ({"program": "x*y, x + y", "output": 1}, "∂f₂/∂y"),
    ],
)
def test_derivatives_have_their_usual_names(fields: dict[str, Any], expected: str) -> None:
    assert STUDY.run(GraphSetup.model_validate(fields)).derivative("y") == expected
