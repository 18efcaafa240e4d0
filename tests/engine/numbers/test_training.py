"""Training in few bits: against plain training, numpy with ml_dtypes' casts, and counts done by hand."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

import engine
from engine import nn, optim
from engine.data import digits
from engine.numbers import named
from engine.numbers.arithmetic import Arithmetic
from engine.numbers.blocks import block_floating_point
from engine.numbers.exact import NumberError, Rounding
from engine.numbers.fixed import FixedFormat
from engine.numbers.quantised import NarrowMatmul, Quantiser, Round
from engine.numbers.training import LossScaling, LowPrecision, Report, Settings, exponents

BF16, FP16 = Quantiser(named.bf16), Quantiser(named.fp16)


def network(seed: int = 0, hidden: int = 32) -> nn.Sequential:
    engine.manual_seed(seed)
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def train(model: Any, step: Any, steps: int, seed: int = 0) -> list[Any]:
    """Steps on batches of 50 digits."""
    samples = digits()
    pixels = samples.inputs.reshape(len(samples), -1)
    random, criterion = np.random.default_rng(seed), nn.CrossEntropyLoss()
    results = []
    for _ in range(steps):
        batch = random.integers(0, 1500, 50)
        inputs, targets = engine.tensor(pixels[batch]), engine.tensor(samples.targets[batch])
        results.append(step(lambda inputs=inputs, targets=targets: criterion(model(inputs), targets)))
    return results


def accuracy(model: Any) -> float:
    samples = digits()
    with engine.no_grad():
        scores = model(engine.tensor(samples.inputs[1500:].reshape(297, -1)))
    return float(np.mean(scores.numpy().argmax(1) == samples.targets[1500:]))


def single_weight(settings: Settings, start: float = 1.0, lr: float = 1.0) -> tuple[Any, LowPrecision]:
    """A model that multiplies by one weight."""
    model = nn.Linear(1, 1, bias=False)
    with engine.no_grad():
        model.weight.fill_(start)
    return model, LowPrecision(model, optim.SGD(model.parameters(), lr=lr), settings)


def pull(model: Any, slope: float) -> Any:
    """A loss whose gradient with respect to the weight is `slope`."""
    return lambda: (model(engine.tensor([[1.0]])) * slope).sum()


def test_without_rounding_it_is_plain_training() -> None:
    plain, rounded = network(), network()
    optimizer = optim.Adam(plain.parameters(), lr=0.01)
    training = LowPrecision(rounded, optim.Adam(rounded.parameters(), lr=0.01), Settings())

    def plain_step(loss: Any) -> float:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return float(value)

    expected = train(plain, plain_step, 20)
    assert [report.loss for report in train(rounded, training.step, 20)] == expected
    for a, b in zip(plain.parameters(), rounded.parameters(), strict=True):
        assert (a.numpy() == b.numpy()).all()


def test_every_part_is_rounded_where_it_should_be() -> None:
    """Two layers without bias, by numpy with ml_dtypes' casts: weights, activations, gradients, momentum."""
    settings = Settings(weights=BF16, activations=BF16, gradients=FP16, state=BF16)
    random = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(6, 5, bias=False), nn.ReLU(), nn.Linear(5, 3, bias=False))
    training = LowPrecision(model, optim.SGD(model.parameters(), lr=0.125, momentum=0.5), settings)
    first, second = (parameter.numpy().copy() for parameter in model.parameters())

    def bf16(x: Any) -> Any:
        return np.asarray(x).astype(ml_dtypes.bfloat16).astype(np.float32)

    def fp16(x: Any) -> Any:
        return np.asarray(x).astype(np.float16).astype(np.float32)

    assert (first == bf16(first)).all()
    velocities: list[Any] = [None, None]
    for _ in range(4):
        x, target = (random.normal(size=(4, n)).astype(np.float32) for n in (6, 3))
        training.step(lambda x=x, target=target: (model(engine.tensor(x)) * engine.tensor(target)).sum())
        hidden = bf16(x @ first.T)
        active = bf16(np.maximum(hidden, 0))
        output = fp16(target)
        by_second = fp16(output.T @ active)
        by_first = fp16(fp16(fp16(output @ second) * (hidden > 0)).T @ x)
        for place, gradient in enumerate((by_first, by_second)):
            old = velocities[place]
            velocities[place] = gradient if old is None else np.float32(0.5) * old + gradient
        first = bf16(first - np.float32(0.125) * velocities[0])
        second = bf16(second - np.float32(0.125) * velocities[1])
        velocities = [bf16(velocity) for velocity in velocities]
        assert (model[0].weight.numpy() == first).all()
        assert (model[2].weight.numpy() == second).all()


