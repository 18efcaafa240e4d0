"""A tensor's history: when it is kept, when it is freed, and what it costs."""

import gc
import resource
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import autograd, nn
from engine.functional import grad, hvp
from engine.linear import Reshape
from engine.tensor import Tensor


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Without the cyclic garbage collector, only reference counting frees anything."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def graph_of(*outputs: Any) -> list[weakref.ref[Any]]:
    """Weak references to every tensor in the history of some tensors, leaves excepted."""
    return [
        weakref.ref(node)
        for node in engine.topological_order(*outputs)
        if getattr(node, "primitive", None) is not None
    ]


# ---- freed by reference counting

PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    "elementwise": lambda x, y: (engine.tanh(x) * 2 + x / (1 + x * x)).sum(),
    "broadcast": lambda x, y: (x + y[0]).mean(),
    "products": lambda x, y: (x @ y.T).exp().sum() + engine.einsum("ij,kj->", x, y),
    "views": lambda x, y: (x.T.reshape(2, 6)[:, 1:].unsqueeze(1).expand(2, 3, 5) ** 2).sum(),
    "indexing": lambda x, y: x[0, 1] + x[[0, 0, 2]].sum() + x[x > 0].sum() + x[:, None, ::2].sum(),
    "putting together": lambda x, y: engine.cat([x, y, x]).sum() + engine.stack([x, y]).amax(),
    "reductions": lambda x, y: (
        x.softmax(1).log().sum() + x.var() + x.max(1).values.sum() + x.cumsum(0).prod()
    ),
    "choices": lambda x, y: engine.where(x > y, x, y).clamp(-1, 1).sum(),
}


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_graph_dies_with_its_output(name: str, create_graph: bool) -> None:
    x = (engine.rand(3, 4) + 0.5).requires_grad_()
    y = engine.rand(3, 4).requires_grad_()
    loss = PROGRAMS[name](x, y)
    loss.backward(create_graph=create_graph)
    nodes = graph_of(loss)
    assert len(nodes) > 2
    assert all(node() is not None for node in nodes)
    x.grad = y.grad = None  # with create_graph a gradient is a result of the graph
    del loss
    assert [node() for node in nodes if node() is not None] == []


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("create_graph", [False, True])
def test_the_graph_of_a_network_dies_with_its_loss(create_graph: bool) -> None:
    with engine.backend("reference"):
        layers = [nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
        network = nn.Sequential(*layers, nn.Linear(12, 4))
        output = network(engine.rand(5, 2, 4, 4))
        loss = nn.functional.cross_entropy(output, engine.tensor([0, 1, 2, 3, 0]))
    loss.backward(create_graph=create_graph)
    nodes = graph_of(loss)
    for parameter in network.parameters():
        assert parameter.grad is not None
        parameter.grad = None
    del loss, output
    assert [node() for node in nodes if node() is not None] == []


@pytest.mark.usefixtures("no_collector")
def test_the_graphs_of_functional_derivatives_die_too() -> None:
    nodes: list[weakref.ref[Any]] = []

    def loss(x: Any) -> Any:
        total = (engine.tanh(x) ** 3).sum()
        nodes.extend(graph_of(total))
        return total

    x, w = engine.rand(3), engine.rand(3).requires_grad_()
    results = [grad(loss)(x), grad(lambda x: (grad(loss)(x) ** 2).sum())(x), hvp(loss, x, x)]
    assert len(nodes) == 9
    assert [node() for node in nodes if node() is not None] == []
    results = [grad(lambda x: loss(x * w))(x)]  # depends on w: has a history
    assert any(node() is not None for node in nodes[9:])
    results.clear()
    assert [node() for node in nodes if node() is not None] == []


@pytest.mark.usefixtures("no_collector")
def test_a_failed_operation_leaves_nothing_behind() -> None:
    x = engine.ones(2, 3, requires_grad=True)
    hidden = x * 2
    node = weakref.ref(hidden)
    with pytest.raises(engine.ShapeError):
        hidden @ hidden
    del hidden
    assert node() is None


# ---- memory over time


def resident() -> int:
    """Bytes of main memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def steps_of_backward() -> Callable[[], None]:
    """SGD on an MLP, by backward()."""
    x, y = engine.randn(16, 2), engine.randn(16, 1)
    parameters = [engine.randn(*shape).requires_grad_() for shape in [(2, 8), (8,), (8, 1), (1,)]]
    w1, b1, w2, b2 = parameters

    def step() -> None:
        loss = ((engine.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean()
        loss.backward()
        with engine.no_grad():
            for parameter in parameters:
                parameter -= 0.01 * parameter.grad
                parameter.grad = None

    return step


def steps_of_functions() -> Callable[[], None]:
    """The same as a function of its parameters, with views and higher derivatives."""
    x = engine.randn(16, 2)
    state = [engine.randn(2, 8), engine.randn(8)]

    def loss(w: Any, b: Any) -> Any:
        return (engine.cat([engine.tanh(x @ w + b)[:, ::2], x], 1) ** 2).mean()

    def step() -> None:
        partials = grad(loss)(*state)
        hvp(loss, state, partials)
        state[:] = [value - 0.01 * partial for value, partial in zip(state, partials, strict=True)]

    return step


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("steps", [steps_of_backward, steps_of_functions])
def test_training_does_not_grow(steps: Callable[[], Callable[[], None]]) -> None:
    """1,000 steps take less than 5 MB, without the cyclic collector ever running."""
    step = steps()
    for _ in range(100):  # caches, compiled kernels
        step()
    before = resident()
    for _ in range(1000):
        step()
    assert resident() - before < 5e6


# ---- long chains


def test_backward_through_a_long_chain() -> None:
    x = engine.tensor(1.0, dtype="float64", requires_grad=True)
    y = x
    for _ in range(50_000):
        y = y * 1.00001
    y.backward()
    assert x.grad.item() == pytest.approx(1.00001**50_000, rel=1e-9)
    (by_function,) = autograd.grad(y, x)
    assert by_function.item() == x.grad.item()


@pytest.mark.usefixtures("no_collector")
def test_freeing_a_long_chain_does_not_recurse() -> None:
    """A million nodes, each held by the next one only; a recursion that deep would end the process."""
    primitive, value = Reshape(()), engine.tensor(1.0).value
    start = Tensor(value, requires_grad=True)
    node = start
    for _ in range(1_000_000):
        following = Tensor(value, requires_grad=True)
        following.primitive, following.inputs = primitive, (node,)
        node = following
    watched = weakref.ref(node.inputs[0])
    reference = weakref.ref(start)
    del node, following, start
    assert watched() is None
    assert reference() is None


# ---- gradients of nodes


def test_leaves_add_up_over_calls_and_every_node_keeps_its_gradient() -> None:
    values = np.linspace(-1.0, 1.0, 6).reshape(2, 3)
    kept: list[list[Any]] = []
    for lib in (engine, torch):
        x = lib.tensor(values)
        x.requires_grad_()
        hidden = lib.tanh(x * 2)
        column = hidden[:, 1]
        loss = (column * column).sum() + hidden.sum()
        if lib is torch:
            for node in (hidden, column, loss):
                node.retain_grad()
        loss.backward(retain_graph=True)
        first = [node.grad.numpy().copy() for node in (hidden, column, loss)]
        hidden.sum().backward()
        kept.append([*first, x.grad.numpy()])
    for ours, theirs in zip(*kept, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_the_gradient_of_a_leaf_can_be_differentiated_again() -> None:
    x = engine.tensor([1.0, -2.0], requires_grad=True)
    hidden = x * x
    (hidden * hidden).sum().backward(create_graph=True)
    first, x.grad = x.grad, None
    assert first.tolist() == [4.0, -32.0]
    assert not hidden.grad.requires_grad
    first.sum().backward()
    assert x.grad.tolist() == [12.0, 48.0]


def test_the_gradient_of_a_result_is_that_of_the_last_call() -> None:
    x = engine.ones(2, requires_grad=True)
    hidden = x * 3
    hidden.sum().backward()
    (hidden * 10).sum().backward()
    assert hidden.grad.tolist() == [10.0, 10.0]
    assert x.grad.tolist() == [33.0, 33.0]


# ---- whether history is kept


@pytest.mark.parametrize("lib", [engine, torch])
def test_grad_modes_nest_as_managers_and_decorators(lib: Any) -> None:
    x = lib.ones(2, requires_grad=True)

    @lib.no_grad()
    def quiet(value: Any) -> bool:
        return (value * 2).requires_grad

    @lib.enable_grad()
    def recorded(value: Any) -> bool:
        return (value * 2).requires_grad

    @lib.set_grad_enabled(False)
    def set_quiet(value: Any) -> bool:
        return (value * 2).requires_grad

    assert (quiet(x), recorded(x), lib.is_grad_enabled()) == (False, True, True)
    with lib.set_grad_enabled(True):
        assert set_quiet(x) is False
    with lib.no_grad():
        assert not (x * 2).requires_grad
        assert (x * 2).is_leaf
        assert recorded(x) is True
        with lib.enable_grad():
            assert quiet(x) is False
            assert (x * 2).requires_grad
            with lib.set_grad_enabled(False):
                assert not lib.is_grad_enabled()
            assert lib.is_grad_enabled()
        assert not lib.is_grad_enabled()
    with pytest.raises(ZeroDivisionError), lib.no_grad():
        raise ZeroDivisionError
    assert lib.is_grad_enabled()


def test_a_bare_decorator_and_a_recursive_one() -> None:
    @engine.no_grad
    def depth(n: int) -> int:
        assert not engine.is_grad_enabled()
        return 1 + depth(n - 1) if n else 0

    assert depth(5) == 5
    assert engine.is_grad_enabled()


def in_thread(function: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def test_grad_mode_is_private_to_a_thread() -> None:
    with engine.no_grad():
        assert in_thread(engine.is_grad_enabled)
        assert not engine.is_grad_enabled()
    entered, left = threading.Event(), threading.Event()

    def hold() -> None:
        with engine.no_grad():
            entered.set()
            left.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(10)
    assert (engine.ones(2, requires_grad=True) * 2).requires_grad
    left.set()
    thread.join()


def test_one_decorated_function_in_many_threads() -> None:
    @engine.no_grad()
    def quiet(x: Any) -> bool:
        return (x * 2).requires_grad

    def work(_: int) -> list[bool]:
        x = engine.ones(2, requires_grad=True)
        return [mode for _ in range(50) for mode in (quiet(x), (x * 2).requires_grad)]

    with ThreadPoolExecutor(4) as pool:
        assert all(modes == [False, True] * 50 for modes in pool.map(work, range(8)))


def test_seeds_are_private_to_a_thread() -> None:
    def drawn(seed: int) -> list[float]:
        engine.manual_seed(seed)
        return [engine.rand(1).item() for _ in range(20)]

    alone = {seed: drawn(seed) for seed in range(4)}
    engine.manual_seed(7)
    first = engine.rand(3).tolist()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(drawn, range(4))) == list(alone.values())
    second = engine.rand(3).tolist()
    engine.manual_seed(7)
    assert [engine.rand(3).tolist(), engine.rand(3).tolist()] == [first, second]


def test_threads_differentiate_a_shared_leaf_alike() -> None:
    weight = engine.rand(4, 4).requires_grad_()
    x = engine.rand(4)

    def work(_: int) -> list[Any]:
        return [autograd.grad((weight @ x).tanh().sum(), weight)[0].tolist() for _ in range(20)]

    expected = work(0)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(work, range(8)))
    assert weight.grad is None
