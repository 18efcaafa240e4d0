"""Study: how does a program become a graph, and how do derivatives travel through it?

Setup -> run -> Result: parse the program, evaluate it over `Scalar`s, sweep the recorded graph in the
chosen mode and order, and find every input's derivative by independent ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from engine.agreement import difference
from engine.autodiff import cotangents, tangents
from engine.expression import ExpressionError, Program, parse
from engine.gradient_check import central_difference
from engine.graph import Graph
from engine.oracles import torch_reference
from engine.recording import Recording, evaluate_output, input_values, record
from engine.scalar import Scalar
from engine.steps import Cost, Order, Step, cost, cotangent_steps, count_paths, tangent_steps, value_steps
from engine.studies.study import Check, Setup, Study

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
LAST_OUTPUT = 15  # the last one that can be chosen
LARGEST_GRAPH = 250  # nodes; a larger graph takes too long to lay out, and is no longer read by anyone
TOLERANCE = 1e-10  # between exact methods in float64
DIFFERENCE_TOLERANCE = 1e-5  # of a central difference, whose own error is about eps^(2/3) times f‴


class GraphSetup(Setup):
    """The program, the values of its inputs, and how to sweep its graph."""

    program: str = Field(
        default="tanh(w1*x1 + w2*x2 + b)",
        max_length=100_000,  # the language itself refuses far shorter texts, with a better message
        title="Program",
        description="Lines `name = expression`, then an expression; `a, b` gives several outputs.",
    )
    values: dict[str, float] = Field(
        default={"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.88},
        max_length=32,
        title="Values",
        description="Values of the inputs, by name; others keep their start value.",
    )
    output: int = Field(
        default=0, ge=0, le=LAST_OUTPUT, title="Output", description="Which output to differentiate, from 0."
    )
    mode: Literal["reverse", "forward"] = Field(
        default="reverse",
        title="Mode",
        description="Reverse: one sweep back from an output. Forward: one sweep on from an input.",
    )
    seed_input: str = Field(
        default="", max_length=24, title="With respect to", description="Forward mode: the input to follow."
    )
    order: Order = Field(
        default="topological",
        title="Order",
        description="Order of the reverse sweep. Only the topological one is both right and cheap.",
    )
    differentiate: str = Field(
        default="",
        max_length=24,
        title="First differentiate by",
        description="Replace the output by its derivative with respect to this input.",
    )
    step: int = Field(default=0, ge=0, le=5000, title="Step", description="The step shown first.")


@dataclass(frozen=True)
class InputGradient:
    """The derivative with respect to one input, found in independent ways.

    `swept` is what the steps on show arrived at: wrong if their order is, None where the sweep did not
    reach. The others: `backprop` and `forward_mode` from `autodiff`, `finite_difference` central.
    """

    name: str
    node: str
    value: float
    swept: float | None
    backprop: float
    forward_mode: float
    finite_difference: float

    @property
    def shown(self) -> float:
        """The figure the sweep arrived at, or backprop's for an input that it did not reach."""
        return self.backprop if self.swept is None else self.swept

    def agrees(self, found: float, tolerance: float = TOLERANCE) -> bool:
        """Whether a figure found in another way is backprop's, to a relative tolerance."""
        return difference(found, self.backprop) <= tolerance


def gradient_name(name: str) -> str:
    """What the derivative with respect to an input is called, in every table and check."""
    return f"d(output)/d({name})"


@dataclass(frozen=True)
class Costs:
    """Counted work for the whole Jacobian: n outputs by m inputs."""

    inputs: int
    outputs: int
    forward: Cost
    reverse: Cost
    path_visits: int  # visits that "every path" would need for the chosen output


