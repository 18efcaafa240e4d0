"""The net for texts: tokens become vectors, filters slide over them, each keeps where it fires most."""

from __future__ import annotations

import engine
from engine import nn
from engine.nn import functional as F  # noqa: N812
from engine.tensor import Tensor
from engine.text.setup import TextSetup


class TextNet(nn.Module):
    """Numbers of tokens [n, longest] to a score [n, 1]: above 0 is good. Kim, "Convolutional neural networks
    for sentence classification", 2014; the tokens are words of a sentence, or letters of a word."""

    def __init__(self, setup: TextSetup) -> None:
        super().__init__()
        engine.manual_seed(setup.seed)
        self.embedding = nn.Embedding(setup.numbers, setup.embedding)
        with engine.no_grad():
            self.embedding.weight *= setup.spread
        self.convolution = nn.Conv1d(setup.embedding, setup.filters, setup.window)
        self.last = nn.Linear(setup.filters, 1)
        self.dropout = setup.dropout

    def fired(self, tokens: Tensor) -> Tensor:
        """How much each filter fires at each window: [n, filters, windows]."""
        found: Tensor = F.relu(self.convolution(self.embedding(tokens).transpose(1, 2)))
        return found

    def forward(self, tokens: Tensor) -> Tensor:
        most = self.fired(tokens).amax(2)
        out: Tensor = self.last(F.dropout(most, self.dropout, self.training))
        return out