def test_no_gradient_passes_where_a_number_saturated() -> None:
    """As of torch.clamp, for what lies inside and outside the range; formats that overflow have no limit."""
    values = [-9.0, -8.0, 0.3, 7.9375, 8.5]
    fixed = Quantiser(FixedFormat("q4.4", 8, 4))
    x = engine.tensor(values).requires_grad_()
    Round(fixed, Quantiser(), lambda: 0)(x).sum().backward()
    reference = torch.tensor(values, requires_grad=True)
    reference.clamp(-8.0, 7.9375).sum().backward()
    assert x.grad.tolist() == reference.grad.tolist()
    free = engine.tensor([1e6]).requires_grad_()
    Round(FP16, Quantiser(), lambda: 0)(free).sum().backward()
    assert free.grad.tolist() == [1.0]


def test_lost_updates_are_counted() -> None:
    """bf16 has 2^-8 below 1: 0.001 is lost, 0.01 is not; an update of 0 is not wanted."""
    for slope, wanted, lost in ((0.001, 1, 1), (0.01, 1, 0), (0.0, 0, 0)):
        model, training = single_weight(Settings(weights=BF16))
        updates = training.step(pull(model, slope)).updates["weight"]
        assert (updates.wanted, updates.lost) == (wanted, lost)
        assert updates.lost_share == (lost if wanted else None)


def test_master_weights_collect_what_would_be_lost() -> None:
    for master, expected in ((False, 1.0), (True, 1 - 0.125)):
        model, training = single_weight(Settings(weights=BF16, master_weights=master))
        reports = [training.step(pull(model, 2.0**-10)) for _ in range(128)]
        assert float(model.weight) == expected
        assert sum(report.updates["weight"].lost for report in reports) == (0 if master else 128)


def test_stochastic_rounding_moves_as_far_on_average() -> None:
    settings = Settings(weights=Quantiser(named.bf16, Rounding.STOCHASTIC))
    ends = []
    for seed in range(40):
        model = nn.Linear(1, 1, bias=False)
        with engine.no_grad():
            model.weight.fill_(1.0)
        training = LowPrecision(model, optim.SGD(model.parameters(), lr=1.0), settings, seed)
        for _ in range(64):
            training.step(pull(model, 2.0**-10))
        ends.append(float(model.weight))
    assert np.mean(ends) == pytest.approx(1 - 2.0**-4, abs=5 * np.std(ends) / 40**0.5)


def test_a_loss_scale_saves_small_gradients() -> None:
    for scale, moved in ((1.0, False), (1024.0, True)):
        settings = Settings(gradients=FP16, scaling=LossScaling(scale))
        model, training = single_weight(settings, start=0.0)
        assert training.step(pull(model, 2.0**-27)).scale == scale
        assert float(model.weight) == (-(2.0**-27) if moved else 0.0)


def test_a_dynamic_scale_falls_and_rises() -> None:
    """fp16 ends at 65504: a slope of 1 overflows at a scale of 2^17 and 2^16, not at 2^15."""
    settings = Settings(gradients=FP16, scaling=LossScaling(2.0**17, dynamic=True, growth_interval=3))
    model, training = single_weight(settings)
    reports = [training.step(pull(model, 1.0)) for _ in range(6)]
    assert [report.skipped for report in reports] == [True, True, False, False, False, True]
    assert [report.scale for report in reports] == [2.0**17, 2.0**16, 2.0**15, 2.0**15, 2.0**15, 2.0**16]
    assert float(model.weight) == 1.0 - 3.0
    assert reports[0].updates == {}


def test_a_narrow_accumulator_forward_and_backward() -> None:
    """Every product of matrices is that of `Arithmetic`, which is tested on its own."""
    random = np.random.default_rng(1)
    a, b, g = (random.normal(size=shape) for shape in ((4, 30), (30, 5), (4, 5)))
    half = Arithmetic(named.fp16)
    left, right = (engine.tensor(x, dtype=engine.float64).requires_grad_() for x in (a, b))
    product = NarrowMatmul(half, lambda: 0)(left, right)
    product.backward(engine.tensor(g, dtype=engine.float64))
    assert (product.numpy() == half.fused_matmul(a, b)).all()
    assert (left.grad.numpy() == half.fused_matmul(g, b.T)).all()
    assert (right.grad.numpy() == half.fused_matmul(a.T, g)).all()
    assert not np.allclose(product.numpy(), a @ b, rtol=1e-4, atol=0)


