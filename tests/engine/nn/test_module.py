"""Module: what it owns, its state and its changes, held against torch.nn.Module."""

import copy
import threading
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import nn
from engine.errors import DTypeError, InPlaceError
from tests.engine.nn.against_torch_modules import exchange, shapes


def network(library: Any, tensors: Any) -> Any:
    """A network with nested and shared parts, all kinds of buffers, and something that is None."""

    class Network(library.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first = library.Linear(3, 4)
            self.scale = library.Parameter(tensors.ones(4))
            self.register_parameter("nothing", None)
            self.register_buffer("steps", tensors.zeros(2))
            self.register_buffer("mask", tensors.ones(2, 2), persistent=False)
            self.register_buffer("absent", None)
            self.blocks = library.ModuleList([library.Linear(4, 4, bias=False), library.Tanh()])
            self.again = self.first
            self.inner = library.Sequential(library.BatchNorm1d(4), self.first)
            self.plain = 3

        def forward(self, x: Any) -> Any:
            x = self.first(x) * self.scale
            for block in self.blocks:
                x = block(x)
            return x

    return Network()


def pair() -> tuple[Any, Any]:
    return network(nn, engine), network(torch.nn, torch)


def test_lists_are_those_of_torch() -> None:
    own, other = pair()
    for listing in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        found = [name for name, _ in getattr(own, listing)()]
        assert found == [name for name, _ in getattr(other, listing)()], listing
    for listing in ("named_parameters", "named_buffers", "named_modules"):
        options = {"prefix": "net", "remove_duplicate": False}
        found = [name for name, _ in getattr(own, listing)(**options)]
        assert found == [name for name, _ in getattr(other, listing)(**options)], listing
    for listing in ("named_parameters", "named_buffers"):
        found = [name for name, _ in getattr(own, listing)(recurse=False)]
        assert found == [name for name, _ in getattr(other, listing)(recurse=False)], listing
    for listing in ("parameters", "buffers", "modules", "children"):
        assert len(list(getattr(own, listing)())) == len(list(getattr(other, listing)())), listing


def test_printing_is_that_of_torch() -> None:
    own, other = pair()
    assert repr(own) == repr(other)
    assert repr(nn.Module()) == repr(torch.nn.Module())


def test_state_goes_to_torch_and_back() -> None:
    exchange(*pair())


def test_state_shares_storage_without_history() -> None:
    own, _ = pair()
    state = own.state_dict()
    assert not any(x.requires_grad for x in state.values())
    with engine.no_grad():
        own.scale.fill_(7.0)
    assert state["scale"].tolist() == [7.0] * 4


def test_a_state_that_does_not_fit() -> None:
    own, other = pair()
    state = dict(other.state_dict())
    before = {name: x.tolist() for name, x in own.state_dict().items()}
    del state["scale"], state["steps"]
    state["stranger"] = torch.zeros(1)
    state["blocks.0.weight"] = torch.zeros(4, 5)
    with pytest.raises(RuntimeError) as raised:
        own.load_state_dict(state)
    message = str(raised.value)
    assert "missing in the state: scale, steps" in message
    assert "not in the module: stranger" in message
    assert "blocks.0.weight has shape (4, 5) in the state and (4, 4) in the module" in message
    with pytest.raises(RuntimeError, match=r"blocks\.0\.weight"):
        own.load_state_dict(state, strict=False)
    assert {name: x.tolist() for name, x in own.state_dict().items()} == before
    state["blocks.0.weight"] = torch.ones(4, 4)
    found = own.load_state_dict(state, strict=False)
    assert found.missing_keys == ["scale", "steps"]
    assert found.unexpected_keys == ["stranger"]
    assert own.blocks[0].weight.tolist() == [[1.0] * 4] * 4


def test_state_from_numpy_and_other_dtypes() -> None:
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1.5, 2.5]]), "bias": engine.tensor([3])})
    assert layer.weight.tolist() == [[1.5, 2.5]]
    assert layer.bias.tolist() == [3.0]
    assert layer.weight.dtype is engine.float32


def test_training_mode() -> None:
    own, _ = pair()
    assert own.training
    assert own.eval() is own
    assert not any(module.training for module in own.modules())
    own.train()
    assert all(module.training for module in own.modules())


def test_gradients_are_forgotten() -> None:
    own, _ = pair()
    own(engine.randn(2, 3)).sum().backward()
    assert own.scale.grad is not None
    own.zero_grad(set_to_none=False)
    assert own.scale.grad.tolist() == [0.0] * 4
    assert own.inner[0].weight.grad is None  # it had none
    own.zero_grad()
    assert all(x.grad is None for x in own.parameters())


def test_frozen() -> None:
    own, _ = pair()
    assert own.requires_grad_(False) is own
    assert not own(engine.randn(2, 3)).requires_grad
    own.requires_grad_()
    assert own(engine.randn(2, 3)).requires_grad


def test_apply_visits_children_first() -> None:
    own, other = pair()
    orders: list[list[str]] = [[], []]
    for module, order in zip((own, other), orders, strict=True):
        module.apply(lambda part, order=order: order.append(type(part).__name__))
    assert orders[0] == orders[1]


