"""Reverse and forward mode against torch on random programs, and against each other."""

import gc
import itertools
import math
import random
import weakref
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.autodiff import backward, cotangents, tangents, topological_order
from engine.primitives import TABLE, cos, exp, neg, sin, tanh
from engine.recording import Recording, record
from engine.scalar import Scalar
from tests.engine.random_programs import MAX_NODES, RandomProgram, random_program
from tests.engine.reference import agree, gradients

BATCHES, BATCH = 20, 50  # 1,000 programs
CHAIN = 100_000


def batch(number: int) -> Iterator[RandomProgram]:
    return map(random_program, range(number * BATCH, (number + 1) * BATCH))


def weights(recording: Recording, seed: int = 0) -> dict[Scalar, float]:
    """A random cotangent for each output."""
    generator = random.Random(seed)
    return {output: generator.uniform(0.5, 2.0) for output in recording.outputs}


@pytest.mark.parametrize("number", range(BATCHES))
def test_gradients_of_random_programs_agree_with_torch(number: int) -> None:
    for program in batch(number):
        recording = record(program.program, program.inputs)
        seeds = weights(recording)
        leaves, outputs = program.run_by_torch()
        total = sum(weight * output for weight, output in zip(seeds.values(), outputs, strict=True))
        expected = [float(slope) for slope in gradients(total, list(leaves.values()))]

        swept_back = cotangents(seeds)
        reverse = [swept_back.get(leaf, 0.0) for leaf in recording.inputs.values()]
        assert agree(reverse, expected), program.listing()

        forward = []
        for leaf in recording.inputs.values():
            swept_on = tangents(recording.outputs, {leaf: 1.0})
            forward.append(sum(weight * swept_on.get(output, 0.0) for output, weight in seeds.items()))
        assert agree(forward, expected), program.listing()


def test_random_programs_are_worth_testing() -> None:
    """All operators, up to the size promised, values used twice, and gradients that are not trivial."""
    used: Counter[str] = Counter()
    sizes, reused, outputs, slopes = [], 0, Counter[int](), []
    for seed in range(0, BATCHES * BATCH, 5):
        program = random_program(seed)
        instructions = program.program.instructions
        arguments = Counter(argument for made in instructions for argument in made.arguments)
        recording = record(program.program, program.inputs)
        reached = topological_order(*recording.outputs)
        used.update({node.primitive.name for node in reached if node.primitive})
        found = cotangents(weights(recording))
        slopes += [abs(found[leaf]) for leaf in recording.inputs.values() if leaf in found]
        sizes.append(len(instructions))
        reused += max(arguments.values()) > 1
        outputs[len(recording.outputs)] += 1
    count = len(sizes)
    assert set(used) == set(TABLE)
    assert min(used.values()) >= 0.05 * count
    assert max(sizes) == MAX_NODES
    assert sum(sizes) / count > 25
    assert reused > 0.95 * count
    assert min(outputs[1], outputs[2]) > 0.1 * count
    assert sum(slope > 1e-3 for slope in slopes) > 0.8 * len(slopes)
    assert all(math.isfinite(slope) for slope in slopes)


def test_values_of_random_programs_are_those_of_python() -> None:
    for program in batch(0):
        recording = record(program.program, program.inputs)
        expected = [program.values[index] for index in program.program.outputs]
        assert [output.value for output in recording.outputs] == pytest.approx(expected, rel=1e-11, abs=1e-13)


def test_forward_and_reverse_mode_are_transposes() -> None:
    """w · (J t) = (Jᵀ w) · t for all inputs and outputs at once, in one sweep each."""
    generator = random.Random(3)
    for program in batch(1):
        recording = record(program.program, program.inputs)
        leaves = list(recording.inputs.values())
        directions = {leaf: generator.uniform(-1.0, 1.0) for leaf in leaves}
        seeds = weights(recording)
        pushed, pulled = tangents(recording.outputs, directions), cotangents(seeds)
        left = [weight * pushed.get(output, 0.0) for output, weight in seeds.items()]
        right = [direction * pulled.get(leaf, 0.0) for leaf, direction in directions.items()]
        scale = sum(map(abs, left + right))
        assert sum(left) == pytest.approx(sum(right), rel=1e-11, abs=1e-13 * scale)


def test_topological_order_has_every_node_once_after_its_inputs() -> None:
    for program in batch(2):
        recording = record(program.program, program.inputs)
        order = topological_order(*recording.outputs)
        positions = {node: position for position, node in enumerate(order)}
        assert len(positions) == len(order)
        assert all(positions[source] < positions[node] for node in order for source in node.inputs)
        assert all(output in positions for output in recording.outputs)


def test_topological_order_leaves_out_what_the_output_does_not_need() -> None:
    x, y = Scalar(1.0), Scalar(2.0)
    _beside = x * y
    output = sin(x)
    assert topological_order(output) == [x, output]
    assert topological_order(x, x, output) == [x, output]
    assert topological_order() == []


def test_nodes_inside_receive_their_gradient_too() -> None:
    x = Scalar(0.7)
    h = sin(x)
    y = h * h
    found = cotangents({y: 1.0})
    assert found[y] == 1.0
    assert found[h] == pytest.approx(2 * math.sin(0.7))
    assert found[x] == pytest.approx(math.sin(1.4))


def test_a_seed_may_lie_behind_another() -> None:
    """Seeds add to what arrives: d(2·sin x + 3·exp(sin x))/dx."""
    x = Scalar(0.3)
    inner = sin(x)
    outer = exp(inner)
    expected = (2.0 + 3.0 * math.exp(math.sin(0.3))) * math.cos(0.3)
    assert cotangents({inner: 2.0, outer: 3.0})[x] == pytest.approx(expected, rel=1e-14)
    assert cotangents({outer: 3.0, inner: 2.0})[x] == pytest.approx(expected, rel=1e-14)


