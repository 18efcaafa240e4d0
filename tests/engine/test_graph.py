"""Graph: a recorded computation as plain data, its exchange format and its DOT."""

import json
import math
from collections.abc import Callable
from typing import Any

import pygraphviz
import pytest

from engine.expression import parse
from engine.graph import Graph, Label
from engine.primitives import TABLE, exp, log, sin
from engine.recording import record
from engine.scalar import Scalar
from tests.engine.random_programs import random_program
from tests.engine.reference import agree, gradients


def of(program: str, **values: float) -> Graph:
    recording = record(parse(program), values)
    return Graph.record(recording.outputs, recording.labels)


def test_nodes_say_what_was_computed() -> None:
    graph = of("h = x * 2\nsin(h) + h", x=0.3)
    assert [node.id for node in graph.nodes] == ["n0", "n1", "n2", "n3", "n4"]
    x, two, h, sine, total = graph.nodes
    assert [node.kind for node in graph.nodes] == ["input", "constant", *["operator"] * 3]
    assert [node.operator for node in graph.nodes] == [None, None, "mul", "sin", "add"]
    assert (h.inputs, sine.inputs, total.inputs) == (("n0", "n1"), ("n2",), ("n3", "n2"))
    assert [node.symbol for node in graph.nodes] == ["x", "2", "×", "sin", "+"]
    assert (x.label.name, h.label.name, h.label.span) == ("x", "h", (1, 4, 9))
    assert [node.value for node in graph.nodes] == [0.3, 2.0, 0.6, math.sin(0.6), math.sin(0.6) + 0.6]
    assert h.partials == (2.0, None)  # the constant needs no gradient
    assert sine.partials == (math.cos(0.6),)
    assert total.gradient == 1.0
    assert h.gradient == pytest.approx(math.cos(0.6) + 1.0)
    assert x.gradient == pytest.approx(2.0 * (math.cos(0.6) + 1.0))
    assert two.gradient is None
    assert graph.value == total.value
    assert graph.inputs() == [x]
    assert len(graph) == 5
    assert graph.by_id()["n2"] is h


def test_gradients_are_those_of_torch() -> None:
    for seed in range(40):
        program = random_program(seed)
        recording = record(program.program, program.inputs)
        for differentiate in range(len(recording.outputs)):
            leaves, outputs = program.run_by_torch()
            graph = Graph.record(recording.outputs, recording.labels, differentiate)
            slopes = gradients(outputs[differentiate], list(leaves.values()))
            expected = {name: float(slope) for name, slope in zip(leaves, slopes, strict=True)}
            nodes = graph.inputs()
            found = [node.gradient or 0.0 for node in nodes]
            assert agree(found, [expected[str(node.label.name)] for node in nodes])


def test_a_gradient_that_was_not_computed_is_none() -> None:
    recording = record(parse("x*x, exp(y)"), {"x": 3.0, "y": 1.0})
    first = Graph.record(recording.outputs, recording.labels, 0)
    assert {node.label.name: node.gradient for node in first.inputs()} == {"x": 6.0, "y": None}
    second = Graph.record(recording.outputs, recording.labels, 1)
    assert {node.label.name: node.gradient for node in second.inputs()} == {
        "x": None,
        "y": pytest.approx(math.e),
    }
    assert (first.outputs, second.outputs) == (second.outputs, first.outputs)
    assert first.differentiated == first.outputs[0]
    assert second.differentiated == second.outputs[1]


def test_ids_stay_when_values_change() -> None:
    program = random_program(3)
    shapes = set()
    for change in (0.0, 0.01, -0.01):
        values = {name: value + change for name, value in program.inputs.items()}
        recording = record(program.program, values)
        graph = Graph.record(recording.outputs, recording.labels)
        shapes.add(tuple((node.id, node.operator, node.inputs) for node in graph.nodes))
    assert len(shapes) == 1


