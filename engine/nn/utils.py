"""Helpers for training loops, under the names that PyTorch gives them."""

from engine.optim.clipping import clip_grad_norm_, clip_grad_value_

__all__ = ["clip_grad_norm_", "clip_grad_value_"]