def test_tangents_say_nothing_of_what_does_not_depend_on_the_seed() -> None:
    x, y = Scalar(1.0), Scalar(2.0)
    beside = exp(y)
    output = x * beside
    found = tangents([output], {x: 1.0})
    assert y not in found
    assert beside not in found
    assert found[output] == pytest.approx(math.exp(2.0))
    assert tangents([beside], {x: 1.0}) == {x: 1.0}


def test_forward_mode_may_start_at_a_node_inside() -> None:
    x = Scalar(0.5)
    h = x * x
    y = sin(h) + x
    assert tangents([y], {h: 1.0})[y] == pytest.approx(math.cos(0.25))


def test_constants_receive_no_gradient_and_cost_no_work() -> None:
    constant, x = Scalar(2.0, requires_grad=False), Scalar(3.0)
    idle = constant * constant
    output = x * idle
    assert set(cotangents({output: 1.0})) == {x, output}
    assert cotangents({idle: 1.0}) == {}


def test_forward_over_reverse_is_the_second_derivative() -> None:
    x = Scalar(0.4)
    gradient = cotangents({sin(x) * x: 1.0}, create_graph=True)[x]
    second = tangents([gradient], {x: 1.0})[gradient]
    assert second == pytest.approx(2 * math.cos(0.4) - 0.4 * math.sin(0.4), rel=1e-14)


def test_reverse_over_forward_is_the_second_derivative() -> None:
    x = Scalar(0.4)
    output = sin(x) * x
    slope = tangents([output], {x: 1.0}, create_graph=True)[output]
    assert slope.value == pytest.approx(math.sin(0.4) + 0.4 * math.cos(0.4), rel=1e-14)
    assert cotangents({slope: 1.0})[x] == pytest.approx(2 * math.cos(0.4) - 0.4 * math.sin(0.4), rel=1e-14)


finite = st.floats(-10.0, 10.0)


@given(finite, finite, finite)
def test_cotangents_are_linear_in_the_seed(point: float, p: float, q: float) -> None:
    x = Scalar(point)
    first, second = tanh(x) * x, cos(x)
    together = cotangents({first: p, second: q})[x]
    alone = cotangents({first: 1.0})[x], cotangents({second: 1.0})[x]
    assert together == pytest.approx(p * alone[0] + q * alone[1], rel=1e-12, abs=1e-12)


@given(finite, finite)
def test_addition_commutes_in_value_and_gradient(a: float, b: float) -> None:
    x, y = Scalar(a), Scalar(b)
    one, other = x * y + sin(x), sin(x) + x * y
    assert one.value == other.value
    assert cotangents({one: 1.0})[x] == cotangents({other: 1.0})[x]


@given(st.floats(allow_nan=False))
def test_negating_twice_changes_nothing(a: float) -> None:
    x = Scalar(a)
    twice = neg(neg(x))
    assert twice.value == a
    assert math.copysign(1.0, twice.value) == math.copysign(1.0, a)
    assert cotangents({twice: 1.0})[x] == 1.0


@given(st.lists(finite, min_size=1, max_size=20))
def test_the_gradient_of_a_sum_is_ones(values: list[float]) -> None:
    leaves = [Scalar(value) for value in values]
    total = leaves[0]
    for leaf in leaves[1:]:
        total = total + leaf
    assert [cotangents({total: 1.0})[leaf] for leaf in leaves] == [1.0] * len(leaves)


# ---- long chains, and what becomes of them


def chain(x: Scalar, length: int) -> Scalar:
    """x·0.99999 + 1e-6 and so on: `length` operators, and a derivative in closed form."""
    steps = itertools.cycle([lambda y: y * 0.99999, lambda y: y + 1e-6])
    for step in itertools.islice(steps, length):
        x = step(x)
    return x


def test_a_long_chain_neither_recurses_nor_loses_its_way() -> None:
    x = Scalar(1.0)
    y = chain(x, CHAIN)
    expected = 0.99999 ** (CHAIN // 2)
    backward(y)
    assert x.grad == pytest.approx(expected, rel=1e-9)
    assert tangents([y], {x: 1.0})[y] == pytest.approx(expected, rel=1e-9)
    assert len(topological_order(y)) == 2 * CHAIN + 1  # every operator has a constant beside it


def test_a_second_derivative_through_a_long_chain() -> None:
    x = Scalar(1.5)
    y = chain(x, 10_000)
    gradient = cotangents({y * y: 1.0}, create_graph=True)[x]
    assert cotangents({gradient: 1.0})[x] == pytest.approx(2.0 * 0.99999**10_000, rel=1e-9)


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
def test_a_long_chain_is_freed_by_reference_counting() -> None:
    x = Scalar(1.0)
    middle = chain(x, CHAIN // 2)
    y = chain(middle, CHAIN // 2)
    y.backward()
    seen = [weakref.ref(node) for node in (x, middle, y)]
    del x, middle, y
    assert [ref() for ref in seen] == [None, None, None]


@pytest.mark.usefixtures("_no_collector")
def test_no_sweep_leaves_reference_cycles() -> None:
    program = random_program(7)
    recording = record(program.program, program.inputs)
    found: object = cotangents(weights(recording))
    found = tangents(recording.outputs, dict.fromkeys(recording.inputs.values(), 1.0))
    found = recording.gradient(0, next(iter(program.inputs)))
    recording.outputs[0].backward()
    del recording, found
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    assert [item for item in gc.garbage if isinstance(item, Scalar)] == []