def test_conversion_keeps_the_parameters() -> None:
    own, _ = pair()
    own(engine.randn(2, 3)).sum().backward()
    before, shared = list(own.parameters()), own.first
    assert own.double() is own
    assert all(x is y for x, y in zip(own.parameters(), before, strict=True))
    assert own.again is shared
    assert all(x.dtype is engine.float64 and x.requires_grad for x in own.parameters())
    assert own.scale.grad.dtype is engine.float64
    assert own.inner[0].running_mean.dtype is engine.float64
    assert own.inner[0].num_batches_tracked.dtype is engine.int64
    assert own(engine.randn(2, 3, dtype=engine.float64)).dtype is engine.float64
    assert own.float().scale.dtype is engine.float32
    assert own.to(engine.float64).scale.dtype is engine.float64
    with pytest.raises(DTypeError, match="int64"):
        own.to(dtype=engine.int64)


def test_moved_to_another_backend() -> None:
    layer = nn.BatchNorm1d(2).to("reference")
    assert {x.device for x in (*layer.parameters(), *layer.buffers())} == {"reference"}
    assert layer(engine.randn(3, 2, device="reference")).device == "reference"


def test_a_copy_is_independent() -> None:
    own, _ = pair()
    copied = copy.deepcopy(own)
    assert shapes(copied.state_dict()) == shapes(own.state_dict())
    assert copied.first is copied.again is copied.inner[1]
    assert isinstance(copied.scale, nn.Parameter)
    with engine.no_grad():
        copied.scale.fill_(9.0)
    assert own.scale.tolist() == [1.0] * 4
    x = engine.randn(2, 3)
    copied.load_state_dict(own.state_dict())
    assert copied(x).tolist() == own(x).tolist()


def test_a_parameter() -> None:
    result = engine.ones(2, requires_grad=True) * 2.0
    parameter = nn.Parameter(result)
    assert parameter.is_leaf
    assert parameter.requires_grad
    assert parameter.shares_storage(result)
    assert isinstance(parameter, engine.Tensor)
    assert not nn.Parameter(result, requires_grad=False).requires_grad
    assert type(parameter * 1.0) is engine.Tensor
    assert repr(parameter).startswith("parameter(")
    with pytest.raises(DTypeError, match="int64"):
        nn.Parameter(engine.tensor([1, 2]))


def test_names_that_are_not_there() -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(AttributeError, match=r"Linear has no attribute 'wieght'; did you mean weight\?"):
        layer.wieght  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'quaternion'$"):
        layer.quaternion  # noqa: B018
    assert not hasattr(layer, "quaternion")


def test_forgotten_super() -> None:
    class Forgetful(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(1, 1)

        def forward(self, x: Any) -> Any:
            return self.layer(x)

    with pytest.raises(AttributeError, match=r"call super\(\)\.__init__\(\)"):
        Forgetful()(engine.ones(1))


def test_a_parameter_is_not_lost_by_assignment() -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(TypeError, match="'weight' is a parameter"):
        layer.weight = engine.zeros(2, 2)
    with pytest.raises(InPlaceError):
        layer.weight.fill_(0.0)
    layer.weight = nn.Parameter(engine.ones(2, 2))
    layer.bias = None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert layer(engine.ones(2)).tolist() == [2.0, 2.0]


def test_registering() -> None:
    module = nn.Module()
    module.register_parameter("weight", nn.Parameter(engine.ones(2)))
    module.add_module("child", nn.Identity())
    module.register_buffer("count", engine.tensor(0))
    assert list(module.state_dict()) == ["weight", "count"]
    module.count = engine.tensor(5)  # still the buffer
    assert module.state_dict()["count"].item() == 5
    for name in ("", "a.b", "forward"):
        with pytest.raises(KeyError):
            module.register_buffer(name, engine.tensor(0))
    with pytest.raises(TypeError, match="Parameter"):
        module.register_parameter("other", engine.ones(2))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Module"):
        module.add_module("other", 3)  # type: ignore[arg-type]


def test_forward_hooks() -> None:
    layer = nn.Linear(2, 3)
    seen: list[Any] = []
    x = engine.ones(1, 2)

    def note(module: Any, inputs: Any, output: Any) -> None:
        seen.append((module, inputs, output.shape))

    first = layer.register_forward_hook(note)
    second = layer.register_forward_hook(lambda module, inputs, output: output * 0.0)
    assert layer(x).tolist() == [[0.0] * 3]
    assert seen == [(layer, (x,), (1, 3))]
    second.remove()
    first.remove()
    first.remove()
    assert layer(x).tolist() != [[0.0] * 3]
    assert len(seen) == 1


def test_without_forward() -> None:
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)


def test_a_child_may_refer_to_its_parent() -> None:
    parent, child = nn.Linear(1, 1), nn.Linear(1, 1)
    parent.child, child.parent = child, parent
    assert [name for name, _ in parent.named_parameters()] == ["weight", "bias", "child.weight", "child.bias"]


def test_threads_use_one_module() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    x = engine.randn(3, 4)
    expected = model(x).tolist()
    found: list[Any] = []

    def use() -> None:
        found.extend(model(x).tolist() for _ in range(20))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    assert all(output == expected for output in found)
