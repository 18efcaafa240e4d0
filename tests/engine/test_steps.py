"""Sweeps as steps: where each order arrives, and how much work it takes."""

import math
from collections.abc import Sequence

import pytest

from engine.expression import parse
from engine.graph import Graph
from engine.recording import record
from engine.steps import Order, Step, cost, cotangent_steps, count_paths, tangent_steps, value_steps
from tests.engine.random_programs import RandomProgram, random_program
from tests.engine.reference import agree, gradients, leaf

DIAMOND = "h = x*x\nh * sin(h)"


def of(program: str, **values: float) -> Graph:
    recording = record(parse(program), values)
    return Graph.record(recording.outputs, recording.labels)


def recorded(program: RandomProgram) -> Graph:
    recording = record(program.program, program.inputs)
    return Graph.record(recording.outputs, recording.labels)


def torch_gradients(program: RandomProgram, names: Sequence[str], output: int = 0) -> list[float]:
    leaves, outputs = program.run_by_torch()
    return [float(slope) for slope in gradients(outputs[output], [leaves[name] for name in names])]


def arrived(steps: Sequence[Step]) -> dict[str, float]:
    return {node: gradient for step in steps for node, gradient in step.gradients.items()}


def diamonds(count: int) -> Graph:
    """x₁ = x + sin(x), x₂ = x₁ + sin(x₁), … : two ways through each."""
    lines = [f"x{k + 1} = x{k} + sin(x{k})" for k in range(count)]
    return of("\n".join([*lines, f"x{count}"]), x0=0.3)


def derivative_of_diamonds(count: int) -> float:
    x = first = leaf(0.3)
    for _ in range(count):
        x = x + x.sin()
    return float(gradients(x, [first])[0])


@pytest.mark.parametrize("seed", range(60))
def test_topological_steps_arrive_at_the_gradients_of_torch(seed: int) -> None:
    program = random_program(seed)
    graph = recorded(program)
    names = [str(node.label.name) for node in graph.inputs()]
    for position, output in enumerate(graph.outputs):
        found = arrived(cotangent_steps(graph, output))
        expected = torch_gradients(program, names, position)
        assert agree([found.get(node.id, 0.0) for node in graph.inputs()], expected), program.listing()


@pytest.mark.parametrize("seed", range(30))
def test_tangent_steps_arrive_at_the_gradients_of_torch_for_each_seed(seed: int) -> None:
    program = random_program(seed)
    graph = recorded(program)
    names = [str(node.label.name) for node in graph.inputs()]
    found = [arrived(tangent_steps(graph, node.id)).get(graph.differentiated, 0.0) for node in graph.inputs()]
    assert agree(found, torch_gradients(program, names)), program.listing()


@pytest.mark.parametrize("seed", range(40))
def test_every_path_arrives_at_the_same_with_a_visit_for_each_path(seed: int) -> None:
    program = random_program(seed, max_nodes=25)
    graph = recorded(program)
    paths = count_paths(graph, graph.differentiated)
    steps = cotangent_steps(graph, graph.differentiated, "every path", limit=paths + 1)
    assert len(steps) == 1 + paths
    found = arrived(steps)
    names = [str(node.label.name) for node in graph.inputs()]
    expected = torch_gradients(program, names)
    assert agree([found.get(node.id, 0.0) for node in graph.inputs()], expected), program.listing()


@pytest.mark.parametrize("count", range(1, 9))
def test_paths_through_a_chain_of_diamonds_double_with_each(count: int) -> None:
    """Visits of the k-th sum from the end: 2^k; of the sine beside it as many: 2·(2^count − 1) in all."""
    graph = diamonds(count)
    assert count_paths(graph, graph.differentiated) == 2 * (2**count - 1)
    steps = cotangent_steps(graph, graph.differentiated, "every path", limit=10_000)
    assert len(steps) - 1 == 2 * (2**count - 1)
    expected = derivative_of_diamonds(count)
    assert arrived(steps)["n0"] == pytest.approx(expected, rel=1e-12)
    once = cotangent_steps(graph, graph.differentiated)
    assert len(once) - 1 == 2 * count
    assert arrived(once)["n0"] == pytest.approx(expected, rel=1e-12)


def test_every_path_stops_at_the_limit() -> None:
    graph = diamonds(10)
    assert len(cotangent_steps(graph, graph.differentiated, "every path", limit=50)) == 51
    assert len(cotangent_steps(graph, graph.differentiated, "every path")) == 401


def test_paths_of_a_graph_without_reuse_are_its_operators() -> None:
    graph = of("sin(x) * exp(y) + 3", x=1.0, y=2.0)
    assert count_paths(graph, graph.differentiated) == 4


def test_breadth_first_is_wrong_on_a_diamond() -> None:
    """h is reached first by its shorter way, and passes on before the longer one has arrived.

    Written sin(h)·h, it would happen to be reached last, and all would be well.
    """
    x = leaf(0.9)
    h = x * x
    (slope,) = gradients(h * h.sin(), [x])
    expected = float(slope)
    graph = of(DIAMOND, x=0.9)
    steps = cotangent_steps(graph, graph.differentiated, "breadth first")
    found = arrived(steps)["n0"]
    assert abs(found - expected) > 0.1
    assert found == pytest.approx(math.sin(0.81) * 2 * 0.9)  # what the short way alone brings
    assert arrived(cotangent_steps(graph, graph.differentiated))["n0"] == pytest.approx(expected)
    notes = [step.note for step in steps if step.note.startswith("too late")]
    assert notes == ["too late: h has already passed its gradient on, so this part is lost"]