def test_a_value_used_twice_is_one_node_and_typed_twice_is_two() -> None:
    assert len(of("h = sin(x)\nh*h", x=1.0)) == 3
    assert len(of("sin(x)*sin(x)", x=1.0)) == 4
    assert of("x*x", x=3.0).nodes[-1].inputs == ("n0", "n0")


@pytest.mark.parametrize(
    ("program", "values", "culprit"),
    [
        ("sin(log(x)) + 1", {"x": 0.0}, "log"),
        ("exp(1000*x) * 0", {"x": 1.0}, "exp"),
        ("x / (x - 1)", {"x": 1.0}, "div"),
        ("x * 2", {"x": math.nan}, None),
        ("sin(x) + 1", {"x": 2.0}, ""),
    ],
)
def test_the_first_node_that_is_not_finite(program: str, values: dict[str, float], culprit: str) -> None:
    found = of(program, **values).first_not_finite()
    if culprit == "":
        assert found is None
    else:
        assert found is not None
        assert found.operator == culprit


# ---- exchange


@pytest.mark.parametrize("seed", range(20))
def test_json_round_trip(seed: int) -> None:
    program = random_program(seed)
    recording = record(program.program, program.inputs)
    graph = Graph.record(recording.outputs, recording.labels)
    assert Graph.from_json(graph.to_json()) == graph


def test_json_round_trip_with_figures_that_json_does_not_have() -> None:
    x, y = Scalar(0.0), Scalar(-1.0)
    graph = Graph.record([log(x) + log(y) * exp(Scalar(1000.0))], {x: Label("x", (1, 2, 3))})
    text = graph.to_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    again = Graph.from_json(text)
    assert again.to_json() == text
    assert again.by_id().keys() == graph.by_id().keys()
    for found, expected in zip(again.nodes, graph.nodes, strict=True):
        assert repr(found) == repr(expected)  # NaN is not equal to itself, but prints the same
    assert {"NaN", "Infinity", "-Infinity"} <= {
        node["value"] for node in json.loads(text)["nodes"] if isinstance(node["value"], str)
    }


def document() -> dict[str, Any]:
    """x·x + 1, as its JSON document."""
    loaded: dict[str, Any] = json.loads(of("x*x + 1", x=3.0).to_json())
    return loaded