@dataclass(frozen=True)
class GraphResult:
    setup: GraphSetup
    program: Program
    values: Mapping[str, float]  # of every input of the program, also of those no output depends on
    graph: Graph
    steps: tuple[Step, ...]
    inputs: tuple[InputGradient, ...]
    costs: Costs

    @property
    def sweep(self) -> str:
        """The sweep on show, by its usual name."""
        if self.setup.mode == "forward":
            return "forward mode"
        return "backprop" if self.setup.order == "topological" else self.setup.order

    def derivative(self, name: str) -> str:
        """What the derivative with respect to an input is called: ∂f/∂x, or ∂²f/∂x∂y."""
        several = len(self.program.outputs) > 1
        number = str(self.setup.output + 1).translate(SUBSCRIPTS) if several else ""
        first = self.setup.differentiate
        return f"∂²f{number}/∂{first}∂{name}" if first else f"∂f{number}/∂{name}"

    def summary(self) -> dict[str, float | int | str]:
        figures: dict[str, float | int | str] = {"output": self.graph.value}
        figures |= {gradient_name(entry.name): entry.backprop for entry in self.inputs}
        figures |= {
            "nodes": len(self.graph),
            "operations for the Jacobian, forward mode": self.costs.forward.total,
            "operations for the Jacobian, reverse mode": self.costs.reverse.total,
        }
        return figures

    def table(self) -> dict[str, list[Any]]:
        nodes = self.graph.nodes
        return {
            "node": [node.id for node in nodes],
            "name": [node.label.name or "" for node in nodes],
            "operator": [node.operator or "" for node in nodes],
            "inputs": [" ".join(node.inputs) for node in nodes],
            "value": [node.value for node in nodes],
            "gradient": [node.gradient for node in nodes],
        }


def run(setup: GraphSetup) -> GraphResult:
    """Evaluate and differentiate the program.

    Raises ExpressionError for a program outside the language, and ValueError where the setup names an
    input or an output that the program does not have, or where the graph is too large to be shown.
    """
    program = parse(setup.program)
    _validate(setup, program)
    values = input_values(program, setup.values)
    recording = record(program, values)
    outputs, chosen = recording.outputs, setup.output
    if setup.differentiate:
        outputs, chosen = [recording.gradient(setup.output, setup.differentiate)], 0
    graph = Graph.record(outputs, recording.labels, chosen)
    if len(graph) > LARGEST_GRAPH:
        raise ValueError(
            f"this makes a graph of {len(graph)} nodes, and at most {LARGEST_GRAPH} can be shown: "
            "shorten the program, or differentiate a part of it"
        )
    steps = _steps(setup, graph)
    return GraphResult(
        setup=setup,
        program=program,
        values=values,
        graph=graph,
        steps=tuple(steps),
        inputs=tuple(_input_gradients(setup, recording, outputs[chosen], graph, steps)),
        costs=_costs(graph),
    )


def parsed(program: str) -> Program | None:
    """The program, or None while it has an error (which `run` then reports)."""
    try:
        return parse(program)
    except ExpressionError:
        return None


def check(result: GraphResult) -> list[Check]:
    """The output and every input's derivative against torch.autograd in float64."""
    setup = result.setup
    reference = torch_reference(result.program, result.values, setup.output, setup.differentiate)
    figures = [("output", reference.value, result.graph.value)]
    figures += [
        (gradient_name(entry.name), reference.gradients[entry.name], entry.shown) for entry in result.inputs
    ]
    return [
        Check(name, reference.oracle, expected, found, difference(found, expected), TOLERANCE)
        for name, expected, found in figures
    ]


def _validate(setup: GraphSetup, program: Program) -> None:
    inputs = ", ".join(program.inputs) or "none"
    for name, purpose in ((setup.seed_input, "follow"), (setup.differentiate, "differentiate by")):
        if name and name not in program.inputs:
            raise ValueError(f"cannot {purpose} {name}: the inputs of this program are {inputs}")
    if setup.output >= len(program.outputs):
        raise ValueError(
            f"there is no output {setup.output}: this program has {len(program.outputs)}, counted from 0"
        )


