"""Layers against torch: state, printing, forward and backward, in training and in use."""

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import nn
from engine.errors import ShapeError
from tests.engine.nn.against_torch import arrays, close, numbers
from tests.engine.nn.against_torch_modules import check_step, exchange

ROWS = np.array([[0, 3, 3], [1, 2, 0]])
CLASSES = np.array([0, 4, 2])

# how it is made, and the shapes (or numbers) it is called with
LAYERS: list[tuple[Any, tuple[Any, ...]]] = [
    (lambda n: n.Linear(5, 3), ((4, 5),)),
    (lambda n: n.Linear(5, 3, bias=False), ((2, 4, 5),)),
    (lambda n: n.Conv1d(3, 4, 3), ((2, 3, 7),)),
    (lambda n: n.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False), ((2, 4, 9),)),
    (lambda n: n.Conv2d(3, 4, 3), ((2, 3, 5, 6),)),
    (lambda n: n.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), ((2, 3, 5, 6),)),
    (lambda n: n.Conv2d(2, 2, 3, padding="same", groups=2, bias=False), ((1, 2, 4, 4),)),
    (lambda n: n.Embedding(5, 3), (ROWS,)),
    (lambda n: n.Embedding(5, 3, padding_idx=3), (ROWS,)),
    (lambda n: n.Embedding(5, 3, padding_idx=-2), (ROWS,)),
    (lambda n: n.LayerNorm(4), ((2, 3, 4),)),
    (lambda n: n.LayerNorm((3, 4), eps=0.1, bias=False), ((2, 3, 4),)),
    (lambda n: n.LayerNorm([4], elementwise_affine=False), ((2, 4),)),
    (lambda n: n.BatchNorm1d(3), ((6, 3),)),
    (lambda n: n.BatchNorm1d(3, eps=0.01, momentum=0.3), ((4, 3, 5),)),
    (lambda n: n.BatchNorm1d(3, momentum=None, affine=False), ((4, 3),)),
    (lambda n: n.BatchNorm2d(3), ((2, 3, 4, 2),)),
    (lambda n: n.BatchNorm2d(3, track_running_stats=False), ((2, 3, 4, 2),)),
    (lambda n: n.Flatten(), ((2, 3, 4),)),
    (lambda n: n.Flatten(0, 1), ((2, 3, 4),)),
    (lambda n: n.Identity(), ((2, 3),)),
    (lambda n: n.Identity(54, bias=3), ((2, 3),)),
    (lambda n: n.ReLU(), ((2, 3),)),
    (lambda n: n.GELU(), ((2, 3),)),
    (lambda n: n.GELU("tanh"), ((2, 3),)),
    (lambda n: n.Tanh(), ((2, 3),)),
    (lambda n: n.Sigmoid(), ((2, 3),)),
    (lambda n: n.SiLU(), ((2, 3),)),
    (lambda n: n.ELU(), ((2, 3),)),
    (lambda n: n.ELU(0.5), ((2, 3),)),
    (lambda n: n.LeakyReLU(), ((2, 3),)),
    (lambda n: n.LeakyReLU(0.2), ((2, 3),)),
    (lambda n: n.Softplus(), ((2, 3),)),
    (lambda n: n.Softplus(2.0, 0.5), ((2, 3),)),
    (lambda n: n.Softmax(0), ((2, 3),)),
    (lambda n: n.Softmax(dim=-1), ((2, 3),)),
    (lambda n: n.LogSoftmax(1), ((2, 3),)),
    (lambda n: n.MaxPool1d(2), ((2, 3, 5),)),
    (lambda n: n.MaxPool2d(2), ((2, 3, 5, 4),)),
    (lambda n: n.MaxPool2d((3, 2), (2, 1), (1, 0), 1, ceil_mode=True), ((2, 3, 5, 4),)),
    (lambda n: n.AvgPool2d(2), ((2, 3, 5, 4),)),
    (lambda n: n.AvgPool2d((3, 2), 1, 1, ceil_mode=True, count_include_pad=False), ((2, 3, 5, 4),)),
    (lambda n: n.AdaptiveAvgPool2d(1), ((2, 3, 5, 4),)),
    (lambda n: n.AdaptiveAvgPool2d((1, 2)), ((2, 3, 5, 4),)),
    (lambda n: n.MSELoss(), ((2, 3), (2, 3))),
    (lambda n: n.MSELoss(reduction="sum"), ((2, 3), (2, 3))),
    (lambda n: n.L1Loss(reduction="none"), ((2, 3), (2, 3))),
    (lambda n: n.BCEWithLogitsLoss(), ((2, 3), (2, 3))),
    (lambda n: n.CrossEntropyLoss(), ((3, 5), CLASSES)),
    (lambda n: n.CrossEntropyLoss(ignore_index=2, reduction="sum", label_smoothing=0.1), ((3, 5), CLASSES)),
    (lambda n: n.NLLLoss(), ((3, 5), CLASSES)),
    (lambda n: n.NLLLoss(ignore_index=4, reduction="none"), ((3, 5), CLASSES)),
    (lambda n: n.Sequential(), ((2, 3),)),
    (
        lambda n: n.Sequential(n.Linear(3, 4), n.Tanh(), n.Sequential(n.Linear(4, 2), n.Dropout(0.0))),
        ((2, 3),),
    ),
    (lambda n: n.Sequential(OrderedDict(first=n.Linear(3, 2), second=n.ReLU())), ((2, 3),)),
]
NAMES = [f"{k}-{type(make(torch.nn)).__name__}" for k, (make, _) in enumerate(LAYERS)]


