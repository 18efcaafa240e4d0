"""What others say to a run: torch's loss curve in fp32, and ml_dtypes' and numpy's casts of its weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.agreement import difference
from engine.numbers.fixed import FixedFormat
from engine.numbers.training import Saved
from engine.oracles import torch_version
from engine.studies.bit_conventions import ML_DTYPES, NUMPY
from engine.studies.few_bits_data import batches, data
from engine.studies.few_bits_figures import quartiles
from engine.studies.few_bits_lane import FULL, Lane, read_format
from engine.studies.few_bits_learner import CLASSES, network
from engine.studies.few_bits_run import Still
from engine.studies.few_bits_setup import FewBitsSetup
from engine.studies.study import Check
from engine.studies.view_oracles import numpy_version

Floats = NDArray[Any]

MOST_EPOCHS = 2  # of torch: rounding errors of fp32 itself grow from step to step
MOST_STEPS = 200  # of torch, if that leaves an epoch
TOLERANCE = 1e-3


def compared(still: Still) -> list[Check]:
    """The loss of lanes that round nothing, epoch by epoch; and the weights of those that do."""
    checks = []
    lanes = still.setup.each_lane
    plain = next((number for number, lane in enumerate(lanes) if lane.is_plain), None)
    if plain is not None:
        checks += _losses(still, plain)
    for number, (lane, saved) in enumerate(zip(lanes, still.weights, strict=True), 1):
        checks += _weights(number, lane, saved)
    return checks


def torch_losses(setup: FewBitsSetup, epochs: int) -> list[float]:
    """Median over the seeds of the mean loss of each epoch's steps, by torch with plain fp32."""
    nothing_rounded = FewBitsSetup(**{**setup.at_start(), "lanes": FULL})
    with _one_thread():
        by_seed = [_torch_losses_of(nothing_rounded, seed, epochs) for seed in setup.each_seed]
    return [float(quartiles(losses)[1]) for losses in np.transpose(by_seed)]


def _losses(still: Still, plain: int) -> list[Check]:
    setup = still.setup
    steps = setup.seeds * math.ceil(len(data(setup.data)) / setup.batch)
    epochs = min(max(still.curve), MOST_EPOCHS, max(MOST_STEPS // steps, 1))
    if epochs == 0:
        return []
    found = [float(still.curve[epoch][plain].train_loss[1]) for epoch in range(1, epochs + 1)]
    return [
        Check(
            f"fp32: loss in epoch {epoch}",
            torch_version(),
            theirs,
            ours,
            difference(ours, theirs),
            TOLERANCE,
        )
        for epoch, (theirs, ours) in enumerate(zip(torch_losses(setup, epochs), found, strict=True), 1)
    ]


@contextmanager
def _one_thread() -> Iterator[None]:
    """For steps this small a second thread only waits: where others compute too, 50 times as long."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=256)  # a page asks again whenever it stops
def _torch_losses_of(setup: FewBitsSetup, seed: int, epochs: int) -> list[float]:
    import torch

    held = data(setup.data)
    ours = network(held.train[0].shape[1], setup.layers, seed)
    sizes = [held.train[0].shape[1], *setup.layers, CLASSES]
    parts: list[Any] = []
    for before, after in pairwise(sizes):
        parts += [torch.nn.Linear(before, after), torch.nn.ReLU()]
    model = torch.nn.Sequential(*parts[:-1])
    model.load_state_dict({name: torch.tensor(value.numpy()) for name, value in ours.state_dict().items()})
    if setup.optimiser == "Adam":
        optimiser: Any = torch.optim.Adam(model.parameters(), lr=setup.rate)
    else:
        momentum = 0.9 if setup.optimiser == "momentum" else 0.0
        optimiser = torch.optim.SGD(model.parameters(), lr=setup.rate, momentum=momentum)
    losses = []
    for epoch in range(epochs):
        steps = []
        for rows in batches(setup, seed, epoch):
            inputs, targets = (torch.from_numpy(values[rows]) for values in held.train)
            loss = torch.nn.functional.cross_entropy(model(inputs), targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            steps.append(float(loss.detach()))
        losses.append(float(np.mean(steps)))
    return losses


def _weights(number: int, lane: Lane, saved: Saved) -> list[Check]:
    """How many stored weights differ from the cast of the master weights; of themselves, if there are none.

    With master weights and rounding to nearest the cast must give the stored weights; without, a number that
    the format holds must stay what it is.
    """
    found = _cast(lane.weights)
    if found is None:
        return []
    oracle, cast = found
    has_source = lane.master == "on" and lane.rounding == "nearest"
    sources = saved.master if has_source else saved.weights
    wrong = 0
    for name, stored in saved.weights.items():
        expected = cast(sources[name])
        wrong += int(np.sum((expected != stored) & ~(np.isnan(expected) & np.isnan(stored))))
    what = (
        "that rounding the master weights does not give" if has_source else f"that are not in {lane.weights}"
    )
    return [Check(f"lane {number}: weights {what}", oracle, 0, wrong, wrong, 0)]


def _cast(name: str) -> tuple[str, Callable[[Floats], Floats]] | None:
    """The oracle for a format and its rounding to nearest; None where there is none."""
    target = read_format(name)
    if name == FULL:
        return None
    if isinstance(target, FixedFormat):
        step = 2.0**-target.places
        low, high = float(target.lowest), float(target.largest)
        return numpy_version(), lambda values: np.clip(np.rint(values / step) * step, low, high)
    for library, module in ((NUMPY, np), (ML_DTYPES, _ml_dtypes())):
        if name in library.types and module is not None:
            kind = getattr(module, library.types[name])
            return f"{library.name} {module.__version__}", partial(_through, kind)
    return None


def _through(kind: Any, values: Floats) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(kind).astype(np.float32)


@cache
def _ml_dtypes() -> Any:
    """The module, which is installed with the development extra only; None without it."""
    try:
        import ml_dtypes
    except ImportError:
        return None
    return ml_dtypes
