"""The net for words: letters become numbers, filters slide over them, each keeps where it fires most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import engine
from engine import nn
from engine.nn import functional as F  # noqa: N812
from engine.tensor import Tensor
from engine.text.setup import LETTERS, LONGEST, TextSetup


def encoded(words: list[str]) -> NDArray[np.int64]:
    """Words as numbers of letters: int64 [n, LONGEST], 0 after the end."""
    codes = np.zeros((len(words), LONGEST), np.int64)
    for row, word in zip(codes, words, strict=True):
        row[: len(word)] = [LETTERS.index(letter) + 1 for letter in word[:LONGEST]]
    return codes


class WordNet(nn.Module):
    """Letters [n, LONGEST] to a score [n, 1]: above 0 is good. Kim, "Convolutional neural networks for
    sentence classification", 2014, with letters for words."""

    def __init__(self, setup: TextSetup) -> None:
        super().__init__()
        engine.manual_seed(setup.seed)
        self.embedding = nn.Embedding(len(LETTERS) + 1, setup.embedding)
        self.convolution = nn.Conv1d(setup.embedding, setup.filters, setup.window)
        self.last = nn.Linear(setup.filters, 1)
        self.dropout = setup.dropout

    def fired(self, letters: Tensor) -> Tensor:
        """How much each filter fires at each window: [n, filters, windows]."""
        found: Tensor = F.relu(self.convolution(self.embedding(letters).transpose(1, 2)))
        return found

    def forward(self, letters: Tensor) -> Tensor:
        most = self.fired(letters).amax(2)
        out: Tensor = self.last(F.dropout(most, self.dropout, self.training))
        return out
