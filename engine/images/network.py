"""The net for digits: convolutions, each followed by pooling, then dense layers."""

from __future__ import annotations

from itertools import pairwise

import engine
from engine import nn
from engine.images.setup import ImagesSetup, read_channels
from engine.nn import functional as F  # noqa: N812
from engine.tensor import Tensor

CLASSES = 10


class Stage(nn.Module):
    """pooling(activation(convolution(x))): half as high and wide, rounded down."""

    def __init__(self, channels_in: int, channels: int, setup: ImagesSetup) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels_in, channels, setup.kernel, padding=setup.kernel // 2)
        self.activation = F.relu if setup.activation == "relu" else F.tanh
        self.pooling = F.max_pool2d if setup.pooling == "max" else F.avg_pool2d

    def maps(self, x: Tensor) -> Tensor:
        """What the convolution gives, activated: [n, channels, height, width]."""
        found: Tensor = self.activation(self.convolution(x))
        return found

    def forward(self, x: Tensor) -> Tensor:
        return self.pooling(self.maps(x), 2)


class ImageNet(nn.Module):
    """Images [n, 1, size, size] to a score for each digit, [n, 10]."""

    def __init__(self, setup: ImagesSetup) -> None:
        super().__init__()
        engine.manual_seed(setup.seed)
        counts = [1, *read_channels(setup.channels)]
        self.stages = nn.ModuleList([Stage(before, after, setup) for before, after in pairwise(counts)])
        edge = setup.size >> len(self.stages)
        if edge < 1:
            raise ValueError(f"{len(self.stages)} poolings leave nothing of {setup.size} pixels")
        flat = counts[-1] * edge * edge
        self.hidden = nn.Linear(flat, setup.hidden) if setup.hidden else None
        self.last = nn.Linear(setup.hidden or flat, CLASSES)
        self.activation = F.relu if setup.activation == "relu" else F.tanh
        self.dropout = setup.dropout

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.stages:
            x = stage(x)
        return self.scores(x)

    def scores(self, x: Tensor) -> Tensor:
        """From the last pooled maps on."""
        x = x.flatten(1)
        if self.hidden is not None:
            x = F.dropout(self.activation(self.hidden(x)), self.dropout, self.training)
        out: Tensor = self.last(x)
        return out

    def maps(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """The maps of each convolution, and the scores."""
        found = []
        for stage in self.stages:
            maps = stage.maps(x)
            found.append(maps)
            x = stage.pooling(maps, 2)
        return found, self.scores(x)
