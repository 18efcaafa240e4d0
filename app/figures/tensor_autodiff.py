"""A tensor program's result as the payload of the tensor player: graph, steps, memory, the opened node."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures.layout import Box, layout
from app.figures.player import name_of
from app.figures.tensor_lens import lens
from engine.expression import ExpressionError
from engine.jsonable import encode
from engine.oracles import torch_is_loaded
from engine.studies.study import Check
from engine.studies.tensor_autodiff import (
    TensorAutodiffResult,
    TensorAutodiffSetup,
    chosen_sizes,
    kept_by_torch,
)
from engine.studies.tensor_autodiff_export import torch_program
from engine.studies.tensor_autodiff_graph import Part, TensorNode, edges, operator_name, symbol
from engine.studies.tensor_autodiff_language import parse
from engine.studies.tensor_autodiff_node import numbers
from engine.studies.tensor_autodiff_sweep import Saved
from engine.tensor_summary import summarise

NODE_HEIGHT = 84.0
NODE_WIDTH = 138.0
CHARACTER_WIDTH = 7.6
BARS_WIDTH = 50.0  # of the histogram in the corner of a node
DIGITS = 4  # of a figure; the player prints at most three


def payload(
    result: TensorAutodiffResult, checks: Sequence[Check], height: int, present: bool, veiled: bool = False
) -> dict[str, Any]:
    """Everything the player shows, as JSON; it steps through this without asking the server again.

    `veiled` holds the bytes back, while they are to be predicted.
    """
    opened = result.opened
    steps = _steps(result)
    return {
        "signature": _signature(result),
        **_placed(result),
        "operators": {},
        "steps": steps,
        "symbols": {"derivative": "reverse", "output": "<mi>L</mi>", "seed": None},
        "source": result.program.source,
        "inputs": [_parameter(result, node, checks) for node in result.parameters()],
        "memory": _memory(result),
        "opened": lens(result, opened) if opened else None,
        "zoom": result.setup.zoom,
        "start": min(result.setup.step, len(steps) - 1),
        "height_px": height,
        "present": present,
        "veiled": veiled,
    }


def changed_fields(setup: TensorAutodiffSetup, change: Mapping[str, Any]) -> dict[str, Any]:
    """What the player reported, as fields of the setup: a node to look at, or a group to fold or unfold."""
    if change["name"] == "look":
        return {"node": str(change["value"]["node"] or ""), "zoom": change["value"]["zoom"]}
    toggled = [name for name in setup.toggled.split(",") if name]
    group = str(change["value"])
    toggled = [name for name in toggled if name != group] if group in toggled else [*toggled, group]
    return {"toggled": ",".join(toggled), "node": ""}


def _signature(result: TensorAutodiffResult) -> str:
    """Changes exactly when the picture or the list of steps does; numbers alone leave it as it is."""
    shapes = [(part.id, part.operands, part.main.tensor.shape, symbol(part.main)) for part in result.parts]
    text = repr((result.program.source, shapes, [part.id for part in result.back]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# ---- nodes and edges


def _placed(result: TensorAutodiffResult) -> dict[str, Any]:
    boxes = tuple(Box(part.id, _width(part), NODE_HEIGHT) for part in result.parts)
    links = tuple((source, target) for source, target, _ in edges(result.parts))
    slots = [slot for _, _, slot in edges(result.parts)]
    placed = layout(boxes, links)
    return {
        "width": placed.width,
        "height": placed.height,
        "nodes": [
            _node(result, part, box, placed.centres[part.id])
            for part, box in zip(result.parts, boxes, strict=True)
        ],
        "edges": [
            {"from": source, "to": target, "slot": slot, "points": spline}
            for (source, target), slot, spline in zip(links, slots, placed.splines, strict=True)
        ],
    }


def _width(part: Part) -> float:
    return max(NODE_WIDTH, CHARACTER_WIDTH * len(title(part)) + 2 * BARS_WIDTH)


def title(part: Part) -> str:
    """What is printed on a node: a folded group's name, else the operator's sign or the input's name."""
    return part.group.title if part.group else symbol(part.main)