@pytest.mark.parametrize(("make", "given"), LAYERS, ids=NAMES)
def test_layer(make: Any, given: Any) -> None:
    own, other = make(nn), make(torch.nn)
    assert repr(own) == repr(other)
    exchange(own, other)
    check_step(own, other, *arrays(given, dtype=np.float32))
    own.double()
    other.double()
    exchange(own, other)
    for step in range(3):
        own.zero_grad()
        other.zero_grad()
        check_step(own, other, *arrays(given, seed=step), tolerance=1e-10)
    own.eval()
    other.eval()
    own.zero_grad()
    other.zero_grad()
    check_step(own, other, *arrays(given, seed=9), tolerance=1e-10)


# apart from the others because torch prints this one layer's numbers as tuples
def test_mean_pool_of_sequences() -> None:
    own, other = (
        nn.AvgPool1d(2, 1, 1, count_include_pad=False),
        torch.nn.AvgPool1d(2, 1, 1, count_include_pad=False),
    )
    check_step(own, other, *arrays(((2, 3, 5),)))
    assert repr(nn.AvgPool1d(2)) == "AvgPool1d(kernel_size=2, stride=2, padding=0)"


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
def test_weights_of_classes(name: str) -> None:
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 5)
    own = getattr(nn, name)(engine.tensor(weight))
    other = getattr(torch.nn, name)(torch.tensor(weight))
    exchange(own, other)
    check_step(own, other, *arrays(((3, 5), CLASSES)))


def test_binary_losses() -> None:
    weight = np.random.default_rng(0).uniform(0.5, 2.0, (2, 3))
    own = nn.BCEWithLogitsLoss(engine.tensor(weight), pos_weight=engine.tensor(weight[1]), reduction="sum")
    other = torch.nn.BCEWithLogitsLoss(
        torch.tensor(weight), pos_weight=torch.tensor(weight[1]), reduction="sum"
    )
    exchange(own, other)
    check_step(own, other, *arrays(((2, 3), (2, 3))))
    target = np.array([[0.0, 1.0, 0.3], [1.0, 1.0, 0.0]])
    found = nn.BCELoss(engine.tensor(weight))(engine.tensor(weight / 2.5), engine.tensor(target))
    close(found, torch.nn.BCELoss(torch.tensor(weight))(torch.tensor(weight / 2.5), torch.tensor(target)))


def test_a_reduction_is_checked_when_the_loss_is_made() -> None:
    with pytest.raises(ValueError, match="'average'"):
        nn.MSELoss(reduction="average")


