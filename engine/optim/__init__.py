"""Optimisers and learning-rate schedules, with PyTorch's names, defaults and meanings.

>>> import engine
>>> from engine import optim
>>> weight = engine.tensor([3.0], requires_grad=True)
>>> optimizer = optim.SGD([weight], lr=0.1)
>>> (weight * weight).sum().backward()
>>> optimizer.step()
>>> [round(w, 4) for w in weight.tolist()]
[2.4]
"""

from engine.optim import lr_scheduler
from engine.optim.adagrad import Adagrad
from engine.optim.adam import Adam, AdamW
from engine.optim.clipping import clip_grad_norm_, clip_grad_value_
from engine.optim.optimizer import Optimizer
from engine.optim.rmsprop import RMSprop
from engine.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm_",
    "clip_grad_value_",
    "lr_scheduler",
]
