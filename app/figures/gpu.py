"""A launch as the payload of the GPU board: source, steps, memory, threads, costs, words and code."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, get_args

from engine.backends.cuda.analysis import SEGMENT
from engine.backends.cuda.kernels.source import Kernel
from engine.backends.cuda.simulator import simulate
from engine.jsonable import encode
from engine.studies.gpu import GpuResult, lanes_at_work
from engine.studies.gpu_setup import Capability, GpuSetup, KernelChoice, Mistake
from engine.studies.gpu_steps import Step
from engine.studies.gpu_timing import RUNS, Timed

KERNELS = get_args(KernelChoice)
MISTAKES = get_args(Mistake)
GPUS = get_args(Capability)
ROW = 32  # banks
SMALL = ("plain_matmul", "reverse", "uneven")  # kernels that are not the engine's


def payload(result: GpuResult, height: int, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Everything the board shows, as JSON. `veiled` hides what is to be predicted."""
    setup, kernel = result.setup, result.launched.kernel
    lines = kernel.source.rstrip().split("\n")
    first = next(number for number, line in enumerate(lines) if line.startswith("def "))
    document = {
        "source": {"name": kernel.name, "lines": lines[first:]},
        "origin": origin(result),
        "planted": [number - first for number in changed_lines(result.launched.job.kernel, kernel)],
        "line_costs": [{**cost, "line": cost["line"] - 1 - first} for cost in line_costs(result)],
        "steps": [encoded_step(step, first) for step in result.steps],
        "arrays": _arrays(result),
        "blocks": result.blocks,
        "block": result.block,
        "threads": result.threads,
        "fault": _fault(result, first),
        "verdict": verdict(result),
        "owners": result.owners,
        "counts": result.counts,
        "lanes": lanes_at_work(result),
        "sweep": result.sweep,
        "swept": {"title": title(result.sweep.field), "value": getattr(setup, result.sweep.field)},
        "occupancy": _occupancy(result),
        "step": min(setup.step, max(len(result.steps) - 1, 0)),
        "height_px": height,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def encoded_step(step: Step, first: int) -> list[Any]:
    """A step as a list: kind, line, warp, barriers before, array, threads, elements, values, costs."""
    where = [step.kind, step.line - 1 - first, step.warp, step.interval, step.array]
    return [*where, step.threads, step.elements, step.values, step.segments, step.sectors, step.passes]


def _arrays(result: GpuResult) -> list[dict[str, Any]]:
    """Global arrays with what they hold when the block begins; of shared ones the part that is used."""
    starts = iter(result.at_start())
    shapes = result.launched.job.shapes
    record = result.launched.record
    found = []
    for number, info in enumerate(record.arrays):
        size = prod(info.shape)
        used = int(record.element[record.array == number].max(initial=0)) + 1
        shared = info.space == "shared"
        shape = shapes.get(info.name)  # of a matrix or of images, which are drawn side by side
        found.append(
            {
                "name": info.name.rstrip("_"),
                "space": info.space,
                "shape": shape or info.shape,
                "size": size,
                "drawn": min(size, -(-used // ROW) * ROW) if shared else size,
                "width": prod(shape[:-2]) * shape[-1] if shape else SEGMENT // info.dtype.itemsize,
                "segmented": shape is None,
                "dtype": info.dtype.name,
                "itemsize": info.dtype.itemsize,
                "values": None if shared else next(starts),
            }
        )
    return found


def _fault(result: GpuResult, first: int) -> dict[str, Any] | None:
    fault = result.fault
    if fault is None:
        return None
    rows = set(fault.rows)
    here = [place for place, step in enumerate(result.steps) if rows & set(step.rows)]
    return {
        "kind": fault.kind,
        "message": fault.message,
        "more": fault.more,
        "why": fault.why,
        "block": fault.block,
        "step": result.fault_step,
        "steps": here or [result.fault_step],
        "threads": fault.threads,
        "lines": [line - 1 - first for line in fault.lines],
    }


def _occupancy(result: GpuResult) -> dict[str, Any]:
    found = result.occupancy
    return {
        "limits": found.limits,
        "limiting": found.limiting,
        "blocks": found.blocks,
        "warps": found.warps,
        "most": found.most_warps,
        "share": found.share,
        "gpu": result.setup.gpu,
    }


def changed_lines(right: Kernel, wrong: Kernel) -> list[int]:
    """The numbers of lines, from 0, that the mistake changed or added."""
    there = right.source.split("\n")
    return [number for number, line in enumerate(wrong.source.rstrip().split("\n")) if line not in there]


def line_costs(result: GpuResult) -> list[dict[str, Any]]:
    """For each line that touches memory: requests of warps, and what they come to, over the whole launch."""
    costs: dict[tuple[int, str], list[int]] = {}
    for use in result.traffic:
        total = costs.setdefault((use.site.line, "segments"), [0, 0])
        total[:] = total[0] + use.requests, total[1] + use.segments
    for bank in result.bank_use:
        total = costs.setdefault((bank.site.line, "passes"), [0, 0])
        total[:] = total[0] + bank.requests, total[1] + bank.passes
    return [
        {"line": line, "unit": unit, "requests": requests, "cost": cost}
        for (line, unit), (requests, cost) in sorted(costs.items())
    ]


def changed_fields(change: Mapping[str, Any]) -> dict[str, Any]:
    """What the board reported, as fields of the setup: a step, a block, or another value of the sweep."""
    value: Mapping[str, Any] = change["value"]
    if change["name"] == "sweep":
        return {value["field"]: value["value"], "step": 0, "block": 0}
    return {**value}


# ---- words


def origin(result: GpuResult) -> str:
    """Where the kernel comes from."""
    if result.launched.kernel.name in SMALL:
        return "a small kernel, made for this page"
    return "generated by the engine, as a GPU runs it"


def title(field: str) -> str:
    """A field's title within a sentence."""
    found = GpuSetup.model_fields[field].title or field
    return found if len(found) == 1 else found.lower()


def verdict(result: GpuResult) -> str:
    """Of a mistake that was planted and does not show."""
    if result.setup.mistake == "none" or result.fault is not None:
        return ""
    return (
        "The mistake is in the source, but these sizes hide it: no thread comes where it matters. It is one "
        "all the same; try an N that the tile does not divide, or more threads."
    )


def question(result: GpuResult) -> tuple[str, float]:
    """What is to be predicted, and the answer."""
    count = result.counts[0]
    asked = {
        "map": "How many segments of 128 bytes do all reads of a touch together?",
        "sum": "At how many barriers does every thread of a block wait?",
        "matmul": "How many numbers do all threads together read from global memory?",
        "convolution": "How many numbers do all threads together read from global memory?",
        "scatter add": "How many turns does one addition of a warp take?",
        "shared memory": "In how many passes can a warp read its 32 words?",
        "branches": "Which share of the lanes is at work in the loop, from 0 to 1?",
    }
    return asked[result.setup.kernel], float(count.predicted)


def topic(result: GpuResult) -> str:
    """What a prediction is about: another launch is another question."""
    return repr(result.setup.model_copy(update={"step": 0, "block": 0, "mistake": "none"}))


def same_launch(one: GpuSetup, other: GpuSetup) -> bool:
    """Whether only what is shown of it differs."""
    shown = {"step": 0, "block": 0}
    return one.model_copy(update=shown) == other.model_copy(update=shown)


def timing_table(timed: Timed) -> str:
    """Markdown: the parts of a launch on a real GPU."""
    parts = {
        "transfer to the GPU": timed.upload,
        "compilation, once": timed.compile,
        f"launch and run, median of {RUNS}": timed.run,
        "transfer back": timed.download,
    }
    rows = "\n".join(f"| {name} | **{microseconds:,.1f} µs** |" for name, microseconds in parts.items())
    right = "The result is that of the simulator. So small a launch is mostly its own overhead."
    end = right if timed.right else ":red[The result differs from numpy's.]"
    return f"| part | time |\n|---|--:|\n{rows}\n\n{end}"


# ---- code


def numba_code(result: GpuResult) -> str:
    """Python source that launches the same kernel with numba.cuda, on a GPU or in numba's own simulator."""
    job, kernel = result.launched.job, result.launched.kernel
    names = simulate(kernel.source, kernel.name).parameters
    lines = ["# NUMBA_ENABLE_CUDASIM=1 runs this without a GPU", *kernel.source.split("\n")[1:]]
    place = lines.index(next(line for line in lines if line.startswith("def ")))
    lines.insert(place, "@cuda.jit")
    for name, value in zip(names, job.arguments, strict=True):
        given = result.launched.before.get(name)
        lines.append(f"{name} = {value}" if given is None else f"{name} = {_literal(given)}")
    call = f"{kernel.name}[{_shape(job.grid)}, {_shape(job.block)}]({', '.join(names)})"
    return "\n".join([*lines, call, "print(out_)", ""])


def _literal(values: Any) -> str:
    if not values.any():
        return f"np.zeros({values.size}, np.float32)"
    return f"np.array([{', '.join(f'{value:g}' for value in values)}], np.{values.dtype})"


def _shape(shape: tuple[int, ...]) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)
