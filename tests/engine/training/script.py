"""One training script, run by torch and by the engine.

`framework` is the module `torch` or `engine`; nothing else differs. Both start from the same weights and see
the same batches.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch

import engine
import engine.nn
import engine.optim
from engine.data import Samples

Build = Callable[[Any], Any]  # from a framework's `nn`, a model that gives one score a class


@dataclass(frozen=True)
class Recipe:
    """How to train: a model, an optimiser with its options, a schedule of the learning rate over epochs."""

    build: Build
    optimizer: str
    options: dict[str, Any]
    epochs: int
    batch_size: int
    schedule: Callable[[Any, Any], Any] | None = None  # of framework.optim.lr_scheduler and the optimiser


@dataclass(frozen=True)
class Run:
    """losses of all batches, share of right answers on training and held-out samples, seconds it took"""

    losses: list[float]
    train: float
    test: float
    seconds: float


def train(framework: ModuleType, model: Any, recipe: Recipe, samples: Samples) -> list[float]:
    """Train the model in place; returns the loss of every batch."""
    inputs, targets = framework.tensor(samples.inputs), framework.tensor(samples.targets)
    criterion = framework.nn.CrossEntropyLoss()
    optimizer = getattr(framework.optim, recipe.optimizer)(model.parameters(), **recipe.options)
    schedule = recipe.schedule(framework.optim.lr_scheduler, optimizer) if recipe.schedule else None
    random = np.random.default_rng(0)
    losses = []
    model.train()
    for _ in range(recipe.epochs):
        order = random.permutation(len(samples))
        for start in range(0, len(order), recipe.batch_size):
            batch = framework.tensor(order[start : start + recipe.batch_size])
            loss = criterion(model(inputs[batch]), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if schedule is not None:
            schedule.step()
    return losses


def accuracy(framework: ModuleType, model: Any, samples: Samples) -> float:
    """Share of the samples whose class gets the highest score."""
    model.eval()
    with framework.no_grad():
        guesses = model(framework.tensor(samples.inputs)).argmax(1)
    return float(np.mean(guesses.numpy() == samples.targets))


def both(recipe: Recipe, samples: Samples, held_out: Samples) -> tuple[Run, Run]:
    """The same training by the engine and by torch, in one thread."""
    torch.manual_seed(0)
    theirs = recipe.build(torch.nn)
    ours = recipe.build(engine.nn)
    ours.load_state_dict(theirs.state_dict())
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    runs = []
    for framework, model in ((engine, ours), (torch, theirs)):
        start = time.perf_counter()
        losses = train(framework, model, recipe, samples)
        seconds = time.perf_counter() - start
        scores = [accuracy(framework, model, part) for part in (samples, held_out)]
        runs.append(Run(losses, *scores, seconds))
    torch.set_num_threads(threads)
    return runs[0], runs[1]
