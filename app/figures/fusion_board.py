"""What the compiler makes of a program, as the payload of the fusion board: graph, code, timelines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.figures.fusion import fused_words, stage_words
from app.figures.layout import Box, layout
from app.figures.units import duration, size
from engine.compiler.machine import Loop, MachineCode
from engine.compiler.stages import Entry
from engine.jsonable import encode
from engine.primitives import TABLE
from engine.studies.fusion import FusionResult, attainable, peak
from engine.studies.fusion_bench import EAGER, KERNEL, OPERATION, WHOLE
from engine.studies.fusion_costs import Compilation, Launch, total
from engine.studies.fusion_setup import STAGES
from engine.studies.fusion_stages import Passed

HEIGHT = 34.0  # of a node, for the layout
DRAWN_HEIGHT = 32.0
MAKES = re.compile(r"\s*v(\d+)(?:_sum|_part)? = ")
STORES = re.compile(r" = v(\d+)$")
WIDTH = 92.0  # at least
CHARACTER, SMALL_CHARACTER = 7.4, 5.4
NARROWER = 0.56  # of the room that is left between layers, none of which carries numbers here
HUES = ("value", "gradient", "parameter", "data", "tangent", "positive", "negative", "success")
TITLES = {
    "traced": "Trace",
    "numbers in place": "Constants",
    "without repeats": "Common subexpressions",
    "pruned": "Dead code",
    "fused": "Fusion",
}
KINDS = {"argument": "data", "captured": "parameter", "constant": "constant"}
SYMBOLS = {
    "sum": "Σ",
    "matmul": "@",
    "copy": "=",
    "descent": "SGD",
    "convolve": "∗",
    "scatter_add": "scatter",
}


def payload(
    result: FusionResult, passes: Sequence[Passed], height: int, present: bool, veiled: bool
) -> dict[str, Any]:
    found, setup = result.compilation, result.setup
    document = {
        "stage": STAGES.index(setup.stage),
        "stages": [stage(found, each) for each in passes],
        **graph(found),
        "program": setup.program.rstrip().split("\n"),
        "groups": groups(found),
        "code": code(result),
        "which": setup.code,
        "group": result.group,
        "lanes": lanes(result),
        "scale": setup.scale,
        "height_px": height,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


# ---- the graph


def stage(found: Compilation, passed: Passed) -> dict[str, Any]:
    return {
        "name": passed.stage.name,
        "title": TITLES[passed.stage.name],
        "said": stage_words(found, passed),
        "present": [entry.id for entry in passed.stage.entries],
        "removed": passed.removed,
        "changed": passed.changed,
        "idle": passed.idle,
        "edges": passed.edges,
    }


def graph(found: Compilation) -> dict[str, Any]:
    """Every node that is in any stage, from top to bottom, and a path for every edge in any stage."""
    entries = {entry.id: entry for stage in found.stages for entry in stage.entries}
    pairs = sorted({pair for stage in found.stages for entry in stage.entries for pair in _into(entry)})
    widths = {number: _width(found, entry) for number, entry in entries.items()}
    # laid out from left to right, and then turned
    boxes = tuple(Box(str(number), HEIGHT, widths[number]) for number in entries)
    placed = layout(boxes, tuple((str(source), str(reader)) for source, reader in pairs))
    groups = {node: k for k, launch in enumerate(found.fused) for node in launch.nodes}
    nodes = [
        node(found, entry)
        | {"at": _turned(placed.centres[str(number)]), "width": widths[number], "group": groups.get(number)}
        for number, entry in entries.items()
    ]
    paths = {
        f"{source}-{reader}": [_turned(point) for point in spline]
        for (source, reader), spline in zip(pairs, placed.splines, strict=True)
    }
    extent = [placed.height, placed.width * NARROWER]
    return {"nodes": nodes, "paths": paths, "size": extent, "node_height": DRAWN_HEIGHT}


def _into(entry: Entry) -> list[tuple[int, int]]:
    return [(source, entry.id) for source in entry.inputs if isinstance(source, int)]


def _turned(point: tuple[float, float]) -> tuple[float, float]:
    return round(point[1], 1), round(point[0] * NARROWER, 1)


def _width(found: Compilation, entry: Entry) -> float:
    text = f"{symbol(entry.operation)}  {found.names.get(entry.id, '')}"
    return max(WIDTH, CHARACTER * (len(text) + 2), SMALL_CHARACTER * (len(shape_of(found, entry)) + 2))


def node(found: Compilation, entry: Entry) -> dict[str, Any]:
    name = found.names.get(entry.id, "")
    given = entry.operation in KINDS
    return {
        "id": entry.id,
        "kind": KINDS.get(entry.operation, "operation" if found.lines.get(entry.id) else "backward"),
        "symbol": name or entry.operation if given else symbol(entry.operation),
        "name": "" if given else name,
        "shape": shape_of(found, entry),
        "facts": facts(found, entry),
        "lines": found.lines.get(entry.id, ()),
        "result": entry.id in found.results,
    }


def symbol(operation: str) -> str:
    """What stands in a node: the table's symbol, ∂ before it for the product with its partial."""
    name, is_product, _ = operation.partition("_product_")
    printed = SYMBOLS.get(name) or (TABLE[name].symbol if name in TABLE else name)
    return f"· ∂{printed}" if is_product else printed


def shape_of(found: Compilation, entry: Entry) -> str:
    return " × ".join(map(str, found.shapes.get(entry.id, entry.shape))) or "one number"