def node(position: int, **fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["nodes"][position].update(fields)


def top(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda d: d.update(fields)


MALFORMED: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "format": (top(format="other"), "not a graph file"),
    "no format": (lambda d: d.pop("format"), "not a graph file"),
    "version": (top(version=2), "version 2; this reads version 1"),
    "no version": (lambda d: d.pop("version"), "version None"),
    "no nodes": (lambda d: d.pop("nodes"), "nodes"),
    "nodes are a number": (top(nodes=3), "incomplete"),
    "nodes are null": (top(nodes=None), "incomplete"),
    "a node is a number": (top(nodes=[1]), "incomplete"),
    "a node is text": (top(nodes=["n0"]), "incomplete"),
    "no outputs": (lambda d: d.pop("outputs"), "outputs"),
    "outputs are empty": (top(outputs=[]), "not an output"),
    "unknown output": (top(outputs=["n9"], differentiated="n9"), "no node for the output 'n9'"),
    "differentiated": (top(differentiated="n0"), "not an output"),
    "no differentiated": (lambda d: d.pop("differentiated"), "differentiated"),
    "unknown operator": (node(1, operator="frobnicate"), "unknown operator 'frobnicate' at node n1"),
    "operator is a list": (node(1, operator=[]), "malformed"),
    "operator is an object": (node(1, operator={}), "malformed"),
    "operator is a number": (node(1, operator=0), "unknown operator 0"),
    "cycle": (node(1, inputs=["n1", "n0"]), "uses node n1 at n1 before it is defined"),
    "forward reference": (node(1, inputs=["n3", "n0"]), "uses node n3 at n1 before it is defined"),
    "unknown input": (node(1, inputs=["n7", "n0"]), "n7"),
    "duplicate": (node(1, id="n0"), "names node n0 twice"),
    "too few inputs": (node(1, inputs=["n0"]), "node n1 1 inputs; it takes 2"),
    "too many inputs": (node(1, inputs=["n0"] * 3), "node n1 3 inputs; it takes 2"),
    "too few partials": (node(1, partials=[1.0]), "n1"),
    "a leaf with inputs": (node(2, inputs=["n0"]), "node n2 1 inputs; it takes 0"),
    "value is text": (node(0, value="3"), "expected a number, found '3'"),
    "value is true": (node(0, value=True), "expected a number, found True"),
    "value is null": (node(0, value=None), "expected a number, found None"),
    "value is enormous": (node(0, value=10**400), "malformed"),
    "gradient is a list": (node(0, gradient=[1]), "expected a number"),
    "partial is text": (node(1, partials=["x", 1.0]), "expected a number"),
    "no label": (lambda d: d["nodes"][0].pop("label"), "label"),
    "label is text": (node(0, label="x"), "incomplete"),
    "short span": (node(0, label={"name": "x", "span": [1]}), "malformed"),
    "endless span": (node(0, label={"name": "x", "span": [1, math.inf, 2]}), "malformed"),
    "span is text": (node(0, label={"name": "x", "span": "abc"}), "abc|'a'"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_document_is_refused_with_a_reason(name: str) -> None:
    damage, reason = MALFORMED[name]
    damaged = document()
    damage(damaged)
    with pytest.raises(ValueError, match=reason):
        Graph.from_json(json.dumps(damaged))


@pytest.mark.parametrize(
    "text", ["", "{", "null", "3", "[]", '"text"', "nonsense", "[" * 100_000, '{"a":' * 100_000, "1" * 5000]
)
def test_text_that_is_not_a_graph_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a graph file|limit"):
        Graph.from_json(text)


def test_every_truncation_is_refused() -> None:
    text = of("x*x + 1", x=3.0).to_json()
    for length in range(0, len(text), 7):
        with pytest.raises(ValueError, match="not a graph file"):
            Graph.from_json(text[:length])


# ---- DOT


def test_graphviz_reads_the_dot() -> None:
    graph = of("h = x * 2\nsin(h) + h", x=0.3)
    read = pygraphviz.AGraph(string=graph.to_dot())
    assert read.directed
    assert sorted(read.nodes()) == ["n0", "n1", "n2", "n3", "n4"]
    assert sorted(read.edges()) == [("n0", "n2"), ("n1", "n2"), ("n2", "n3"), ("n2", "n4"), ("n3", "n4")]
    assert read.get_node("n0").attr["shape"] == "box"


@pytest.mark.parametrize("name", TABLE)
def test_graphviz_reads_every_symbol(name: str) -> None:
    row = TABLE[name]
    graph = Graph.record([row(*(Scalar(1.0) for _ in range(row.arity)))])
    read = pygraphviz.AGraph(string=graph.to_dot())
    assert len(read.nodes()) == len(graph)
    assert len(read.edges()) == row.arity


@pytest.mark.parametrize("text", ['"', "\\", "a\nb", "{x|y}", "<b>", "θ₁", "-> x;", "\\N"])
def test_labels_and_ids_may_be_any_text(text: str) -> None:
    graph = of("x*x + 1", x=3.0)
    read = pygraphviz.AGraph(string=graph.to_dot(lambda node: text))
    assert len(read.nodes()) == len(graph)
    renamed = Graph.from_json(graph.to_json().replace('"n0"', json.dumps(text)))
    read = pygraphviz.AGraph(string=renamed.to_dot())
    assert len(read.nodes()) == len(graph)
    assert len(read.edges()) == 4  # two for x·x, two into the sum


def test_an_edge_for_each_use() -> None:
    dot = Graph.record([(x := Scalar(1.0)) * x, sin(x)]).to_dot()
    assert dot.count("->") == 3
