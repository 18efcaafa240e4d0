"""A recorded step as the payload of its player, and the words around it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from app.figures.layout import Box, layout
from engine.jsonable import encode
from engine.studies.own_run import OwnRunResult, OwnRunSetup
from engine.studies.own_run_graph import Part
from engine.tracing.diagnosis import verdicts
from engine.tracing.trace import Figures, NumericCheck, Operation, TracedTensor

NODE_HEIGHT = 84.0
NODE_WIDTH = 138.0
CHARACTER_WIDTH = 7.6
BARS_WIDTH = 50.0  # of the histogram in the corner of a node
LONGEST_TITLE = 30
DIGITS = 4
FAILED = "failed"  # the node of the operation that could not be done


def payload(result: OwnRunResult, height: int, present: bool) -> dict[str, Any]:
    """Everything the player shows, as JSON; it steps through this without asking the server again."""
    steps = _steps(result)
    return {
        "signature": _signature(result),
        **_placed(result),
        "operators": {},
        "steps": steps,
        "symbols": {"derivative": "reverse", "output": "<mi>L</mi>", "seed": None},
        "source": "",
        "inputs": _parameters(result),
        "counts": verdicts(result.step),
        "opened": _opened(result),
        "start": _start(result, steps),
        "height_px": height,
        "present": present,
    }


def _start(result: OwnRunResult, steps: list[dict[str, Any]]) -> int:
    """The step shown first: the chosen one; at the end, that of the last wrong derivative if there is one."""
    if result.setup.step < len(steps):
        return result.setup.step
    bad = {part.id for part in result.picture.parts if _verdict(result, part) == "failed"}
    told = [place for place, step in enumerate(steps) if step["phase"] == "backward" and step["node"] in bad]
    return told[-1] if told else len(steps) - 1


def changed_fields(setup: OwnRunSetup, change: Mapping[str, Any]) -> dict[str, Any]:
    """What the player reported, as fields of the setup: a node to look at, or a call to fold or unfold."""
    if change["name"] == "look":
        return {"node": str(change["value"] or "")[:12]}
    toggled = [name for name in setup.toggled.split(",") if name]
    group = str(change["value"])
    toggled = [name for name in toggled if name != group] if group in toggled else [*toggled, group]
    return {"toggled": ",".join(toggled), "node": ""}


def _signature(result: OwnRunResult) -> str:
    """Changes exactly when the picture or the list of steps does."""
    parts = [(part.id, part.operands) for part in result.picture.parts]
    text = repr((result.file.key, result.step.number, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# ---- nodes and edges


def _placed(result: OwnRunResult) -> dict[str, Any]:
    parts = result.picture.parts
    nodes = [_node(result, part) for part in parts]
    edges = [(source, part.id, slot) for part in parts for slot, source in enumerate(part.operands)]
    failure = result.step.failure
    if failure is not None and not failure.backward and failure.operation:
        nodes.append(_failed_node(failure.operation, failure.place))
        places = result.picture.places
        sources = (places[each] for each in failure.inputs if each in places)
        edges += [(source, FAILED, slot) for slot, source in enumerate(dict.fromkeys(sources))]
    if not nodes:
        nodes = [_failed_node("nothing", "")]
    boxes = tuple(Box(node["id"], _width(node["symbol"]), NODE_HEIGHT) for node in nodes)
    placed = layout(boxes, tuple((source, target) for source, target, _ in edges))
    for node, box in zip(nodes, boxes, strict=True):
        x, y = placed.centres[box.id]
        node |= {"x": x, "y": y, "w": box.width, "h": box.height}
    return {
        "width": placed.width,
        "height": placed.height,
        "nodes": nodes,
        "edges": [
            {"from": source, "to": target, "slot": slot, "points": spline}
            for (source, target, slot), spline in zip(edges, placed.splines, strict=True)
        ],
    }


def _width(title: str) -> float:
    return max(NODE_WIDTH, CHARACTER_WIDTH * len(title) + 2 * BARS_WIDTH)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else f"…{text[1 - LONGEST_TITLE :]}"


def title(result: OwnRunResult, part: Part) -> str:
    """What is printed on a node: the module, the operation, or the leaf's name."""
    if part.group is not None:
        return _short(part.group.name)
    maker = result.makers.get(part.main)
    tensor = result.step.tensors[part.main]
    return _short(maker.name if maker else tensor.name or ("parameter" if tensor.requires_grad else "data"))


