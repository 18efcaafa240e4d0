"""A fault that is planted is named, from 20 first weights; a run that learns is left in peace."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from engine.playground.curvature import largest_curvature
from engine.playground.diagnosis import why_it_stopped
from engine.playground.network import Network
from engine.playground.run import Run
from engine.playground.setup import PlaygroundSetup
from engine.training.model import values
from engine.training.position import Position
from tests.engine.playground.runs import begun, setup_of
from tests.engine.playground.torch_net import TorchNet

SEEDS = 20
Plant = Callable[[Run], None]


def nothing(_run: Run) -> None:
    pass


def dead(run: Run) -> None:
    for unit in range(4):
        run.model.set_parameter(f"bias.0.{unit}", -50.0)


def saturated(run: Run) -> None:
    for unit in range(4):
        for feature in range(2):
            run.model.set_parameter(f"weight.0.{unit}.{feature}", 40.0 * (-1) ** (unit + feature))


def one_sided(run: Run) -> None:
    run.model.set_parameter("bias.1.0", 50.0)


def hundred(**fields: object) -> PlaygroundSetup:
    return setup_of(**{"samples": 100, "batch": 10, **fields})


SIGMOIDS = ", ".join(["4 sigmoid"] * 6)
# setup, epochs, what is done to the weights, what must be named
FAULTS: dict[str, tuple[PlaygroundSetup, int, Plant, str]] = {
    "rate above 2/L": (
        hundred(data="reg-plane", hidden="", rate=0.25, batch=2000),
        12,
        nothing,
        "rate 0.25 is above 2/L",
    ),
    "rate above (2 + 2μ)/L": (
        hundred(data="reg-plane", hidden="", rate=0.5, batch=2000, optimiser="momentum"),
        10,
        nothing,
        "rate 0.5 is above 3.8/L",
    ),
    "rate above Nesterov's bound": (
        hundred(data="reg-plane", hidden="", rate=0.15, batch=2000, optimiser="Nesterov"),
        10,
        nothing,
        "rate 0.15 is above 1.36/L",
    ),
    "first NaN": (
        hundred(data="reg-plane", hidden="4 relu", rate=5.0),
        20,
        nothing,
        "weights of layer 1 are",
    ),
    "dead units": (hundred(hidden="4 relu"), 20, dead, "4 of 4 units of layer 1 are dead"),
    "saturated units": (
        hundred(hidden="4 tanh", data="xor", rate=0.01),
        120,
        saturated,
        "are saturated: tanh",
    ),
    "vanishing gradient": (hundred(hidden=SIGMOIDS), 40, nothing, "gradient vanishes"),
    "L2 dominates": (
        hundred(hidden="4 tanh", penalty="L2", penalty_rate=1.0),
        40,
        nothing,
        "L2 penalty outweighs",
    ),
    "L1 dominates": (
        hundred(hidden="4 tanh", penalty="L1", penalty_rate=0.3),
        60,
        nothing,
        "L1 penalty outweighs",
    ),
    "zeros": (
        hundred(hidden="4 tanh", init="zeros"),
        20,
        nothing,
        "copies of one another: their weights are all 0",
    ),
    "one class": (hundred(hidden="4 tanh"), 20, one_sided, "says class 1 for all 50"),
    "no rate": (hundred(rate=0.0), 3, nothing, "learning rate is 0"),
    "schedule is over": (hundred(schedule="cosine", horizon=5), 7, nothing, "rate from 0.03 to 0"),
}
HEALTHY: dict[str, tuple[PlaygroundSetup, int]] = {
    "circle": (hundred(hidden="4 tanh", rate=0.1), 60),
    "relu": (hundred(hidden="8 relu", init="xavier", loss="logistic"), 60),
    "a line": (hundred(data="gauss", hidden=""), 20),
    "Adam": (hundred(data="xor", hidden="6 relu, 4 relu", optimiser="Adam", rate=0.01), 40),
    "values": (hundred(data="reg-plane", hidden="4 tanh"), 40),
    "logistic, penalty": (hundred(hidden="4 tanh", loss="logistic", rate=0.1, penalty="L2"), 40),
    "batch norm, dropout": (hundred(hidden="8 relu", batch_norm=True, dropout=0.1, rate=0.1), 40),
}


def trained(run: Run, seed: int, epochs: int, plant: Plant) -> list[float]:
    """Train from the first weights of another seed; the losses on the way. The points stay the same ones."""
    run.go_to(Position())
    run.model.net.take_over(Network(run.controls.model_copy(update={"seed": seed})))
    plant(run)
    losses = [run.figures().train_loss]
    for _ in range(epochs):
        run.step_epoch()
        losses.append(run.figures().train_loss)
    return losses


@pytest.mark.parametrize(("setup", "epochs", "plant", "name"), FAULTS.values(), ids=FAULTS.keys())
def test_a_planted_fault_is_named(setup: PlaygroundSetup, epochs: int, plant: Plant, name: str) -> None:
    run = begun(setup)
    for seed in range(SEEDS):
        losses = trained(run, seed, epochs, plant)
        found = why_it_stopped(run.still(), losses[-30:])
        assert name in found, (seed, found)


@pytest.mark.parametrize(("setup", "epochs"), HEALTHY.values(), ids=HEALTHY.keys())
def test_nothing_is_found_where_nothing_is_wrong(setup: PlaygroundSetup, epochs: int) -> None:
    run = begun(setup)
    for seed in range(SEEDS):
        losses = trained(run, seed, epochs, nothing)
        assert why_it_stopped(run.still(), losses[-30:]) == "", seed


def test_a_run_that_has_just_begun_is_left_in_peace() -> None:
    run = begun(hundred(hidden="4 tanh"))
    run.step()
    assert why_it_stopped(run.still(), [0.55, 0.5, 0.45]) == ""


def test_the_layer_is_the_first_that_is_not_finite() -> None:
    run = begun(hundred(hidden="4 relu, 3 relu"))
    run.model.set_parameter("weight.1.2.0", float("nan"))
    assert why_it_stopped(run.still(), [0.5, 0.25]).startswith(
        "The weights of layer 2 are NaN, after a loss of 0.25"
    )
    run.go_to(Position())
    run = begun(hundred(hidden="4 relu, 3 relu"))
    for unit in range(4):
        run.model.set_parameter(f"weight.0.{unit}.0", 1e38)
    assert why_it_stopped(run.still(), ()).startswith("Layer 1 is the first whose outputs overflow")


def test_the_first_operation_that_overflows_is_named() -> None:
    """Of a linear net whose weights still fit into float32 where their products with the inputs do not."""
    run = begun(hundred(data="reg-plane", hidden="", rate=5.0))
    while run.model.is_finite():
        run.step_epoch()
    stood, found = run.position, run.overflow()
    assert run.position == stood
    assert found is not None
    assert (found.operation, found.label) == ("matmul", "last")
    run.go_to(found.position)
    weight = values(run.model.net.last.weight).astype(float)
    products = np.abs(run.next_batch()[0].numpy() @ weight.T)
    assert products.max() > np.finfo(np.float32).max > np.abs(weight).max()
    assert found.largest == pytest.approx(np.abs(weight).max(), rel=1e-6)
    run.step()
    assert not run.model.is_finite()
    assert f"at epoch {found.position}, was a matmul in the output layer" in why_it_stopped(run.still())


@pytest.mark.parametrize("losses", [(), (0.5,), (float("nan"), 0.5), (0.5,) * 500, (float("inf"),) * 3])
def test_any_losses_may_be_given(losses: Sequence[float]) -> None:
    assert isinstance(why_it_stopped(begun(hundred(hidden="4 tanh")).still(), losses), str)


CURVED = {
    "values": hundred(data="reg-plane", hidden=""),
    "tanh": hundred(hidden="3 tanh"),
    "logistic": hundred(loss="logistic", hidden=""),
}


@pytest.mark.parametrize("setup", CURVED.values(), ids=CURVED.keys())
def test_the_largest_curvature_is_that_of_torch(setup: PlaygroundSetup) -> None:
    run = begun(setup)
    run.step_epoch()
    net = TorchNet(run).eval()
    start = dict(net.named_parameters())
    sizes = [parameter.numel() for parameter in start.values()]

    def loss(flat: torch.Tensor) -> torch.Tensor:
        parts = zip(start.items(), flat.split(sizes), strict=True)
        values = {name: part.reshape(old.shape) for (name, old), part in parts}
        out = torch.func.functional_call(net, values, (torch.tensor(run.train.inputs), None))
        targets = torch.tensor(run.train.targets)
        if setup.loss == "logistic":
            return torch.log1p(torch.exp(-targets * out)).mean()
        return (((out if setup.is_regression else torch.tanh(out)) - targets) ** 2).mean() / 2

    flat = torch.cat([parameter.detach().reshape(-1) for parameter in start.values()])
    eigenvalues = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, flat)).numpy()
    expected = eigenvalues.max()
    assert largest_curvature(run.still(), 60) == pytest.approx(expected, rel=0.02)
    assert largest_curvature(run.still()) == pytest.approx(expected, rel=0.25)


def hessian(run: Run) -> np.ndarray:
    """Of half the mean squared error of a net without hidden layers, which is a parabola: mean of x·xᵀ."""
    x = np.column_stack([run.train.inputs, np.ones(len(run.train))]).astype(np.float64)
    return np.asarray(x.T @ x / len(x))


PLANE = {"data": "reg-plane", "hidden": "", "batch": 2000}


@pytest.mark.parametrize("decay", [0.0, 3.0])
def test_the_curvature_of_a_parabola_in_any_scale(decay: float) -> None:
    """Scaled by s it is the largest eigenvalue of s^-½ H s^-½; an L2 penalty adds its rate."""
    run = begun(hundred(**PLANE, penalty="L2", penalty_rate=decay))
    expected = hessian(run) + decay * np.diag([1.0, 1.0, 0.0])
    scale = np.array([0.5, 40.0, 0.01])
    scaled = expected / np.sqrt(np.outer(scale, scale))
    found = largest_curvature(run.still(), 60, [scale[:2].reshape(1, 2), scale[2:]])
    assert found == pytest.approx(np.linalg.eigvalsh(scaled)[-1], rel=1e-4)
    assert largest_curvature(run.still(), 60) == pytest.approx(np.linalg.eigvalsh(expected)[-1], rel=1e-4)


def test_a_few_iterations_never_find_too_much() -> None:
    run = begun(hundred(hidden="5 tanh, 3 tanh", data="xor"))
    run.go_to(Position(10))
    exact = largest_curvature(run.still(), 300)
    for iterations in range(1, 13):
        assert largest_curvature(run.still(), iterations) <= exact * (1 + 1e-4)


MEMORY = {"Adam": "exp_avg_sq", "AdamW": "exp_avg_sq", "RMSprop": "square_avg", "Adagrad": "sum"}
FACTOR = {"Adam": 38.0, "AdamW": 38.0, "RMSprop": 2.0, "Adagrad": 2.0}
SCALE = 0.1  # so that what the gradients of this test add to its square is nothing


@pytest.mark.parametrize("name", MEMORY)
@pytest.mark.parametrize("share", [0.8, 1.2])
def test_adaptive_optimisers_have_bounds_in_their_own_scale(name: str, share: float) -> None:
    """On a parabola, from a place close to its lowest along its steepest direction: at 1.2 times the bound
    the loss grows from step to step, and that is named; at 0.8 times neither is."""
    still = begun(hundred(**PLANE))
    curved, along = (part[..., -1] for part in np.linalg.eigh(hessian(still)))
    limit = FACTOR[name] * SCALE / curved
    run = begun(hundred(**PLANE, optimiser=name, rate=float(share * limit)))
    run.step()  # so that the optimiser remembers something
    x = np.column_stack([run.train.inputs, np.ones(len(run.train))]).astype(np.float64)
    lowest = np.linalg.lstsq(x, run.train.targets[:, 0].astype(np.float64), rcond=None)[0]
    start = lowest + 1e-4 * along
    for number, parameter in zip((start[:2], start[2:]), run.model.net.parameters(), strict=True):
        values(parameter)[...] = number
        state = run.model.optimiser.state[parameter]
        values(state[MEMORY[name]])[...] = SCALE**2
        if "exp_avg" in state:
            state["step"] = 10**5
            values(state["exp_avg"])[...] = 0.0
    losses = []
    while len(losses) < 6 or (len(losses) < 40 and losses[-1] < 30 * losses[0]):  # soon the scale grows too
        run.step()
        losses.append(run.figures().train_loss)
    found = why_it_stopped(run.still(), losses)
    if share < 1.0:
        assert "above" not in found
        assert losses[-1] < losses[0]
    else:
        assert losses[-1] >= 30 * losses[0]
        told = re.search(rf"above {FACTOR[name]:.3g}/L = ([\d.]+), where L = ([\d.]+)", found)
        assert told, (found, losses)
        assert [float(number) for number in told.groups()] == pytest.approx([limit, curved / SCALE], rel=0.1)
