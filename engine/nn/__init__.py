"""Neural networks: modules, layers, losses and initialisers, named and behaving as in `torch.nn`.

>>> from engine import nn
>>> model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
>>> loss = nn.MSELoss()(model(inputs), targets)
"""

from engine.nn import functional, init, utils
from engine.nn.layers import *  # noqa: F403  (every layer; see its __all__)
from engine.nn.layers import __all__ as _layers
from engine.nn.module import Module
from engine.nn.parameter import Parameter

__all__ = ["Module", "Parameter", "functional", "init", "utils", *_layers]