def _node(result: OwnRunResult, part: Part) -> dict[str, Any]:
    tensor = result.step.tensors[part.main]
    maker = result.makers.get(part.main)
    group, closable = part.group, part.closable
    kinds = {"parameter": "input", "data": "data", "result": "operator"}
    module = maker.groups[-1] if maker and maker.groups else None
    return {
        "id": part.id,
        "kind": "operator" if group else kinds[tensor.kind],
        "output": part.main == result.step.loss,
        "operator": maker.name if maker else "",
        "symbol": title(result, part),
        "title": (group.name if group else tensor.name or (maker.name if maker else tensor.kind)),
        "name": None,
        "math": _math(result, part.main),
        "span": None,
        "shape": written(tensor.shape),
        "dtype": tensor.dtype,
        "folded": part.id if group else None,
        "inside": len({id(result.makers[each]) for each in part.members if each in result.makers})
        if group
        else 0,
        "closable": None if closable is None else {"id": f"g{closable.call}", "title": _short(closable.name)},
        "verdict": _verdict(result, part),
        "place": maker.place if maker and not group else "",
        "rule": maker.rule if maker and not group else "",
        "module": "" if group or module is None else f"{module.name} ({module.kind})",
    }


def _failed_node(operation: str, place: str) -> dict[str, Any]:
    empty = {"output": False, "name": None, "span": None, "folded": None, "inside": 0, "closable": None}
    words = {"operator": operation, "symbol": operation, "title": operation, "place": place, "rule": ""}
    shown = {"math": f"<mtext>{escape(operation)}</mtext>", "shape": "failed", "dtype": "", "module": ""}
    return {"id": FAILED, "kind": "operator", "verdict": "failed", **empty, **words, **shown}


def _math(result: OwnRunResult, position: int) -> str:
    name = result.step.tensors[position].name
    return f"<mi>{escape(_short(name))}</mi>" if name else f"<msub><mi>t</mi><mn>{position}</mn></msub>"


def _verdict(result: OwnRunResult, part: Part) -> str | None:
    """The worst of a part's derivatives; None where there is none."""
    found = {check.verdict for check in result.checks_of(part)}
    return next((each for each in ("failed", "undecided", "passed") if each in found), None)


def written(shape: tuple[int, ...]) -> str:
    """(4, 5), and nothing for one number."""
    return str(shape) if shape else ""


# ---- steps


def figures(found: Figures, tensor: TracedTensor) -> dict[str, Any]:
    """A tensor in one line; every number of it that a node prints."""
    shown: dict[str, Any] = {
        name: None if value is None else encode(float(f"{value:.{DIGITS}g}"))
        for name, value in (("least", found.least), ("mean", found.mean), ("greatest", found.greatest))
    }
    one = not tensor.shape and found.finite
    shown |= {"shape": written(tensor.shape), "one": one, "nan": found.nan, "infinite": found.infinite}
    if one:
        shown["value"] = encode(found.mean)
    elif found.least is not None:
        shown["bins"] = found.bins
    return shown


def _steps(result: OwnRunResult) -> list[dict[str, Any]]:
    step = result.step
    made: list[dict[str, Any]] = []
    for part in result.picture.parts:
        tensor = step.tensors[part.main]
        values = {part.id: figures(tensor.value, tensor)} if tensor.value else {}
        made.append({"phase": "forward", "kind": "value", "node": part.id, "values": values})
    failure = step.failure
    if failure is not None and (failure.operation or not made):
        there = FAILED if not failure.backward and failure.operation else _last(result)
        said = f"{failure.error}: {failure.message}"
        made.append({"phase": "forward", "kind": "value", "node": there, "values": {}, "said": said})
    if step.loss is not None and step.tensors[step.loss].gradient is not None:
        made += _backward(result, step.loss)
    if not made:
        made.append({"phase": "forward", "kind": "value", "node": FAILED, "values": {}})
    return made


def _last(result: OwnRunResult) -> str:
    return result.picture.parts[-1].id if result.picture.parts else FAILED


