"""Steps of `nn.functional`: convolution, pooling, activations, normalisation, attention, losses."""

from __future__ import annotations

from typing import Any

from tests.engine.tensors.builder import MARGIN, Builder, Known, Rejected
from tests.engine.tensors.recipes.elementwise import apart


def functional(b: Builder, name: str, *arguments: Any, **options: Any) -> Known:
    """A call of a function in `nn.functional`, which has no method."""
    return b.call(f"nn.functional.{name}", *arguments, forms="f", **options)


def signal(b: Builder, rank: int) -> Known:
    """[batch, channels, length] or [batch, channels, height, width], or without batch; maybe a new leaf."""
    try:
        return b.operand(
            lambda x: x.ndim in (rank + 1, rank + 2) and x.numel >= 12 and min(x.shape[-rank:]) > 1
        )
    except Rejected:
        sizes = [b.random.randint(2, 6 if rank == 1 else 4) for _ in range(rank)]
        return b.leaf(([b.random.randint(1, 2)] if b.chance(0.7) else []) + [b.random.randint(1, 4), *sizes])


def one_or_each(b: Builder, rank: int, low: int, high: int) -> Any:
    """A number for all directions, or a tuple of one for each."""
    if b.chance(0.5):
        return b.random.randint(low, high)
    return tuple(b.random.randint(low, high) for _ in range(rank))


