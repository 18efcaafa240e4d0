"""Convolution against torch: 500 random settings with values and both gradients, links, and bad settings."""

from __future__ import annotations

import random
import re
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from engine.studies.convolution_links import is_inside, meetings, reads
from engine.studies.convolution_numbers import named_kernel, photograph
from engine.studies.convolution_oracles import arguments
from engine.studies.convolution_shapes import Plan
from engine.studies.convolutions import EXAMPLES, STUDY, ConvolutionResult, ConvolutionSetup

SETTINGS = 500
EXCEPTIONS = r"output padding|padding: . along .* is more than half|dilation: .* a whole window"
OPERATIONS = ("convolution", "transposed", "max pooling", "average pooling")


def run(**fields: Any) -> ConvolutionResult:
    return STUDY.run(ConvolutionSetup(**fields))


def random_fields(generator: random.Random) -> dict[str, Any]:
    """Settings of every kind, which may or may not fit together."""
    rank = generator.choice((1, 2))

    def each(least: int, most: int) -> str:
        return ", ".join(str(generator.randint(least, most)) for _ in range(rank))

    groups = generator.choice((1, 1, 2, 3))
    return {
        "operation": generator.choice(OPERATIONS),
        "dims": f"{rank}-D",
        "size": each(1, 7),
        "kernel": each(1, 4),
        "stride": each(1, 3),
        "padding": each(0, 2),
        "dilation": each(1, 3),
        "output_padding": each(0, 1),
        "groups": groups,
        "in_channels": groups * generator.choice((1, 4 // groups)),
        "out_channels": groups * generator.choice((1, 4 // groups)),
        "seed": generator.randint(0, 999),
    }


def asked_of_torch(fields: dict[str, Any], values: Any, weight: Any) -> Any:
    """The same settings given to torch.nn.functional, straight from the fields."""
    rank = int(fields["dims"][0])
    names = ("kernel", "stride", "padding", "dilation", "output_padding")
    kernel, stride, padding, dilation, extra = ([int(n) for n in fields[name].split(",")] for name in names)
    functional: Any = torch.nn.functional
    operation, batch = fields["operation"], values[None]
    if operation == "max pooling":
        return getattr(functional, f"max_pool{rank}d")(batch, kernel, stride, padding, dilation)[0]
    if operation == "average pooling":
        return getattr(functional, f"avg_pool{rank}d")(batch, kernel, stride, padding)[0]
    shared = {"stride": stride, "padding": padding, "dilation": dilation, "groups": fields["groups"]}
    if operation == "transposed":
        convolve = getattr(functional, f"conv_transpose{rank}d")
        return convolve(batch, weight, output_padding=extra, **shared)[0]
    return getattr(functional, f"conv{rank}d")(batch, weight, **shared)[0]


def test_random_settings_give_torchs_values_and_gradients() -> None:
    generator = random.Random(5)
    done: dict[str, int] = dict.fromkeys(OPERATIONS, 0)
    spread = {"dilation": 0, "groups": 0}
    while sum(done.values()) < SETTINGS:
        fields = random_fields(generator)
        try:
            result = run(**fields)
        except ValueError:
            continue
        done[fields["operation"]] += 1
        spread["dilation"] += any(n > 1 for n in result.plan.each("dilation"))
        spread["groups"] += result.plan.groups > 1
        x = torch.tensor(result.values, requires_grad=True)
        w = None if result.weight is None else torch.tensor(result.weight, requires_grad=True)
        output = asked_of_torch(fields, x, w)
        assert output.shape == result.output.shape == result.plan.output_shape, fields
        output.backward(torch.tensor(result.upstream))
        assert np.allclose(result.output, output.detach().numpy(), rtol=1e-12), fields
        assert x.grad is not None
        assert np.allclose(result.input_gradient, x.grad.numpy(), rtol=1e-12), fields
        if w is not None:
            assert w.grad is not None
            assert np.allclose(result.weight_gradient, w.grad.numpy(), rtol=1e-12), fields  # type: ignore[arg-type]
        assert all(check.passed for check in STUDY.check(result)), fields
    assert min(done.values()) > 50
    assert min(spread.values()) > 50


def test_settings_are_refused_only_where_torch_refuses_them() -> None:
    """Exceptions are dilated: torch counts holes for paddings, and gives −∞ where a window is empty."""
    generator = random.Random(8)
    refused = 0
    for _ in range(400):
        fields = random_fields(generator)
        try:
            run(**fields)
        except ValueError as error:
            dilated = any(int(n) > 1 for n in fields["dilation"].split(","))
            if dilated and re.match(EXCEPTIONS, str(error)):
                continue
            refused += 1
            size = [int(n) for n in fields["size"].split(",")]
            kernel = [int(n) for n in fields["kernel"].split(",")]
            values = torch.zeros(fields["in_channels"], *size, dtype=torch.float64)
            weight = torch.zeros(fields["out_channels"], fields["in_channels"] // fields["groups"], *kernel)
            with pytest.raises(RuntimeError):
                asked_of_torch(fields, values, weight.double())
    assert refused > 40


def every_pair(plan: Plan) -> set[tuple[Any, Any]]:
    indices = product(*map(range, plan.output_shape))
    return {(o, i) for o in indices for i, _ in reads(plan, o) if is_inside(plan, i)}


@pytest.mark.parametrize("seed", range(40))
def test_links_are_where_torch_has_a_derivative(seed: int) -> None:
    """With a kernel of ones an output depends on an input exactly where the Jacobian is not 0."""
    generator = random.Random(seed)
    while True:
        fields = random_fields(generator) | {"size": "5" if seed % 2 else "4"}
        if fields["operation"] == "max pooling":
            fields["operation"] = (
                "average pooling"  # which reads the same window, and has a derivative in all
            )
        try:
            plan = run(**fields).plan
        except ValueError:
            continue
        break
    kernel = (
        None if plan.operation.endswith("pooling") else torch.ones(plan.weight_shape, dtype=torch.float64)
    )
    x = torch.ones(plan.input_shape, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: asked_of_torch(fields, x, kernel), x)
    split = len(plan.output_shape)
    expected = {(tuple(k[:split]), tuple(k[split:])) for k in jacobian.nonzero().tolist()}
    assert every_pair(plan) == expected


@pytest.mark.parametrize("operation", ["convolution", "transposed"])
def test_links_name_the_weight_of_every_product(operation: str) -> None:
    fields = {"operation": operation, "in_channels": 4, "out_channels": 2, "groups": 2, "size": "5, 4"}
    result = run(**fields, stride="2, 1", dilation="1, 2", padding="1", kernel="3, 2")
    assert result.weight is not None
    summed = np.zeros(result.output.shape)
    for o in np.ndindex(result.output.shape):
        for i, w in reads(result.plan, o):
            if is_inside(result.plan, i):
                summed[o] += result.values[i] * result.weight[w]
    given = {name: torch.tensor(each) for name, each in (("x", result.values), ("w", result.weight))}
    call = torch.nn.functional.conv2d if operation == "convolution" else torch.nn.functional.conv_transpose2d
    expected = call(given["x"][None], given["w"], **arguments(result.plan))[0]
    assert np.array_equal(summed, expected.numpy())


def test_the_winners_of_a_max_pooling_are_torchs() -> None:
    result = run(
        operation="max pooling", size="7", kernel="3", stride="2", padding="1", in_channels=2, seed=4
    )
    _, chosen = torch.nn.functional.max_pool2d(
        torch.tensor(result.values)[None], 3, 2, 1, return_indices=True
    )
    flat = chosen[0].numpy() + np.arange(2).reshape(2, 1, 1) * 49  # torch counts within each channel
    assert result.winners is not None
    assert np.array_equal(result.winners, flat)


def test_meetings_are_counted() -> None:
    assert run().products == 3 * 3 * 9
    assert [len(along) for along in meetings(run(in_channels=2, out_channels=3).plan)] == [6, 9, 9]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_agree_with_torch(name: str) -> None:
    if name == "too large":
        with pytest.raises(ValueError, match="kernel"):
            STUDY.run(EXAMPLES[name])
        return
    checks = STUDY.check(STUDY.run(EXAMPLES[name]))
    assert checks
    assert all(check.passed for check in checks)


def test_named_kernels_are_those_of_the_literature() -> None:
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    assert np.array_equal(named_kernel("vertical edges", (3, 3)), sobel)
    assert np.array_equal(named_kernel("horizontal edges", (3, 3)), sobel.T)
    gauss = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    assert np.array_equal(named_kernel("blur", (3, 3)), gauss)
    laplace = -np.ones((3, 3))
    laplace[1, 1] = 8
    assert np.array_equal(named_kernel("outline", (3, 3)), laplace)
    assert named_kernel("sharpen", (3, 3)).sum() == 1
    assert named_kernel("blur", (5,)).sum() == 1


def test_the_photograph_is_a_mean_of_its_pixels() -> None:
    from sklearn.datasets import load_sample_image

    whole = load_sample_image("flower.jpg").astype(float)
    assert photograph().shape == (3, 20, 20)
    assert photograph()[1, 2, 3] == np.round(whole[50 + 32 : 50 + 48, 150 + 48 : 150 + 64, 1].mean())


def test_pictures_have_their_own_channels_and_a_middle_row() -> None:
    assert run(source="digit", seed=7).values.shape == (1, 8, 8)
    assert run(source="colour photograph").values.shape == (3, 20, 20)
    row = run(source="photograph", dims="1-D").values
    assert np.array_equal(row, run(source="photograph").values[:, 10])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"size": "4, 9", "kernel": "5"}, "along the height it spans 5 elements and the padded input has 4"),
        ({"size": "9, 4", "kernel": "5"}, "along the width"),
        ({"size": "4", "dilation": "2"}, "a padding of at least 1"),
        ({"operation": "max pooling", "size": "3", "dilation": "4"}, "a smaller kernel or dilation"),
        ({"in_channels": 3, "groups": 2}, "axis 0 of the input has 3 channels"),
        ({"in_channels": 3, "groups": 2}, "choose 1 or 3 groups, or 4 channels"),
        ({"in_channels": 2, "out_channels": 3, "groups": 2}, "axis 0 of the output has 3 channels"),
        ({"operation": "max pooling", "padding": "2"}, "more than half of the kernel, 3"),
        (
            {"operation": "max pooling", "size": "7", "kernel": "2", "padding": "1", "dilation": "8"},
            "a whole window would lie in the padding",
        ),
        ({"operation": "transposed", "output_padding": "1"}, "must be smaller than the stride, 1"),
        ({"operation": "transposed", "size": "1", "padding": "2"}, "use at most 1"),
        ({"stride": "0"}, "stride: 0 along the height is not possible here; from 1 to 8"),
        ({"padding": "1, 2, 3"}, "one number, or 2, are wanted, this is 3"),
        ({"kernel": ""}, "this is 0"),
        ({"kernel": "x"}, "“x” is not a whole number"),
        ({"size": "32", "in_channels": 4}, "at most 2,000 are drawn"),
        ({"size": "9", "kernel": "9", "in_channels": 4}, "the kernel has 324 elements"),
        ({"weights": "own", "own": "1, 2"}, "there are 2, and a kernel of shape (1, 1, 3, 3) takes 9"),
        ({"weights": "own", "own": "1, nan"}, "“nan” is not a number"),
        ({"weights": "horizontal edges", "dims": "1-D", "size": "9"}, "choose vertical edges"),
    ],
)
def test_settings_that_cannot_be_say_what_is_wrong(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        run(**fields)


@pytest.mark.parametrize("operation", ["convolution", "max pooling", "transposed"])
def test_a_suggested_padding_is_enough(operation: str) -> None:
    fields = {"operation": operation, "size": "1" if operation == "transposed" else "4"}
    fields |= {"padding": "4"} if operation == "transposed" else {"kernel": "4", "dilation": "2"}
    with pytest.raises(ValueError, match=r"at (least|most) \d") as refused:
        run(**fields)
    advice = re.search(r"at (?:least|most) (\d+)$", str(refused.value))
    assert advice is not None
    assert run(**fields | {"padding": advice[1]}).output.size


def test_own_numbers_are_kept_exactly() -> None:
    result = run(weights="own", own="0.1, −2, 3e-3, 4", kernel="2")
    assert result.weight is not None
    assert result.weight.reshape(-1).tolist() == [0.1, -2, 0.003, 4]