def _backward(result: OwnRunResult, loss: int) -> list[dict[str, Any]]:
    """Each part sends gradients to its operands; a gradient is shown when its last contribution has come."""
    tensors, places = result.step.tensors, result.picture.places
    users: dict[str, set[str]] = {}
    for part in result.picture.parts:
        for operand in part.operands:
            users.setdefault(operand, set()).add(part.id)
    mains = {part.id: part.main for part in result.picture.parts}
    seed = tensors[loss].gradient
    assert seed is not None
    start = places[loss]
    made: list[dict[str, Any]] = [
        {
            "phase": "backward",
            "kind": "seed",
            "node": start,
            "gradients": {start: figures(seed, tensors[loss])},
        }
    ]
    for part in reversed(result.picture.parts):
        gradients, contributions = {}, []
        for operand in dict.fromkeys(part.operands):
            users[operand].discard(part.id)
            found = tensors[mains[operand]].gradient
            if not users[operand] and found is not None:
                gradients[operand] = figures(found, tensors[mains[operand]])
        for slot, operand in enumerate(part.operands):
            tensor = tensors[mains[operand]]
            if tensor.gradient is not None and tensors[part.main].gradient is not None:
                contributions.append(_contribution(result, part, slot, operand, tensor))
        if contributions:
            made.append(
                {
                    "phase": "backward", "kind": "cotangent", "node": part.id, "gradients": gradients,
                    "contributions": contributions,
                }
            )  # fmt: skip
    return made


def _contribution(
    result: OwnRunResult, part: Part, slot: int, operand: str, tensor: TracedTensor
) -> dict[str, Any]:
    product = {
        "shape": written(tensor.shape) or "one number", "one": False, "least": None, "mean": None,
        "greatest": None, "nan": 0, "infinite": 0,
    }  # fmt: skip
    found: dict[str, Any] = {"to": operand, "slot": slot, "product": product}
    maker: Operation | None = None if part.group else result.makers.get(part.main)
    if maker is not None and slot < len(maker.checks):
        found["check"] = shown_check(maker.checks[slot])
    return found


def shown_check(check: NumericCheck | None) -> dict[str, Any] | None:
    """A check as JSON, which has no infinity."""
    if check is None:
        return None
    encoded: dict[str, Any] = encode(check.model_dump())
    return encoded


# ---- beside the graph


def _parameters(result: OwnRunResult) -> list[dict[str, Any]]:
    """Every leaf that wants a gradient, with its check."""
    return [
        {
            "name": tensor.name or f"parameter {position}",
            "node": result.picture.places.get(position, ""),
            "shape": written(tensor.shape),
            "gradient": None if tensor.gradient is None else encode(tensor.gradient.norm),
            "check": shown_check(tensor.check),
            "gradients": [],
        }
        for position, tensor in enumerate(result.step.tensors)
        if tensor.kind == "parameter" and position in result.picture.places
    ]


def _opened(result: OwnRunResult) -> dict[str, Any] | None:
    """The inspected node: its cells, and the check of its gradient."""
    part = result.opened
    if part is None:
        return None
    tensor = result.step.tensors[part.main]
    named = (("value", tensor.value_array), ("gradient", tensor.gradient_array))
    cells = []
    for name, array in named:
        numbers = result.array(array)
        if numbers is not None and numbers.ndim:
            cells.append(
                {"name": name, "shape": numbers.shape, "numbers": _rounded(numbers), "whole": tensor.whole}
            )
    maker = None if part.group else result.makers.get(part.main)
    sends = [
        {"name": _called(result, source), "check": shown_check(check)}
        for source, check in (zip(maker.inputs, maker.checks, strict=False) if maker else ())
        if check is not None
    ]
    return {"node": part.id, "cells": cells, "check": shown_check(tensor.check), "sends": sends}


def _called(result: OwnRunResult, position: int) -> str:
    """A tensor's name, else what made it."""
    maker, name = result.makers.get(position), result.step.tensors[position].name
    return _short(name or (maker.name if maker else "data"))


def _rounded(numbers: np.ndarray[Any, Any]) -> list[Any]:
    return [encode(float(f"{value:.{DIGITS}g}")) for value in numbers.reshape(-1).tolist()]