# ---- batch normalisation and dropout: what training changes


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
def test_batch_statistics_are_those_of_torch_over_many_steps(momentum: float | None) -> None:
    own, other = nn.BatchNorm2d(3, momentum=momentum), torch.nn.BatchNorm2d(3, momentum=momentum)
    own.double()
    other.double()
    for step in range(6):
        x = (step + 1.0) * numbers(4, 3, 2, 2, seed=step) + step
        assert own.num_batches_tracked.item() == step
        close(own(engine.tensor(x)), other(torch.tensor(x)), 1e-10)
        close(own.running_mean, other.running_mean)
        close(own.running_var, other.running_var)
        if step == 3:
            own.eval()
            other.eval()
            close(own(engine.tensor(x)), other(torch.tensor(x)))
            assert own.num_batches_tracked.item() == 4
            own.train()
            other.train()


def test_batch_norm_names_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"BatchNorm2d\(3\).*height.*\(4, 3\)"):
        nn.BatchNorm2d(3)(engine.zeros(4, 3))
    with pytest.raises(ShapeError, match=r"3 channels.*\(4, 2\)"):
        nn.BatchNorm1d(3)(engine.zeros(4, 2))


def test_dropout_only_in_training() -> None:
    engine.manual_seed(0)
    layer, x = nn.Dropout(0.4), engine.ones(1000)
    assert repr(layer) == repr(torch.nn.Dropout(0.4))
    assert 400 < (layer(x) == 0.0).sum().item() + 200 < 800
    assert layer.eval()(x) is x
    with pytest.raises(ValueError, match="between 0 and 1"):
        nn.Dropout(-0.1)


# ---- initial distributions


@pytest.mark.parametrize(
    ("make", "fan_in"),
    [
        (lambda: nn.Linear(50, 200), 50),
        (lambda: nn.Conv1d(8, 300, 5), 40),
        (lambda: nn.Conv2d(8, 300, (3, 2), groups=2), 24),
    ],
)
def test_weights_and_biases_start_uniform(make: Any, fan_in: int) -> None:
    """torch: kaiming_uniform_(a=√5) for the weight, uniform in ±1/√fan_in for the bias, which is the same."""
    engine.manual_seed(5)
    layer = make()
    bound = fan_in**-0.5
    for parameter in (layer.weight, layer.bias):
        values = parameter.numpy()
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.97 * bound
        spread = 5.0 * bound / np.sqrt(values.size)
        assert abs(values.mean()) < spread
        assert abs(values.std() - bound / 3**0.5) < spread


def test_other_initial_values() -> None:
    engine.manual_seed(5)
    embedding = nn.Embedding(500, 20, padding_idx=7)
    assert embedding.weight[7].tolist() == [0.0] * 20
    values = np.delete(embedding.weight.numpy(), 7, axis=0)
    assert abs(values.mean()) < 5.0 / values.size**0.5
    assert abs(values.std() - 1.0) < 5.0 / values.size**0.5
    attention = nn.MultiheadAttention(32, 4)
    bound = (6.0 / (32 + 96)) ** 0.5
    values = attention.in_proj_weight.numpy()
    assert 0.97 * bound < np.abs(values).max() <= bound
    assert attention.in_proj_bias.tolist() == [0.0] * 96
    assert attention.out_proj.bias.tolist() == [0.0] * 32


def test_the_seed_repeats_a_network() -> None:
    engine.manual_seed(11)
    first = nn.Sequential(nn.Linear(3, 4), nn.Conv1d(1, 2, 3)).state_dict()
    engine.manual_seed(11)
    second = nn.Sequential(nn.Linear(3, 4), nn.Conv1d(1, 2, 3)).state_dict()
    assert all(first[name].tolist() == second[name].tolist() for name in first)


def test_sizes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="3 groups"):
        nn.Conv2d(4, 6, 3, groups=3)
    with pytest.raises(ShapeError, match="Conv2d needs a number or 2"):
        nn.Conv2d(4, 6, (3, 3, 3))
    with pytest.raises(ShapeError, match=r"\(2, 4\).*in_features"):
        nn.Linear(5, 3)(engine.zeros(2, 4))
    with pytest.raises(ValueError, match="padding_idx"):
        nn.Embedding(3, 2, padding_idx=3)
    with pytest.raises(ShapeError, match="num_heads 3"):
        nn.MultiheadAttention(4, 3)