def _node(result: TensorAutodiffResult, part: Part, box: Box, centre: tuple[float, float]) -> dict[str, Any]:
    main = part.main
    span = part.group.span if part.group and part.group.kind == "function" else main.span
    return {
        "id": part.id,
        "kind": "operator" if part.group else main.kind,
        "output": main.position == result.sweep.output,
        "operator": part.group.title if part.group else operator_name(main),
        "symbol": title(part),
        "name": main.name,
        "math": name_of(main.name, main.position),
        "x": centre[0],
        "y": centre[1],
        "w": box.width,
        "h": box.height,
        "span": None if span is None else (span.line, span.start, span.end),
        "shape": written(main.tensor.shape),
        "dtype": main.tensor.dtype.name,
        "folded": part.group.id if part.group else None,
        "inside": sum(member.kind == "operator" for member in part.members) if part.group else 0,
        "closable": None if part.closable is None else {"id": part.closable.id, "title": part.closable.title},
    }


def written(shape: Sequence[int]) -> str:
    """(4, 5), and nothing for one number."""
    return str(tuple(shape)) if len(shape) else ""


# ---- steps


def figures(values: NDArray[Any]) -> dict[str, Any]:
    """A tensor in one line; every number of it that a node prints."""
    summary = summarise(values)
    found: dict[str, Any] = {
        name: None if value is None else encode(float(f"{value:.{DIGITS}g}"))
        for name, value in (("least", summary.least), ("mean", summary.mean), ("greatest", summary.greatest))
    }
    found |= {
        "shape": written(summary.shape),
        "one": values.size == 1,
        "nan": summary.nan,
        "infinite": summary.infinite,
    }
    if values.size == 1:
        found["value"] = encode(float(values.reshape(-1)[0]))
    elif summary.least is not None:
        found["bins"] = summary.bins
    return found


def _steps(result: TensorAutodiffResult) -> list[dict[str, Any]]:
    parts = result.parts
    steps: list[dict[str, Any]] = [
        {"phase": "forward", "kind": "value", "node": part.id, "values": {part.id: _value(part)}}
        for part in parts
    ]
    output = result.part_of(result.sweep.output).id
    seed = figures(numbers(result.sweep.gradients[result.sweep.output]))
    note = "the derivative of the output with respect to itself"
    steps.append(
        {"phase": "backward", "kind": "seed", "node": output, "gradients": {output: seed}, "note": note}
    )
    return steps + [_backward(result, part) for part in result.back]


def _value(part: Part) -> dict[str, Any]:
    return figures(part.main.tensor.detach().numpy())


def _backward(result: TensorAutodiffResult, part: Part) -> dict[str, Any]:
    """One part sends its gradient to its operands; what a folded part sends inside itself is not shown."""
    gradients: dict[str, Any] = {}
    contributions = []
    places = _slots(part)
    for member in reversed(part.members):
        single = len(part.members) == 1
        for each in result.sweep.sent.get(member.position, ()):
            target = result.part_of(each.source)
            if target.id == part.id:
                continue
            if each.source == target.main.position:
                gradients[target.id] = figures(numbers(each.after))
            slot = places[each.slot] if single else part.operands.index(target.id)
            contributions.append({"to": target.id, "slot": slot, "product": figures(numbers(each.amount))})
    return {
        "phase": "backward",
        "kind": "cotangent",
        "node": part.id,
        "gradients": gradients,
        "contributions": contributions,
    }


def _slots(part: Part) -> dict[int, int]:
    """The edge of every operand of a single tensor; plain numbers have none."""
    tensors = [slot for slot, operand in enumerate(part.main.operands) if isinstance(operand, int)]
    return {slot: edge for edge, slot in enumerate(tensors)}


# ---- parameters and memory