def facts(found: Compilation, entry: Entry) -> str:
    """One line about a node: what it computes, and what it moves where it is computed by itself."""
    name = found.names.get(entry.id, "")
    launch = next((each for each in found.eager if entry.id in each.nodes), None)
    if launch is None:
        return f"{name or entry.operation}: {shape_of(found, entry)}, given"
    computed = entry.formula.replace("math.", "") or entry.operation
    return (
        f"{f'{name}: ' if name else ''}{computed}, {shape_of(found, entry)}. By itself it reads "
        f"{size(launch.read)}, writes {size(launch.written)}, and does {launch.flops:,} operations."
    )


def groups(found: Compilation) -> list[dict[str, Any]]:
    return [
        {
            "name": ", ".join(map(symbol, launch.operations)),
            "hue": hue(k, launch),
            "nodes": launch.nodes,
            "has_kernel": bool(launch.source),
            "facts": fused_words(launch, k),
        }
        for k, launch in enumerate(found.fused)
    ]


def hue(k: int, launch: Launch) -> str:
    """One for each kernel, in turn; calls of a library are grey."""
    return HUES[k % len(HUES)] if launch.source else "constant"


# ---- code


def code(result: FusionResult) -> dict[str, Any]:
    """The listing of all; of one kernel its source, and its machine code once that was asked for."""
    found, machine = result.compilation, result.machine
    document: dict[str, Any] = {
        "loops": [{"text": line.text, "nodes": line.nodes} for line in found.listing],
        "kernel": kernel_lines(found.fused[result.group]) if result.group is not None else [],
        "machine": None,
    }
    if machine:
        text = machine.llvm if result.setup.code == "LLVM" else machine.assembly
        loops = machine.loops if result.setup.code == "assembly" else ()
        hot = max(loops, key=lambda loop: loop.vectors, default=None)
        start = hot.first if hot and hot.vectors else next(iter(text.vectors), 0)
        document["machine"] = {
            "which": result.setup.code,
            "group": result.group,
            "lines": text.lines,
            "vectors": text.vectors,
            "loops": [[loop.first, loop.last] for loop in loops],
            "start": start,
            "said": machine_words(machine, result.setup.code, hot),
        }
    return document


def machine_words(machine: MachineCode, which: str, hot: Loop | None) -> str:
    if not machine.bits:
        return "No instruction here works on several numbers at once."
    lanes = machine.bits // 32
    said = f"Marked: instructions on vectors, up to {machine.bits} bits or {lanes} numbers of float32 wide."
    if which == "assembly" and hot:
        said += f" Boxed: innermost loops; the one shown first has {hot.vectors} of them."
    return said


def kernel_lines(launch: Launch) -> list[dict[str, Any]]:
    """The function as it is compiled, each line with the node whose value it makes, joins or stores."""
    lines = launch.source.rstrip().split("\n")
    first = next(k for k, text in enumerate(lines) if text.startswith("def "))
    found = []
    for text in lines[first:]:
        value = MAKES.match(text) or STORES.search(text)
        found.append({"text": text, "nodes": [launch.values[int(value[1])]] if value else []})
    return found


# ---- timelines


def lanes(result: FusionResult) -> list[dict[str, Any]]:
    found = result.compilation
    eager = [block(result, OPERATION, k, each, None) for k, each in enumerate(found.eager)]
    fused = [block(result, KERNEL, k, each, hue(k, each)) for k, each in enumerate(found.fused)]
    return [
        lane("eager", result, EAGER, found.eager, eager, "Python, making results"),
        lane("fused", result, WHOLE, found.fused, fused, "the call, copying the result"),
    ]


def lane(
    name: str,
    result: FusionResult,
    way: str,
    launches: Sequence[Launch],
    blocks: list[dict[str, Any]],
    rest: str,
) -> dict[str, Any]:
    """One row: blocks as long as their bytes or their time, and what they leave over of a whole call."""
    timing = result.timing(way)
    left = None
    if timing and all(each["time"] is not None for each in blocks):
        left = max(timing.seconds.median - sum(each["time"] for each in blocks), 0.0)
    count = len(launches)
    noun = "operation" if name == "eager" else "kernel"
    moved = total(launches, "moved")
    return {
        "name": name,
        "blocks": blocks,
        "rest": None if left is None else {"time": left, "text": f"{rest}: {duration(left)}"},
        "said": {
            "bytes": f"{count} {noun}{'s' if count != 1 else ''}, {size(moved)} moved",
            "time": "not measured" if timing is None else f"{duration(timing.seconds.median)} a call",
        },
        "peak": peak(launches),
        "peak_text": f"temporaries: at most {size(peak(launches))}" if peak(launches) else "no temporaries",
    }


def block(result: FusionResult, series: str, k: int, launch: Launch, colour: str | None) -> dict[str, Any]:
    timing = result.timing(series, k)
    names = ", ".join(map(symbol, launch.operations))
    text = f"{names}: reads {size(launch.read)}, writes {size(launch.written)}"
    if launch.alive:
        text += f"; {size(launch.alive)} of temporaries meanwhile"
    if timing:
        text += f"; measured {duration(timing.seconds.median)}, {timing.rate.median:.3g} GB/s"
    if timing and result.peaks:
        text += f"; predicted {duration(attainable(launch, result.peaks))}"
    return {
        "nodes": launch.nodes,
        "label": names,
        "bytes": launch.moved,
        "time": timing.seconds.median if timing else None,
        "alive": launch.alive,
        "text": text,
        "hue": colour,
    }


def changed_fields(change: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the setup that something done in the board changes."""
    value = change["value"]
    match change["name"]:
        case "stage":
            return {"stage": STAGES[min(max(int(value), 0), len(STAGES) - 1)]}
        case "code" | "scale" as name:
            return {name: str(value)}
        case "group":
            return {"group": int(value)}
    return {}
