"""Operations on tensors, each written once: a function here, a method of tensors and a name in `engine`.

They are made of primitives (the table, `linear`, `bilinear`), so none has a derivative of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from engine import primitives
from engine.linear import sum_to
from engine.operations import conversion, elementwise, indexing, inplace, products, reductions, shapes
from engine.strided import Strided


def _operations(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The public functions that a module defines, by the name PyTorch calls them."""
    return {
        name.removesuffix("_") if name in ("float_", "bool_") else name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


SHAPES = _operations(shapes)
REDUCTIONS = _operations(reductions)
PRODUCTS = _operations(products)
INDEXING = _operations(indexing)
CONVERSION = _operations(conversion)
IN_PLACE = _operations(inplace)
ELEMENTWISE = {"clamp": elementwise.clamp, "reciprocal": elementwise.reciprocal}

SPECIAL: dict[str, Any] = {
    "sum_to": sum_to,
    "pow": elementwise.power,
    "where": elementwise.keep_where,
    "T": property(shapes.reversed_dimensions),
    "mT": property(shapes.matrix_transpose),
    "__pow__": elementwise.power,
    "__matmul__": products.matmul,
    "__getitem__": indexing.getitem,
    "__setitem__": indexing.setitem,
    "__iadd__": inplace.augmented(inplace.add_, primitives.add),
    "__isub__": inplace.augmented(inplace.sub_, primitives.sub),
    "__imul__": inplace.augmented(inplace.mul_, primitives.mul),
    "__itruediv__": inplace.augmented(inplace.div_, primitives.div),
}

# what takes a list of tensors, or is an operator or property under another name, is no method
NOT_METHODS = {
    "cat",
    "stack",
    "einsum",
    "getitem",
    "setitem",
    "reversed_dimensions",
    "matrix_transpose",
    "augmented",
    "refuse_on_tape",
    "write",
}

METHODS: dict[str, Any] = {
    name: function
    for group in (SHAPES, REDUCTIONS, PRODUCTS, INDEXING, CONVERSION, IN_PLACE, ELEMENTWISE)
    for name, function in group.items()
    if name not in NOT_METHODS
}

# what is also called as engine.name(x, …)
FUNCTIONS: dict[str, Any] = {
    name: function
    for group in (SHAPES, REDUCTIONS, PRODUCTS, INDEXING, ELEMENTWISE)
    for name, function in group.items()
    if name
    not in {"getitem", "setitem", "reversed_dimensions", "matrix_transpose", "view", "expand", "expand_as"}
}
FUNCTIONS["pow"] = elementwise.power
FUNCTIONS["clone"] = conversion.clone

for _name, _method in {**METHODS, **SPECIAL}.items():
    setattr(Strided, _name, _method)
