"""Containers of modules against torch, and networks made with them."""

from typing import Any

import numpy as np
import pytest
import torch

import engine
import engine.nn.functional as F  # noqa: N812
from engine import nn
from tests.engine.nn.against_torch import arrays, close, numbers
from tests.engine.nn.against_torch_modules import check_step, exchange, shapes

CLASSES = np.array([0, 4, 2])


def test_a_sequence_is_indexed() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    assert len(model) == 3
    assert model[-1] is model[2]
    assert list(model) == [model[0], model[1], model[2]]
    head = model[:2]
    assert isinstance(head, nn.Sequential)
    x = engine.randn(5, 3)
    assert model[2](head(x)).tolist() == model(x).tolist()
    model[1] = nn.Identity()
    assert isinstance(model[1], nn.Identity)
    assert model.append(nn.ReLU()) is model
    assert shapes(model.state_dict()) == shapes(model[:3].state_dict())
    with pytest.raises(IndexError, match="no module 4 in a Sequential of 4"):
        model[4]


def test_a_layer_used_twice() -> None:
    def twice(library: Any) -> Any:
        layer = library.Linear(3, 3)
        return library.Sequential(layer, library.Tanh(), layer)

    own, other = twice(nn), twice(torch.nn)
    assert len(own) == len(other) == 3
    assert list(own.state_dict()) == list(other.state_dict())
    assert len(list(own.parameters())) == 2
    exchange(own, other)
    check_step(own, other, *arrays(((2, 3),), dtype=np.float32))


def test_a_list_of_modules() -> None:
    def build(library: Any) -> Any:
        layers = library.ModuleList(library.Linear(2, 2) for _ in range(3))
        layers.append(library.Tanh())
        layers.extend([library.Linear(2, 1), library.ReLU()])
        return layers

    own, other = build(nn), build(torch.nn)
    assert repr(own) == repr(other)
    assert len(own) == 6
    assert [type(x).__name__ for x in own[1:4]] == [type(x).__name__ for x in other[1:4]]
    assert own[-2] is own[4]
    exchange(own, other)
    assert repr(nn.ModuleList()) == repr(torch.nn.ModuleList())


def test_a_dictionary_of_modules() -> None:
    def build(library: Any) -> Any:
        parts = library.ModuleDict({"left": library.Linear(2, 2)})
        parts["right"] = library.Tanh()
        return parts

    own, other = build(nn), build(torch.nn)
    assert repr(own) == repr(other)
    assert list(own) == list(own.keys()) == list(other.keys())
    assert [type(x).__name__ for x in own.values()] == ["Linear", "Tanh"]
    assert [name for name, _ in own.items()] == ["left", "right"]
    assert "left" in own
    assert len(own) == 2
    exchange(own, other)
    del own["left"]
    assert "left" not in own
    with pytest.raises(KeyError):
        own["left"]


def test_a_convolutional_network_trains_as_in_torch() -> None:
    def build(library: Any) -> Any:
        return library.Sequential(
            library.Conv2d(1, 4, 3, padding=1),
            library.BatchNorm2d(4),
            library.ReLU(),
            library.MaxPool2d(2),
            library.Conv2d(4, 6, 3),
            library.GELU(),
            library.AvgPool2d(2),
            library.Flatten(),
            library.Linear(6, 5),
        )

    own, other = build(nn).double(), build(torch.nn).double()
    exchange(own, other)
    images = numbers(3, 1, 8, 8)
    for _ in range(3):
        loss = nn.CrossEntropyLoss()(own(engine.tensor(images)), engine.tensor(CLASSES))
        expected = torch.nn.CrossEntropyLoss()(other(torch.tensor(images)), torch.tensor(CLASSES))
        close(loss, expected, 1e-10)
        own.zero_grad()
        other.zero_grad()
        loss.backward()
        expected.backward()
        with engine.no_grad():
            for parameter in own.parameters():
                parameter.sub_(parameter.grad, alpha=0.1)
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.sub_(parameter.grad, alpha=0.1)
    for x, y in zip(own.state_dict().values(), other.state_dict().values(), strict=True):
        close(x, y, 1e-9)


def test_a_transformer_block_has_torchs_second_derivatives() -> None:
    def build(library: Any) -> Any:
        class Block(library.Module):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.norm = library.LayerNorm(4)
                self.up = library.Linear(4, 8)
                self.gelu = library.GELU()
                self.down = library.Linear(8, 4)

            def forward(self, x: Any) -> Any:
                return x + self.down(self.gelu(self.up(self.norm(x))))

        return Block().double()

    own, other = build(nn), build(torch.nn)
    exchange(own, other)
    x, y = engine.tensor(numbers(3, 4), requires_grad=True), torch.tensor(numbers(3, 4), requires_grad=True)
    F.mse_loss(own(x), engine.zeros(3, 4, dtype=engine.float64)).backward(create_graph=True)
    loss = torch.nn.functional.mse_loss(other(y), torch.zeros(3, 4, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(loss, y, create_graph=True)
    penalty = (x.grad * x.grad).sum()
    close(penalty, (gradient * gradient).sum())
    own.zero_grad()
    penalty.backward()
    (gradient * gradient).sum().backward()
    for parameter, reference in zip(own.parameters(), other.parameters(), strict=True):
        if reference.grad is not None:
            close(parameter.grad, reference.grad)