def each(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else value


def convolution(b: Builder) -> None:
    rank = b.random.choice((1, 2))
    x = signal(b, rank)
    sizes, channels = x.shape[-rank:], x.shape[-rank - 1]
    groups = b.random.choice([n for n in (1, 2, 4) if channels % n == 0])
    outputs = groups * b.random.randint(1, 2)
    kernel = [b.random.randint(1, min(3, n)) for n in sizes]
    options: dict[str, Any] = {}
    if b.chance(0.5):
        options["bias"] = b.leaf((outputs,))
    if b.chance(0.5):
        options["stride"] = one_or_each(b, rank, 1, 2)
    dilation = one_or_each(b, rank, 1, 2) if b.chance(0.3) else 1
    if b.chance(0.6):
        same = "stride" not in options and b.chance(0.4)
        options["padding"] = b.random.choice(("same", "valid")) if same else one_or_each(b, rank, 0, 2)
    padding = options.get("padding", 0)
    padded = 0 if padding == "valid" else 4 if padding == "same" else padding
    reach = zip(sizes, kernel, each(dilation, rank), each(padded, rank), strict=True)
    if any(n + 2 * p < (k - 1) * d + 1 for n, k, d, p in reach):
        raise Rejected
    if dilation != 1:
        options["dilation"] = dilation
    if groups != 1:
        options["groups"] = groups
    weight = b.leaf((outputs, channels // groups, *kernel), -1.0, 1.0)
    skipped = set(options) != set(("bias", "stride", "padding", "dilation", "groups")[: len(options)])
    functional(b, f"conv{rank}d", x, weight, only=tuple(options) if skipped else (), **options)


def pooling(b: Builder) -> None:
    rank = b.random.choice((1, 2))
    x = signal(b, rank)
    kernel = one_or_each(b, rank, 1, 2)
    if any(n < k for n, k in zip(x.shape[-rank:], each(kernel, rank), strict=True)):
        raise Rejected
    options: dict[str, Any] = {"kernel_size": kernel}
    if b.chance(0.6):
        options["stride"] = one_or_each(b, rank, 1, 2)
    if b.chance(0.6) and min(each(kernel, rank)) == 2:
        options["padding"] = 1
    if b.chance(0.5):
        options["ceil_mode"] = True
    if b.chance(0.5):
        if b.chance(0.6):
            options["count_include_pad"] = b.chance(0.5)
        functional(b, f"avg_pool{rank}d", x, only=tuple(options)[1:], **options)
        return
    values = x.tensor.flatten().sort().values
    if bool((values.diff() < MARGIN).any()):  # a tie within a window
        raise Rejected
    if b.chance(0.4) and min(x.shape[-rank:]) > 2:
        options["dilation"] = one_or_each(b, rank, 1, 2)
    functional(b, f"max_pool{rank}d", x, only=tuple(options)[1:], **options)


def adaptive_pooling(b: Builder) -> None:
    x = signal(b, 2)
    sizes = tuple(b.random.choice([k for k in range(1, n + 1) if n % k == 0]) for n in x.shape[-2:])
    functional(b, "adaptive_avg_pool2d", x, output_size=sizes)


def activation(b: Builder) -> None:
    name = b.random.choice(("gelu", "silu", "softplus", "leaky_relu", "elu", "relu", "sigmoid", "tanh"))
    x = b.operand(lambda x: x.largest < 5.0 and x.clear_of(0.0))
    options: dict[str, Any] = {}
    if name == "gelu" and b.chance(0.5):
        options["approximate"] = b.random.choice(("none", "tanh"))
    if name == "softplus" and b.chance(0.5):
        options = {"beta": b.random.choice((0.5, 1.0, 2.0)), "threshold": 20.0}
    if name == "leaky_relu" and b.chance(0.5):
        options["negative_slope"] = 0.2
    if name == "elu" and b.chance(0.5):
        options["alpha"] = 1.5
    functional(b, name, x, only=tuple(options) if name == "gelu" else (), **options)


def softmaxes(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim > 0 and x.numel > 0)
    functional(b, b.random.choice(("softmax", "log_softmax")), x, only=("dim",), dim=b.dim(x))


def no_dropout(b: Builder) -> None:
    """Dropout outside training, which changes nothing; in training it is random."""
    options: dict[str, Any] = {"p": 0.3} if b.chance(0.5) else {}
    functional(b, "dropout", b.operand(), only=("training",), **options, training=False)


def linear_map(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim > 0)
    outputs = b.random.randint(1, 4)
    weight = b.leaf((outputs, x.shape[-1]))
    if b.chance(0.6):
        functional(b, "linear", x, weight, bias=b.leaf((outputs,)))
    else:
        functional(b, "linear", x, weight)


def normalisation(b: Builder) -> None:
    way = b.random.randrange(3)
    if way == 0:
        x = b.operand(lambda x: x.ndim > 0 and x.shape[-1] > 1)
        start = b.random.randrange(x.ndim)
        shape = x.shape[start:]
        if not x.numel or not bool((x.tensor.var(tuple(range(start, x.ndim)), correction=0) > 0.01).all()):
            raise Rejected  # what is divided by the deviation of nearly equal numbers is mostly rounding
        options: dict[str, Any] = {"normalized_shape": shape}
        if b.chance(0.6):
            options |= {"weight": b.leaf(shape), "bias": b.leaf(shape)}
        if b.chance(0.4):
            options["eps"] = 0.1
        functional(b, "layer_norm", x, only=("weight", "bias", "eps"), **options)
    elif way == 1:
        # torch's gradient of a 4-d batch_norm can be wrong: see test_differences
        x = b.operand(lambda x: x.ndim in (2, 3) and x.shape[1] > 0 and x.numel // x.shape[1] > 1)
        channels = (x.shape[1],)
        options = {"training": True} if b.chance(0.5) else {}
        running = (
            [b.leaf(channels, 0.5, 2.0, requires_grad=False) for _ in range(2)]
            if not options
            else [None, None]
        )
        if b.chance(0.6):
            options |= {"weight": b.leaf(channels), "bias": b.leaf(channels)}
        options["eps"] = 0.1
        if b.chance(0.3):
            options["momentum"] = 0.3
        functional(b, "batch_norm", x, *running, only=tuple(options), **options)
    else:
        x = b.operand(lambda x: x.ndim > 0 and x.numel > 0 and x.clear_of(0.0))
        options = {"dim": b.dim(x)}
        if x.shape[options["dim"]] < 2 or x.tensor.norm(dim=options["dim"]).min() < 0.1:
            raise Rejected  # x/|x| of one number, or of a short vector
        if b.chance(0.4):
            options |= {"p": b.random.choice((2.0, 3.0, 1.0)), "eps": 0.5}
        functional(b, "normalize", x, only=tuple(options), **options)


def attention(b: Builder) -> None:
    length, width = b.random.randint(1, 4), b.random.randint(1, 4)
    batch = [b.random.randint(1, 2) for _ in range(b.random.randint(0, 2))]
    try:
        query = b.operand(lambda x: x.ndim >= 2 and x.numel > 0)
        *batch, length, width = query.shape
    except Rejected:
        query = b.leaf((*batch, length, width))
    keys = b.random.randint(1, 4)
    key, value = b.leaf((*batch, keys, width)), b.leaf((*batch, keys, b.random.randint(1, 3)))
    options: dict[str, Any] = {"dropout_p": 0.0} if b.chance(0.3) else {}
    if b.chance(0.3):
        options["scale"] = 0.7
    if b.chance(0.3):
        options["is_causal"] = True
    elif b.chance(0.4):
        options["attn_mask"] = b.leaf((length, keys), requires_grad=False)
    functional(b, "scaled_dot_product_attention", query, key, value, only=tuple(options), **options)


def reduction(b: Builder) -> dict[str, Any]:
    return {"reduction": b.random.choice(("mean", "sum", "none"))} if b.chance(0.6) else {}


def regression_loss(b: Builder) -> None:
    x = b.operand(lambda x: x.numel > 0)
    target = b.leaf(x.shape, requires_grad=b.chance(0.3))
    if not apart(x, target):
        raise Rejected
    functional(b, b.random.choice(("mse_loss", "l1_loss")), x, target, only=("reduction",), **reduction(b))


def binary_loss(b: Builder) -> None:
    x = b.operand(lambda x: x.numel > 0 and x.largest < 5.0)
    target = b.leaf(x.shape, 0.0, 1.0, requires_grad=False)
    options = reduction(b)
    if b.chance(0.3):
        options["weight"] = b.leaf(x.shape, 0.5, 2.0, requires_grad=False)
    if b.chance(0.5):
        probability = b.call("sigmoid", x)
        functional(b, "binary_cross_entropy", probability, target, only=tuple(options), **options)
        return
    if x.ndim and b.chance(0.3):
        options["pos_weight"] = b.leaf(x.shape[-1:], 0.5, 2.0, requires_grad=False)
    functional(b, "binary_cross_entropy_with_logits", x, target, only=tuple(options), **options)


def class_loss(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim in (1, 2, 3) and x.numel > 0)
    classes = x.shape[0 if x.ndim == 1 else 1]
    target = b.integers(() if x.ndim == 1 else (x.shape[0], *x.shape[2:]), 0, classes)
    options = reduction(b)
    if b.chance(0.3):
        options["weight"] = b.leaf((classes,), 0.5, 2.0, requires_grad=False)
    if b.chance(0.5) and bool((target.tensor != 0).any()):  # a mean over nothing is NaN
        options["ignore_index"] = 0
    if b.chance(0.5):
        scores = functional(b, "log_softmax", x, only=("dim",), dim=0 if x.ndim == 1 else 1)
        functional(b, "nll_loss", scores, target, only=tuple(options), **options)
        return
    if b.chance(0.3):
        options["label_smoothing"] = 0.1
    functional(b, "cross_entropy", x, target, only=tuple(options), **options)


def embedded(b: Builder) -> None:
    rows = b.random.randint(2, 5)
    index = b.integers([b.random.randint(1, 3) for _ in range(b.random.randint(0, 2))], 0, rows)
    if b.chance(0.3):
        functional(b, "one_hot", index, num_classes=rows)
    elif b.chance(0.3):
        functional(
            b,
            "embedding",
            index,
            b.leaf((rows, 3)),
            only=("padding_idx",),
            padding_idx=b.random.randrange(rows),
        )
    else:
        functional(b, "embedding", index, b.leaf((rows, 3)))


def padding(b: Builder) -> None:
    x = b.operand(lambda x: x.ndim > 0 and x.numel > 0, kinds=("float", "float", "int64"))
    amounts = [b.random.randint(-1, 2) for _ in range(2 * b.random.randint(1, x.ndim))]
    lengths = [
        n + left + right
        for n, left, right in zip(reversed(x.shape), amounts[::2], amounts[1::2], strict=False)
    ]
    if min(lengths) < 1 or any(
        n + min(left, 0) + min(right, 0) < 0
        for n, left, right in zip(reversed(x.shape), amounts[::2], amounts[1::2], strict=False)
    ):
        raise Rejected
    options: dict[str, Any] = {}
    if b.chance(0.4):
        options = {"mode": "constant", "value": 1 if x.kind == "int64" else 0.5}
    functional(b, "pad", x, tuple(amounts), **options)


RECIPES = {
    convolution: 4,
    pooling: 5,
    adaptive_pooling: 1,
    activation: 4,
    softmaxes: 1,
    linear_map: 2,
    no_dropout: 1,
    normalisation: 4,
    attention: 2,
    regression_loss: 2,
    binary_loss: 2,
    class_loss: 3,
    embedded: 2,
    padding: 2,
}
