"""The player's payload: strict JSON, a faithful picture, and formulas with holes."""

import json
from xml.etree import ElementTree

import pytest

from app.figures.layout import Box, layout
from app.figures.player import name_math, payload
from engine import studies
from engine.graph import Label, Node
from engine.primitives import TABLE
from engine.studies.graph import EXAMPLES, GraphSetup
from engine.symbol import formula_latex, partials_latex

GRAPH = studies.load("graph")


def made(setup: GraphSetup) -> dict:
    result = GRAPH.run(setup)
    return payload(result, GRAPH.check(result), 560, present=False)


@pytest.mark.parametrize("setup", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_examples_make_strict_json(setup: GraphSetup) -> None:
    found = json.loads(json.dumps(made(setup), allow_nan=False))
    ids = {node["id"] for node in found["nodes"]}
    assert {edge["from"] for edge in found["edges"]} | {edge["to"] for edge in found["edges"]} <= ids
    assert all(step["node"] in ids for step in found["steps"])
    assert {node["operator"] for node in found["nodes"] if node["operator"]} == set(found["operators"])


def test_non_finite_numbers_are_words_and_absent_ones_are_absent() -> None:
    found = made(
        GraphSetup(program="log(x) + 0*y", values={"x": 0.0, "y": 1.0}, mode="forward", seed_input="x")
    )
    values = {name: value for step in found["steps"] for name, value in step["values"].items()}
    assert "-Infinity" in values.values()
    y = next(entry for entry in found["inputs"] if entry["name"] == "y")
    assert "value" not in y["gradients"][0]  # the sweep followed x: y's derivative was not computed


def test_the_signature_is_of_the_structure_and_not_of_the_numbers() -> None:
    base = made(GraphSetup(program="x*y", values={"x": 1.0}))["signature"]
    assert made(GraphSetup(program="x*y", values={"x": 2.0}))["signature"] == base
    assert made(GraphSetup(program="x+y", values={"x": 1.0}))["signature"] != base
    assert made(GraphSetup(program="x*y", values={"x": 1.0}, mode="forward"))["signature"] != base


def test_a_wrong_order_is_seen_to_disagree() -> None:
    found = made(GraphSetup(program="u = x*x\nv = sin(u)\nu*v + u", order="breadth first"))
    methods = {entry["method"]: entry for entry in found["inputs"][0]["gradients"]}
    assert methods["breadth first"]["agrees"] is False
    assert methods["forward mode"]["agrees"]
    assert methods["torch"]["agrees"]


@pytest.mark.parametrize("name", TABLE)
def test_formulas_are_well_formed_and_name_only_their_operands(name: str) -> None:
    primitive = TABLE[name]
    operands = ("a", "b", "c")[: primitive.arity]
    program = f"{name}({', '.join(operands)})"
    found = made(GraphSetup(program=program))["operators"][name]
    for mathml in (found["formula"], *found["partials"]):
        tree = ElementTree.fromstring(f"<math>{mathml}</math>")
        holes = {element.text for element in tree.iter("mi") if element.get("class") == "hole"}
        assert holes <= {*operands, "y"}
    assert len(found["partials"]) == len(partials_latex(primitive)) == primitive.arity
    assert formula_latex(primitive)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x", "<mi>x</mi>"),
        ("w12", "<msub><mi>w</mi><mn>12</mn></msub>"),
        ("loss_2", "<msub><mi>loss</mi><mn>2</mn></msub>"),
        (None, "<msub><mi>v</mi><mn>7</mn></msub>"),
    ],
)
def test_names_are_set_as_mathematics(name: str | None, expected: str) -> None:
    assert name_math(Node("n7", "mul", (), 1.0, True, label=Label(name))) == expected


def test_layout_runs_left_to_right_without_overlap() -> None:
    boxes = tuple(Box(f"n{i}", 80.0, 50.0) for i in range(6))
    edges = (("n0", "n2"), ("n1", "n2"), ("n2", "n3"), ("n2", "n4"), ("n3", "n5"), ("n4", "n5"), ("n2", "n5"))
    placed = layout(boxes, edges)
    for (source, target), spline in zip(edges, placed.splines, strict=True):
        assert placed.centres[source][0] + 80 <= placed.centres[target][0]
        assert len(spline) % 3 == 1
        assert spline[0][0] < spline[-1][0]
    for one in boxes:
        for other in boxes:
            if one is not other:
                (x, y), (u, v) = placed.centres[one.id], placed.centres[other.id]
                assert abs(x - u) >= 80 or abs(y - v) >= 50


def test_twice_the_same_edge_is_two_edges() -> None:
    placed = layout((Box("n0", 80.0, 50.0), Box("n1", 80.0, 50.0)), (("n0", "n1"), ("n0", "n1")))
    assert placed.splines[0] != placed.splines[1]


def test_a_large_graph_is_laid_out_in_a_hurry_but_whole() -> None:
    found = made(GraphSetup(program=" + ".join(["x*y"] * 90)))
    assert len(found["nodes"]) == 181
    assert all(len(edge["points"]) % 3 == 1 for edge in found["edges"])
    assert len({(node["x"], node["y"]) for node in found["nodes"]}) == len(found["nodes"])


def test_torch_has_its_column_before_it_has_an_answer() -> None:
    result = GRAPH.run(GraphSetup(program="x*x"))
    columns = {
        name: [
            entry["method"] for entry in payload(result, checks, 560, present=False)["inputs"][0]["gradients"]
        ]
        for name, checks in {"made": GRAPH.check(result), "awaited": [], "none": None}.items()
    }
    assert columns["made"] == columns["awaited"] == [*columns["none"], "torch"]