def _parameter(result: TensorAutodiffResult, node: TensorNode, checks: Sequence[Check]) -> dict[str, Any]:
    """One parameter with its gradient, the step that completes it, and whether torch has the same."""
    gradient = result.gradient(node)
    found = next((check for check in checks if check.name == f"|∂L/∂{node.name}|"), None)
    return {
        "name": node.name,
        "node": result.part_of(node.position).id,
        "shape": written(node.tensor.shape),
        "gradient": None if gradient is None else encode(float(np.linalg.norm(gradient))),
        "arrives": result.arrivals.get(node.position),
        "agrees": None if found is None else found.passed,
    }


def _memory(result: TensorAutodiffResult) -> dict[str, Any]:
    memory = result.memory
    return {
        "kept": memory.kept,
        "gradients": memory.gradients,
        "inputs": memory.inputs,
        "everything": memory.everything,
        "saved": [_saved(result, saved) for saved in sorted(memory.saved, key=lambda each: each.born)],
    }


def _saved(result: TensorAutodiffResult, saved: Saved) -> dict[str, Any]:
    readers = list(dict.fromkeys(result.part_of(reader).id for reader in saved.readers))
    node = result.nodes[saved.node] if saved.node >= 0 else None
    return {
        "node": result.part_of(saved.node).id if node else readers[0],
        "math": name_of(node.name, node.position) if node else "<mtext>places</mtext>",
        "shape": written(node.tensor.shape) if node else "",
        "bytes": saved.bytes,
        "input": saved.is_input,
        "readers": readers,
        "born": saved.born,
        "dies": saved.dies,
    }


# ---- the words around the player


def sizes(setup: TensorAutodiffSetup) -> Mapping[str, int]:
    """The sizes that the program leaves open, with their values; none while it has an error."""
    try:
        return chosen_sizes(setup, parse(setup.program))
    except ExpressionError:
        return {}


def without_view(setup: TensorAutodiffSetup) -> TensorAutodiffSetup:
    """The setup without where one looks: what makes it an example."""
    return setup.model_copy(update={"node": "", "zoom": "graph", "step": 0, "toggled": ""})


def question(result: TensorAutodiffResult) -> tuple[str, str, float]:
    """What to predict: topic, prompt and answer."""
    topic = f"{result.program.source} {dict(result.sizes)} {result.setup.dtype}"
    prompt = "How many bytes of results must be kept for the backward pass, at most?"
    return topic, prompt, float(max(result.memory.kept))


def notes(result: TensorAutodiffResult) -> str:
    """What keeping less would save, in numbers of this program."""
    memory = result.memory
    kept, everything = max(memory.kept), memory.everything
    share = f" ({100 * kept / everything:.0f} %)" if everything else ""
    fused = ""
    if torch_is_loaded():
        fused = f": PyTorch, on the same text, keeps {kept_by_torch(result):,} bytes"
    lines = [
        *_broadcast_note(result),
        f"- Of {everything:,} bytes of results the backward pass needs {kept:,}{share}. This page keeps all "
        "of them, so that you can look; PyTorch frees the others at once.",
        "- Softmax, cross entropy, layer norm and pooling are made of elementary operators here, which keep "
        f"what lies between them. A fused operator keeps less and computes the rest again{fused}.",
    ]
    return "\n".join(lines)


def _broadcast_note(result: TensorAutodiffResult) -> list[str]:
    """The first result that broadcasting made larger than its operands, which is often a mistake."""
    node = result.grown()
    if node is None:
        return []
    shapes = " and ".join(str(result.nodes[source].tensor.shape) for source in node.sources)
    return [
        f"- **Is that meant?** At {node.name or f'v{node.position}'} the shapes {shapes} broadcast to "
        f"{node.tensor.shape}, larger than each of them; every gradient behind it is a sum over the copies."
    ]


def torch_code(result: TensorAutodiffResult) -> str:
    """The same program in PyTorch, with this page's numbers drawn in the same way."""
    setup = result.setup
    return torch_program(result.program, result.sizes, setup.dtype, setup.seed)
