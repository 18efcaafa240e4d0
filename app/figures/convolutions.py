"""A convolution as the payload of the convolution board: its tensors, what meets what, words and code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import product
from math import prod
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from app.figures.grids import cells, values_of
from engine.jsonable import encode
from engine.layout import row_major
from engine.studies.convolution_links import is_inside, meetings
from engine.studies.convolution_oracles import arguments, function_name
from engine.studies.convolution_setup import ConvolutionSetup, Source, Weights
from engine.studies.convolution_shapes import Plan
from engine.studies.convolutions import ConvolutionResult, run
from engine.studies.strides import written
from engine.studies.view_steps import OUTSIDE
from engine.tensor_summary import summarise

Numbers = NDArray[np.float64]

SOURCES = get_args(Source)
SIGNS = {"convolution": "⋆", "transposed": "⋆ᵀ", "max pooling": "max", "average pooling": "mean"}


def payload(result: ConvolutionResult, height: int, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Everything the board shows, as JSON. `veiled` hides the output while its size is to be predicted."""
    plan = result.plan
    document = {
        "operation": plan.operation,
        "sign": SIGNS[plan.operation],
        "meetings": [[(m.output, m.weight, m.input) for m in along] for along in meetings(plan)],
        "lengths": [{"name": axis.name, "formula": axis.formula} for axis in plan.axes],
        "input": _input(result),
        "weight": None if result.weight is None else _tensor(result.weight),
        "output": _tensor(result.output),
        "upstream": _tensor(result.upstream),
        "input_gradient": _tensor(result.input_gradient),
        "weight_gradient": None if result.weight_gradient is None else _tensor(result.weight_gradient),
        "winners": None if result.winners is None else result.winners.reshape(-1),
        "share": prod(plan.each("kernel")) if plan.operation == "average pooling" else 1,
        "note": note(plan),
        "step": min(result.setup.step, result.output.size - 1),
        "height_px": height,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _tensor(values: Numbers) -> dict[str, Any]:
    """A tensor, every element in a cell of its own."""
    own, flat = row_major(values.shape), values.reshape(-1)
    whole = [list(range(length)) for length in values.shape]
    made = cells(np.arange(values.size).reshape(values.shape), own.strides, shown=whole)  # type: ignore[arg-type]
    figures = asdict(summarise(flat, shape=values.shape, dtype="float64"))
    return {**made, "figures": figures, "values": values_of([made], [], flat)}


def _input(result: ConvolutionResult) -> dict[str, Any]:
    """The input with its padding around it: cells outside have indices below 0 or beyond, and no element."""
    made, plan = _tensor(result.values), result.plan
    reached = [range(plan.in_channels), *(axis.drawn for axis in plan.axes)]
    shape = plan.input_shape
    elements = [
        int(np.ravel_multi_index(index, shape)) if is_inside(plan, index) else OUTSIDE
        for index in product(*reached)
    ]
    return {**made, "shown": reached, "elements": elements}


def changed_fields(change: Mapping[str, Any]) -> dict[str, Any]:
    """What the board reported, as fields of the setup: a step, or the numbers of the kernel."""
    value = change["value"]
    return {"step": value["step"]} if change["name"] == "step" else {"weights": "own", "own": value["own"]}


def sizes(setup: ConvolutionSetup) -> list[str]:
    """The fields of sizes that this operation takes, in the order in which they are shown."""
    fields = ["kernel", "stride", "padding"]
    if setup.operation != "average pooling":
        fields.append("dilation")
    return [*fields, "output_padding"] if setup.operation == "transposed" else fields


def kernels(setup: ConvolutionSetup) -> list[str]:
    """The names of kernels to choose from; "own" is there once a number was changed."""
    return [name for name in get_args(Weights) if name != "own" or setup.weights == "own"]


def numbers_of_another_shape(setup: ConvolutionSetup) -> str:
    """Why a kernel's own numbers cannot be kept, once settings gave it another shape; else ""."""
    if setup.weights != "own" or setup.pools:
        return ""
    try:
        shape = run(setup.model_copy(update={"weights": "random"})).plan.weight_shape
    except ValueError:
        return ""
    count = setup.own.count(",") + 1
    if count == prod(shape):
        return ""
    return f"the kernel's own {count} numbers do not fill its new shape {written(shape)}: random ones do"


# ---- words


def note(plan: Plan) -> str:
    """What padding means here: it differs, and is often mistaken."""
    padded = any(plan.each("padding"))
    if plan.operation == "transposed":
        cut = "padding cuts cells off every side of y" if padded else "no padding: nothing is cut off y"
        return f"Each element of x writes a scaled copy of the kernel into y, one stride apart; {cut}."
    if not padded:
        return "No padding: windows stay inside the input."
    filled = "−∞, which is never the largest" if plan.operation == "max pooling" else "0"
    return f"Cells outside the input, dashed or grey, count as {filled}."


def question(result: ConvolutionResult) -> tuple[str, int]:
    """What is to be predicted of the output, and the answer."""
    last = result.plan.axes[-1]
    unit = "columns has" if len(result.plan.axes) > 1 else "elements has each channel of"
    return f"How many {unit} the output?", last.output


def topic(result: ConvolutionResult) -> str:
    """What a prediction is about: another size is another question."""
    return repr(result.plan)


# ---- code


def torch_code(result: ConvolutionResult) -> str:
    """Python source that does the same with PyTorch and prints the output and the gradients."""
    given = "".join(f", {name}={value}" for name, value in arguments(result.plan).items())
    leaves = {"x": result.values} | ({} if result.weight is None else {"w": result.weight})
    lines = ["import torch", "import torch.nn.functional as F", ""]
    lines += [f"{name} = {_literal(values)}.requires_grad_()" for name, values in leaves.items()]
    called = f"F.{function_name(result.plan)}(x[None]{', w' if result.weight is not None else ''}{given})[0]"
    lines += [f"y = {called}", f"y.backward({_literal(result.upstream)})", "print(y)"]
    return "\n".join([*lines, *(f"print({name}.grad)" for name in leaves), ""])


def _literal(values: Numbers) -> str:
    flat = ", ".join(f"{number:.17g}" for number in values.reshape(-1).tolist())
    return f"torch.tensor([{flat}], dtype=torch.float64).reshape({written(values.shape)})"