def _steps(setup: GraphSetup, graph: Graph) -> list[Step]:
    if setup.mode == "reverse":
        return value_steps(graph) + cotangent_steps(graph, graph.differentiated, setup.order)
    leaves = {node.label.name: node.id for node in graph.inputs()}
    first = next(iter(leaves.values()), "")
    return tangent_steps(graph, leaves.get(setup.seed_input, "") if setup.seed_input else first)


def _input_gradients(
    setup: GraphSetup, recording: Recording, output: Scalar, graph: Graph, steps: list[Step]
) -> Iterator[InputGradient]:
    swept = _swept(setup, graph, steps)
    reverse = cotangents({output: 1.0})

    def function(*arguments: float) -> float:
        values = dict(zip(recording.inputs, arguments, strict=True))
        return evaluate_output(recording.program, values, setup.output, setup.differentiate)

    point = [leaf.value for leaf in recording.inputs.values()]
    nodes = {node.label.name: node.id for node in graph.inputs()}
    for index, (name, leaf) in enumerate(recording.inputs.items()):
        if name in nodes:
            yield InputGradient(
                name=name,
                node=nodes[name],
                value=leaf.value,
                swept=swept.get(nodes[name]),
                backprop=float(reverse.get(leaf, 0.0)),
                forward_mode=float(tangents([output], {leaf: 1.0}).get(output, 0.0)),
                finite_difference=central_difference(function, point, index),
            )


def _swept(setup: GraphSetup, graph: Graph, steps: list[Step]) -> dict[str, float]:
    """The derivative of the output by input node that the steps on show arrive at."""
    found = {node: gradient for step in steps for node, gradient in step.gradients.items()}
    if setup.mode == "reverse":
        return found
    seed = next((step.node for step in steps if step.kind == "seed"), "")
    return {seed: found.get(graph.differentiated, 0.0)}


def _costs(graph: Graph) -> Costs:
    leaves = [node.id for node in graph.inputs()]
    return Costs(
        inputs=len(leaves),
        outputs=len(graph.outputs),
        forward=cost(tangent_steps(graph, leaf) for leaf in leaves),
        reverse=cost(cotangent_steps(graph, output) for output in graph.outputs),
        path_visits=count_paths(graph, graph.differentiated),
    )


EXAMPLES: dict[str, GraphSetup] = {
    "neuron": GraphSetup(),
    "diamond": GraphSetup(program="u = x * x\nv = sin(u)\nu*v + u", values={"x": 1.5}),
    "softmax": GraphSetup(
        program=(
            "m = max(a, b, c)\n"
            "p = exp(a - m)\n"
            "q = exp(b - m)\n"
            "r = exp(c - m)\n"
            "s = p + q + r\n"
            "p/s, q/s, r/s"
        ),
        values={"a": 2.0, "b": 1.0, "c": 0.1},
    ),
    "2-2-1 net": GraphSetup(
        program=(
            "h1 = tanh(w11*x1 + w12*x2 + b1)\n"
            "h2 = tanh(w21*x1 + w22*x2 + b2)\n"
            "p = sigmoid(v1*h1 + v2*h2 + c)\n"
            "-(y*log(p) + (1 - y)*log(1 - p))"
        ),
        values={
            "x1": 1.0, "x2": -0.5, "w11": 0.8, "w12": -1.2, "b1": 0.1, "w21": -0.4, "w22": 0.9, "b2": -0.3,
            "v1": 1.5, "v2": -0.7, "c": 0.2, "y": 1.0,
        },
    ),
    "Rosenbrock": GraphSetup(program="(1 - x)**2 + 100*(y - x**2)**2", values={"x": -1.2, "y": 1.0}),
    "diamond chain": GraphSetup(
        program="a = x + sin(x)\nb = a + sin(a)\nc = b + sin(b)\nd = c + sin(c)\nd + sin(d)",
        values={"x": 0.3},
        order="every path",
    ),
}  # fmt: skip


STUDY = Study(
    name="graph",
    version=1,
    question="How does a derivative travel through a computation?",
    setup=GraphSetup,
    run=run,
    check=check,
)