@pytest.mark.parametrize("count", range(1, 6))
def test_breadth_first_is_wrong_on_chains_of_diamonds(count: int) -> None:
    graph = diamonds(count + 1)
    found = arrived(cotangent_steps(graph, graph.differentiated, "breadth first"))["n0"]
    assert abs(found - derivative_of_diamonds(count + 1)) > 0.1


def test_breadth_first_is_right_where_nothing_is_used_twice() -> None:
    graph = of("tanh(w*x + b)", w=0.4, x=2.0, b=-0.3)
    right = arrived(cotangent_steps(graph, graph.differentiated))
    steps = cotangent_steps(graph, graph.differentiated, "breadth first")
    assert arrived(steps) == right
    assert not any(step.note.startswith("too late") for step in steps)


ORDERS: list[Order] = ["topological", "breadth first", "every path"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(10))
def test_contributions_add_up(order: Order, seed: int) -> None:
    """upstream · local = product; before + product = after; and `before` is what was there."""
    graph = recorded(random_program(seed))
    held: dict[str, float] = {}
    nodes = graph.by_id()
    for step in cotangent_steps(graph, graph.differentiated, order, limit=2000):
        if step.kind == "seed":
            held.update(step.gradients)
            continue
        for part in step.contributions:
            assert part.product == part.upstream * part.local
            assert part.before == held.get(part.to)
            assert part.after == (part.product if part.before is None else part.before + part.product)
            assert part.local == nodes[step.node].partials[part.slot]
            assert part.to == nodes[step.node].inputs[part.slot]
            held[part.to] = part.after
        assert step.gradients == {part.to: held[part.to] for part in step.contributions}


def test_contributions_of_forward_mode_add_up() -> None:
    graph = recorded(random_program(5))
    nodes = graph.by_id()
    for start in graph.inputs():
        held: dict[str, float] = {}
        for step in tangent_steps(graph, start.id):
            total = None
            for part in step.contributions:
                assert part.to == step.node
                assert part.upstream == held[nodes[step.node].inputs[part.slot]]
                assert part.product == part.upstream * part.local
                assert part.before == total
                total = part.after
            if total is not None:
                assert step.gradients == {step.node: total}
            held |= step.gradients


def test_the_forward_pass_sets_every_value_once_in_order() -> None:
    graph = of(DIAMOND, x=0.9)
    steps = value_steps(graph)
    assert [step.node for step in steps] == ["n0", "n1", "n2", "n3"]
    assert [step.values for step in steps] == [{node.id: node.value} for node in graph.nodes]
    assert {(step.phase, step.kind) for step in steps} == {("forward", "value")}


def test_the_first_backward_step_seeds_the_output() -> None:
    graph = of(DIAMOND, x=0.9)
    first, *rest = cotangent_steps(graph, graph.differentiated)
    assert (first.phase, first.kind, first.node, first.gradients) == ("backward", "seed", "n3", {"n3": 1.0})
    assert [step.node for step in rest] == ["n3", "n2", "n1"]


def test_forward_mode_says_what_does_not_depend_on_its_input() -> None:
    graph = of("sin(x) * exp(y)", x=0.5, y=0.25)
    y = next(node.id for node in graph.inputs() if node.label.name == "y")
    steps = {step.node: step for step in tangent_steps(graph, y)}
    assert steps[y].kind == "seed"
    assert steps[y].gradients == {y: 1.0}
    sine = next(node.id for node in graph.nodes if node.operator == "sin")
    assert steps[sine].gradients == {}
    assert "does not depend" in steps[sine].note
    assert steps[sine].values == {sine: math.sin(0.5)}


# ---- cost, counted by hand


def test_cost_of_one_output_of_two_inputs() -> None:
    """z = a·b + sin(a). Edges: mul→a, mul→b, sin→a, add→mul, add→sin.

    Reverse, once: 5 products; a receives two of them: 1 addition.
    Forward, once an input: from a: mul, sin, add twice: 4 products, 1 addition; from b: mul, add: 2.
    """
    graph = of("a*b + sin(a)", a=0.5, b=2.0)
    reverse = cost([cotangent_steps(graph, graph.differentiated)])
    assert (reverse.sweeps, reverse.multiplications, reverse.additions, reverse.total) == (1, 5, 1, 6)
    forward = cost(tangent_steps(graph, node.id) for node in graph.inputs())
    assert (forward.sweeps, forward.multiplications, forward.additions, forward.total) == (2, 6, 1, 7)


def test_cost_of_three_outputs_of_one_input() -> None:
    """h = exp(x); outputs h·h, sin(h), h + 1. Edges: exp→x; mul→h twice; sin→h; add→h.

    Reverse, once an output: 2+1 products and 1 addition; 1+1; 1+1: 7 products, 1 addition.
    Forward, once: exp, mul twice, sin, add: 5 products, 1 addition.
    """
    graph = of("h = exp(x)\nh*h, sin(h), h + 1", x=0.5)
    reverse = cost(cotangent_steps(graph, output) for output in graph.outputs)
    assert (reverse.sweeps, reverse.multiplications, reverse.additions) == (3, 7, 1)
    forward = cost(tangent_steps(graph, node.id) for node in graph.inputs())
    assert (forward.sweeps, forward.multiplications, forward.additions) == (1, 5, 1)


def test_constants_cost_nothing() -> None:
    graph = of("2*x + 3*4", x=1.0)
    assert cost([cotangent_steps(graph, graph.differentiated)]).total == 2  # add→(2x), (2x)→x


def test_nan_and_infinity_pass_through_the_steps() -> None:
    graph = of("log(x) * x", x=0.0)
    found = arrived(cotangent_steps(graph, graph.differentiated))
    x = leaf(0.0)
    (slope,) = gradients(x.log() * x, [x])
    assert math.isnan(found["n0"])
    assert math.isnan(float(slope))
