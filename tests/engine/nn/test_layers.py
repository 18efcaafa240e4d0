"""Layers against torch: state, printing, forward and backward, in training and in use."""

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch

import engine
import engine.nn.functional as F  # noqa: N812
from engine import nn
from engine.errors import ShapeError
from tests.engine.nn.against_torch import close, numbers
from tests.engine.nn.against_torch_modules import check_step, exchange, shapes

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


def arrays(given: tuple[Any, ...], seed: int = 0, dtype: Any = np.float64) -> list[Any]:
    return [
        numbers(*x, seed=seed + k).astype(dtype) if isinstance(x, tuple) else x for k, x in enumerate(given)
    ]


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


# ---- attention


def attention_pair(**options: Any) -> tuple[Any, Any]:
    own, other = nn.MultiheadAttention(6, 2, **options), torch.nn.MultiheadAttention(6, 2, **options)
    if other.in_proj_bias is not None:  # torch starts biases as 0, which would hide a mistake
        torch.nn.init.normal_(other.in_proj_bias)
        torch.nn.init.normal_(other.out_proj.bias)
    own.double()
    other.double()
    exchange(own, other)
    return own, other


ATTENDED = [
    (((3, 4, 6),) * 3, {}),
    (((3, 4, 6), (3, 5, 6), (3, 5, 6)), {}),
    (((4, 6), (5, 6), (5, 6)), {}),
]


@pytest.mark.parametrize(("given", "_"), ATTENDED)
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("average", [True, False])
def test_attention(given: Any, _: Any, batch_first: bool, bias: bool, average: bool) -> None:
    own, other = attention_pair(batch_first=batch_first, bias=bias)
    if not batch_first and len(given[0]) == 3:
        given = [(shape[1], shape[0], shape[2]) for shape in given]
    inputs = arrays(tuple(given))
    check_step(own, other, *inputs)
    _, found = own(*map(engine.tensor, inputs), average_attn_weights=average)
    _, expected = other(*map(torch.tensor, inputs), average_attn_weights=average)
    close(found, expected)
    output, nothing = own(*map(engine.tensor, inputs), need_weights=False)
    close(output, other(*map(torch.tensor, inputs), need_weights=False)[0])
    assert nothing is None


def test_self_attention_of_one_tensor() -> None:
    own, other = attention_pair(batch_first=True)
    x = numbers(3, 4, 6)
    ours, theirs = engine.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    found, expected = own(ours, ours, ours)[0], other(theirs, theirs, theirs)[0]
    close(found, expected)
    (found * found).sum().backward()
    (expected * expected).sum().backward()
    close(ours.grad, theirs.grad)
    for parameter, reference in zip(own.parameters(), other.parameters(), strict=True):
        close(parameter.grad, reference.grad)


CAUSAL = np.triu(np.ones((4, 5), bool), 1)
PADDING = np.array([[False] * 5, [False, False, True, True, False], [False, False, False, False, True]])
HEADS = np.random.default_rng(6).random((6, 4, 5)) < 0.3
HEADS[..., 0] = False


@pytest.mark.parametrize(
    "masks",
    [
        {"attn_mask": CAUSAL},
        {"attn_mask": numbers(4, 5)},
        {"attn_mask": HEADS},
        {"attn_mask": numbers(6, 4, 5)},
        {"key_padding_mask": PADDING},
        {"key_padding_mask": numbers(3, 5)},
        {"key_padding_mask": PADDING, "attn_mask": HEADS},
        {"key_padding_mask": PADDING, "attn_mask": CAUSAL},
    ],
)
def test_masks(masks: dict[str, Any]) -> None:
    own, other = attention_pair(batch_first=True)
    inputs = arrays(((3, 4, 6), (3, 5, 6), (3, 5, 6)))
    found = own(*map(engine.tensor, inputs), **{name: engine.tensor(mask) for name, mask in masks.items()})
    expected = other(*map(torch.tensor, inputs), **{name: torch.tensor(mask) for name, mask in masks.items()})
    for x, y in zip(found, expected, strict=True):
        close(x, y)


def test_masks_without_a_batch() -> None:
    own, other = attention_pair()
    inputs = arrays(((4, 6), (5, 6), (5, 6)))
    for masks in ({"key_padding_mask": PADDING[1]}, {"attn_mask": HEADS[:2]}):
        found = own(
            *map(engine.tensor, inputs), **{name: engine.tensor(mask) for name, mask in masks.items()}
        )
        expected = other(
            *map(torch.tensor, inputs), **{name: torch.tensor(mask) for name, mask in masks.items()}
        )
        for x, y in zip(found, expected, strict=True):
            close(x, y)


def test_a_query_that_may_look_nowhere() -> None:
    own, other = attention_pair(batch_first=True)
    mask = CAUSAL.copy()
    mask[2] = True
    inputs = arrays(((3, 4, 6), (3, 5, 6), (3, 5, 6)))
    found, weights = own(*map(engine.tensor, inputs), attn_mask=engine.tensor(mask))
    expected, _ = other(*map(torch.tensor, inputs), attn_mask=torch.tensor(mask), need_weights=False)
    close(found, expected)
    assert (weights.numpy()[:, 2] == 0.0).all()


def test_attention_keeps_float32_where_the_default_is_float64() -> None:
    layer, x = nn.MultiheadAttention(6, 2, batch_first=True), engine.randn(3, 4, 6)
    engine.set_default_dtype(engine.float64)
    try:
        found, _ = layer(x, x, x, attn_mask=engine.tensor(CAUSAL[:, :4]))
    finally:
        engine.set_default_dtype(engine.float32)
    assert found.dtype is engine.float32


def test_dropout_of_attention() -> None:
    engine.manual_seed(0)
    layer, x = nn.MultiheadAttention(6, 2, dropout=0.5, batch_first=True), engine.randn(3, 4, 6)
    _, weights = layer(x, x, x, average_attn_weights=False)
    assert 0 < (weights.numpy() == 0.0).sum() < weights.numel()
    layer.eval()
    np.testing.assert_allclose(layer(x, x, x)[1].numpy().sum(-1), 1.0, rtol=1e-6)


def test_attention_names_what_does_not_fit() -> None:
    layer, x = nn.MultiheadAttention(6, 2), engine.zeros(4, 3, 6)
    with pytest.raises(ShapeError, match=r"\[L, N, E\].*E = 6.*\(4, 3, 6\), \(4, 3, 5\)"):
        layer(x, engine.zeros(4, 3, 5), x)
    with pytest.raises(ShapeError, match=r"\(4, 6\)"):
        layer(x, engine.zeros(4, 6), x)


def test_printing_of_attention() -> None:
    """As torch, but for its name of the layer within."""
    expected = repr(torch.nn.MultiheadAttention(6, 2)).replace("NonDynamicallyQuantizableLinear", "Linear")
    assert repr(nn.MultiheadAttention(6, 2)) == expected


# ---- containers


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


# ---- together


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
