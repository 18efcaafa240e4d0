"""What layers compute, as functions: PyTorch's `torch.nn.functional`, names and meanings.

All are made of operations and primitives, so none has a derivative of its own, and each can be differentiated
to any order.

>>> import engine.nn.functional as F
>>> F.mse_loss(prediction, target)
"""

from engine.nn.functional.activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from engine.nn.functional.attention import attention_weights, scaled_dot_product_attention
from engine.nn.functional.convolution import conv1d, conv2d
from engine.nn.functional.dropout import dropout
from engine.nn.functional.linear import embedding, linear, one_hot
from engine.nn.functional.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    nll_loss,
)
from engine.nn.functional.normalisation import batch_norm, layer_norm, normalize
from engine.nn.functional.pooling import adaptive_avg_pool2d, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from engine.operations.shapes import pad

__all__ = [
    "adaptive_avg_pool2d",
    "attention_weights",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool1d",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "relu",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
