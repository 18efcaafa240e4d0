"""What a user sees of `engine.compile`: the same results as without it, and as torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import nn
from engine.compiler import background
from engine.errors import DimensionError, TraceError

STEPS = 12


def perceptron(library: Any, *extra: Any) -> Any:
    nn = library.nn
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), *extra, nn.Linear(8, 4))


def twins(build: Callable[[Any], Any]) -> tuple[Any, Any]:
    """The same module in engine and torch."""
    theirs = build(torch)
    ours = build(engine)
    ours.load_state_dict({name: engine.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    return ours, theirs


def training_step(library: Any, model: Any, optimizer: Any) -> Callable[..., Any]:
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = library.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def batches(count: int, size: int = 16) -> list[tuple[Any, Any]]:
    random = np.random.default_rng(0)
    return [
        (random.normal(size=(size, 3)).astype(np.float32), random.integers(0, 4, size)) for _ in range(count)
    ]


OPTIMISERS: dict[str, Callable[[Any, Any], Any]] = {
    "SGD": lambda library, p: library.optim.SGD(p, lr=0.1),
    "SGD with momentum": lambda library, p: library.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "Nesterov": lambda library, p: library.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda library, p: library.optim.Adam(p, lr=0.01),
    "AdamW": lambda library, p: library.optim.AdamW(p, lr=0.01),
    "AMSGrad": lambda library, p: library.optim.Adam(p, lr=0.01, amsgrad=True),
    "Adagrad": lambda library, p: library.optim.Adagrad(p, lr=0.1, lr_decay=0.1),
    "RMSprop": lambda library, p: library.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
}


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_training_goes_as_in_torch(optimiser: str) -> None:
    """Also while the learning rate changes from step to step."""
    torch.manual_seed(0)
    ours, theirs = twins(perceptron)
    choose = OPTIMISERS[optimiser]
    optimizers = choose(engine, ours.parameters()), choose(torch, theirs.parameters())
    step = engine.compile(training_step(engine, ours, optimizers[0]), wait=True)
    expected = training_step(torch, theirs, optimizers[1])
    for k, (x, y) in enumerate(batches(STEPS)):
        found = step(engine.tensor(x), engine.tensor(y))
        assert found.item() == pytest.approx(expected(torch.tensor(x), torch.tensor(y)).item(), rel=1e-5)
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] *= 0.9 if k % 2 else 1.05
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert np.allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-4, atol=1e-6)
    (executable,) = step.executables()
    assert executable.is_compiled


def test_a_hundred_steps() -> None:
    """Parameters go where torch's go, to five digits."""
    torch.manual_seed(0)

    def network(library: Any) -> Any:
        nn = library.nn
        return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))

    ours, theirs = twins(network)
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    given = points, points[:, :1] * points[:, 1:]

    def step_of(library: Any, model: Any) -> Callable[..., Any]:
        optimizer = library.optim.SGD(model.parameters(), lr=0.05)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = ((model(x) - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return step

    compiled, expected = engine.compile(step_of(engine, ours), wait=True), step_of(torch, theirs)
    compiled.repeat(100, *map(engine.tensor, given))
    for _ in range(100):
        expected(*map(torch.tensor, given))
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert np.allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_other_options_are_noticed() -> None:
    """Options that decide what is computed, and train() or eval(), lead to another trace."""
    torch.manual_seed(0)
    ours, theirs = twins(lambda library: perceptron(library, library.nn.BatchNorm1d(8)))
    optimizers = [
        library.optim.SGD(m.parameters(), lr=0.1) for library, m in ((engine, ours), (torch, theirs))
    ]
    step = engine.compile(training_step(engine, ours, optimizers[0]), wait=True)
    expected = training_step(torch, theirs, optimizers[1])
    for k, (x, y) in enumerate(batches(STEPS)):
        if k == 4:
            for optimizer in optimizers:
                optimizer.param_groups[0]["weight_decay"] = 0.1
        if k == 8:
            ours.eval()
            theirs.eval()
        found = step(engine.tensor(x), engine.tensor(y))
        assert found.item() == pytest.approx(expected(torch.tensor(x), torch.tensor(y)).item(), rel=1e-5)
    for (name, found), wanted in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        assert np.allclose(found.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-6), name


def test_new_shapes_are_traced_and_compile_nothing() -> None:
    """Kernels take lengths as numbers: another batch size uses those that are there."""
    model = perceptron(engine)
    step = engine.compile(
        training_step(engine, model, engine.optim.SGD(model.parameters(), lr=0.1)), wait=True
    )
    for size in (16, 16, 7, 7, 30, 30):
        ((x, y),) = batches(1, size)
        step(engine.tensor(x), engine.tensor(y))
    sources = [{kernel.source for kernel in made.kernels.values()} for made in step.executables()]
    assert len(sources) == 3
    assert sources[0] == sources[1] == sources[2]


def test_dropout_is_drawn_afresh() -> None:
    """And from the seed: the same numbers as without compiling."""
    x = engine.ones(50, 8)

    def noisy(x: Any) -> Any:
        return nn.functional.dropout(x, 0.5)

    compiled = engine.compile(noisy, wait=True)
    compiled(x)
    engine.manual_seed(3)
    found = [compiled(x).tolist() for _ in range(3)]
    engine.manual_seed(3)
    assert found == [noisy(x).tolist() for _ in range(3)]
    assert found[0] != found[1]


def test_gradients_are_left_in_leaves() -> None:
    """What is not used up in an update is there afterwards, and adds up as ever."""
    weight = engine.tensor([1.0, 2.0], requires_grad=True)
    x = engine.tensor([3.0, 5.0], requires_grad=True)

    def backward(x: Any) -> None:
        weight.grad = None
        (weight * weight * x).sum().backward()

    compiled = engine.compile(backward, wait=True)
    for _ in range(3):
        x.grad = None
        compiled(x)
        assert weight.grad is not None
        assert weight.grad.tolist() == [6.0, 20.0]
        assert x.grad is not None
        assert x.grad.tolist() == [1.0, 4.0]


def test_results_keep_their_structure() -> None:
    def function(x: Any, scale: float) -> Any:
        return {"double": x * 2, "pair": (x.sum(), [x[0], "text"]), "scale": scale}

    compiled = engine.compile(function, wait=True)
    x = engine.tensor([1.0, 2.0])
    for scale in (1.0, 1.0, 2.0, 1, 1, True, True):
        found = compiled(x, scale)
        assert found["double"].tolist() == [2.0, 4.0]
        assert found["pair"][0].item() == 3.0
        assert found["pair"][1][0].item() == 1.0
        assert found["pair"][1][1] == "text"
        assert found["scale"] == scale
        assert type(found["scale"]) is type(scale)


def test_results_are_not_overwritten_by_the_next_call() -> None:
    compiled = engine.compile(lambda x: x * 2, wait=True)
    compiled(engine.ones(3))
    first = compiled(engine.ones(3))
    compiled(engine.zeros(3))
    assert first.tolist() == [2.0, 2.0, 2.0]


def test_arguments_may_be_views() -> None:
    compiled = engine.compile(lambda x: x + 1.0, wait=True)
    x = engine.arange(6).reshape(2, 3).float()
    for _ in range(2):
        assert compiled(x.T).tolist() == (x.T + 1.0).tolist()
        assert compiled(x[:, 1:]).tolist() == (x[:, 1:] + 1.0).tolist()


def test_values_cannot_be_asked_for() -> None:
    def branch(x: Any) -> Any:
        return x if x.sum() > 0 else -x

    compiled = engine.compile(branch, wait=True)
    x = engine.ones(3)
    compiled(x)
    with pytest.raises(TraceError, match="where"):
        compiled(x)
    assert branch(x).tolist() == [1.0, 1.0, 1.0]  # and nothing is left in a state of being traced


def test_gradients_must_be_cleared() -> None:
    weight = engine.ones(2, requires_grad=True)
    compiled = engine.compile(lambda x: (weight * x).sum().backward(), wait=True)
    compiled(engine.ones(2))
    with pytest.raises(TraceError, match="zero_grad"):
        compiled(engine.ones(2))


def test_what_is_made_inside_is_made_in_each_call() -> None:
    def total(x: Any) -> Any:
        found = engine.zeros(3)
        for row in (x[0], x[1]):
            found.add_(row)
        return found

    compiled = engine.compile(total, wait=True)
    for _ in range(4):
        assert compiled(engine.ones(2, 3)).tolist() == [2.0, 2.0, 2.0]


def test_what_cannot_be_compiled_says_so() -> None:
    with pytest.raises(TraceError, match="clone"):
        _twice(lambda x: x.add_(1.0), engine.ones(2))
    with pytest.raises(TraceError, match="reference"):
        _twice(lambda x: x + 1.0, engine.ones(2, device="reference"))
    elsewhere = engine.ones(2, device="reference")
    with pytest.raises(TraceError, match="reference"):
        _twice(lambda x: (x, elsewhere + 1.0), engine.ones(2))


def test_memory_that_is_shared_unseen_is_refused() -> None:
    """Two tensors on one numpy array; and an argument that is what the function overwrites."""
    memory = np.zeros(6, np.float32)
    first, second = engine.from_numpy(memory[:4]), engine.from_numpy(memory[2:])

    def update(x: Any) -> Any:
        with engine.no_grad():
            first.add_(x)
        return second * 2.0

    with pytest.raises(TraceError, match="share memory"):
        _twice(update, engine.ones(4))

    state = engine.zeros(4)

    def add(x: Any) -> Any:
        with engine.no_grad():
            state.add_(x)
        return x * 2.0

    compiled = engine.compile(add, wait=True)
    for _ in range(3):
        assert compiled(engine.ones(4)).tolist() == [2.0] * 4
    for argument in (state, state.view(2, 2).view(4)):
        with pytest.raises(TraceError, match="clone"):
            compiled(argument)
    assert state.tolist() == [3.0] * 4  # nothing was done
    assert compiled(state.clone()).tolist() == [6.0] * 4


def test_memory_may_be_shared_by_what_is_only_read() -> None:
    memory = np.arange(6, dtype=np.float32)
    first, second = engine.from_numpy(memory[:4]), engine.from_numpy(memory[2:])
    compiled = engine.compile(lambda x: x * first + second, wait=True)
    for _ in range(3):
        assert compiled(first).tolist() == [2.0, 4.0, 8.0, 14.0]


def test_replaced_storage_is_noticed() -> None:
    weight = engine.tensor([1.0, 2.0])
    compiled = engine.compile(lambda x: x * weight, wait=True)
    for _ in range(3):
        assert compiled(engine.ones(2)).tolist() == [1.0, 2.0]
    weight.data = engine.tensor([5.0, 6.0])
    assert compiled(engine.ones(2)).tolist() == [5.0, 6.0]

    def replace(x: Any) -> None:
        weight.data = x

    with pytest.raises(TraceError, match="copy_"):
        _twice(replace, engine.ones(2))


def _twice(function: Callable[..., Any], x: Any) -> None:
    compiled = engine.compile(function, wait=True)
    compiled(x)
    compiled(x)


def test_places_are_checked_in_each_call() -> None:
    table = engine.randn(5, 2)
    compiled = engine.compile(lambda rows: table[rows] * 2, wait=True)
    for _ in range(2):
        assert compiled(engine.tensor([4, 0])).tolist() == (table[[4, 0]] * 2).tolist()
    with pytest.raises(DimensionError, match="7"):
        compiled(engine.tensor([1, 7]))
    assert compiled(engine.tensor([-1, 1])).tolist() == (table[[4, 1]] * 2).tolist()


def test_compiled_in_the_background() -> None:
    """Calls give the same before and after the kernels arrive."""
    torch.manual_seed(0)
    ours, theirs = twins(perceptron)
    optimizers = [
        library.optim.Adam(m.parameters(), lr=0.01) for library, m in ((engine, ours), (torch, theirs))
    ]
    step = engine.compile(training_step(engine, ours, optimizers[0]))
    expected = training_step(torch, theirs, optimizers[1])
    for k, (x, y) in enumerate(batches(STEPS)):
        found = step(engine.tensor(x), engine.tensor(y))
        assert found.item() == pytest.approx(expected(torch.tensor(x), torch.tensor(y)).item(), rel=1e-5)
        if k == STEPS // 2:
            background.settle()
            assert step.executables()[0].is_compiled


def test_many_threads() -> None:
    """One compiled function called by many threads, while others are compiled."""
    weight = engine.randn(8, 8)
    shared = engine.compile(lambda x: (x @ weight).tanh().sum(0))
    wrong: list[str] = []

    def work(seed: int) -> None:
        own = engine.compile(lambda x: (x * seed).exp().mean())
        random = np.random.default_rng(seed)
        for _ in range(30):
            x = engine.tensor(random.normal(size=(5, 8)).astype(np.float32))
            expected = np.tanh(x.numpy() @ weight.numpy()).sum(0)
            if not np.allclose(shared(x).numpy(), expected, atol=1e-5):
                wrong.append("shared")
            if not np.allclose(own(x * 0.1).item(), np.exp(x.numpy() * 0.1 * seed).mean(), rtol=1e-4):
                wrong.append("own")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    background.settle()
    assert wrong == []