def test_an_accumulator_of_fp64_changes_next_to_nothing() -> None:
    plain, narrow = network(hidden=8), network(hidden=8)
    reports = [
        train(model, LowPrecision(model, optim.SGD(model.parameters(), lr=0.1), settings).step, 4)
        for model, settings in ((plain, Settings()), (narrow, Settings(accumulator=Arithmetic(named.fp64))))
    ]
    losses = [[report.loss for report in run] for run in reports]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


@pytest.mark.parametrize("seed", [0, 1])
def test_in_few_fraction_bits_nearest_fails_and_stochastic_trains(seed: int) -> None:
    """Gupta et al. 2015, on digits: 16-bit fixed point with 6 bits after the point."""
    accuracies = {}
    for mode in (Rounding.NEAREST_EVEN, Rounding.STOCHASTIC):
        fixed = Quantiser(FixedFormat("q10.6", 16, 6), mode)
        model = network(seed)
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        training = LowPrecision(model, optimizer, Settings(fixed, fixed, fixed), seed)
        train(model, training.step, 250, seed)
        accuracies[mode] = accuracy(model)
    assert accuracies[Rounding.NEAREST_EVEN] < 0.4
    assert accuracies[Rounding.STOCHASTIC] > 0.75


def test_block_floating_point_trains() -> None:
    blocks = Quantiser(block_floating_point(6, 16))
    model = network()
    training = LowPrecision(
        model, optim.SGD(model.parameters(), lr=0.2), Settings(blocks, blocks, blocks, master_weights=True)
    )
    train(model, training.step, 200)
    assert accuracy(model) > 0.75


def test_a_seed_repeats_the_run() -> None:
    """Whether the model is evaluated in between or not."""

    def losses(seed: int, evaluated: bool = False) -> list[float]:
        model = network()
        stochastic = Quantiser(named.fp8_e4m3fn, Rounding.STOCHASTIC)
        settings = Settings(stochastic, stochastic, stochastic)
        training = LowPrecision(model, optim.SGD(model.parameters(), lr=0.1), settings, seed)

        def step(loss: Any) -> Report:
            if evaluated:
                accuracy(model)
            return training.step(loss)

        return [report.loss for report in train(model, step, 5)]

    assert losses(3) == losses(3) == losses(3, evaluated=True)
    assert losses(3) != losses(4)


def test_close_takes_the_rounding_away() -> None:
    model = network()
    training = LowPrecision(
        model, optim.SGD(model.parameters(), lr=0.1), Settings(activations=Quantiser(named.fp4_e2m1))
    )
    x = engine.tensor(digits().inputs[:5].reshape(5, -1))
    coarse = model(x).numpy()
    assert set(np.abs(coarse).reshape(-1).tolist()) <= {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0}
    training.close()
    assert not (model(x).numpy() == coarse).all()


def test_exponents_are_counted() -> None:
    kinds, counts = exponents(np.array([0.0, 1.0, -1.5, 0.25, np.inf, np.nan, 5e-324]))
    assert dict(zip(kinds.tolist(), counts.tolist(), strict=True)) == {0: 2, -2: 1, -1074: 1}


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_loss_scales_are_refused(scale: float) -> None:
    with pytest.raises(NumberError):
        LossScaling(scale)


def test_a_training_goes_back_to_the_bit() -> None:
    """Weights, master weights, Adam's state, a dynamic scale and the random numbers to come."""
    stochastic = Quantiser(named.fp8_e4m3fn, Rounding.STOCHASTIC)
    scaling = LossScaling(2.0**10, dynamic=True, growth_interval=3)
    settings = Settings(stochastic, stochastic, stochastic, state=BF16, master_weights=True, scaling=scaling)
    model = network(hidden=8)
    training = LowPrecision(model, optim.Adam(model.parameters(), lr=0.01), settings)
    train(model, training.step, 4)
    saved = training.save()
    ahead = [train(model, training.step, 4, seed=1), training.save()]
    training.restore(saved)
    again = [train(model, training.step, 4, seed=1), training.save()]
    assert again[0] == ahead[0]
    for name, weights in ahead[1].weights.items():
        assert (again[1].weights[name] == weights).all()
        assert (again[1].master[name] == ahead[1].master[name]).all()
    training.reseed()
    first = accuracy(model)
    training.reseed()
    assert accuracy(model) == first
