"""A view of a storage, and the steps that led to it, as the payload of the tensor grid; words and code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.figures.grids import grid, storage, values_of
from engine.jsonable import encode
from engine.studies.strides import StridesResult, written
from engine.studies.view_steps import Bounds, Step, why_illegal
from engine.studies.walks import Comparison, Walk

AS_PREDICTED = 1.25  # a measured ratio within this factor of a predicted one agrees with it
FREE = 64  # how far numbers can be dragged when they may leave the storage


def payload(result: StridesResult, height: int, present: bool, veiled: bool = False) -> dict[str, Any]:
    """Everything the component shows, as JSON: every step with its grid, and the storages they look at.

    `veiled` keeps out of sight which steps copy, while that is to be predicted.
    """
    steps = result.steps
    grids = [grid(step, result.values) for step in steps]
    storages = [storage(steps, memory) for memory in range(steps[-1].memory + 1)]
    document = {
        "steps": [_step(step, made) for step, made in zip(steps, grids, strict=True)],
        "refused": result.refusal.call.text if result.refusal else "",
        "storages": storages,
        "values": values_of(grids, storages, result.values),
        "shown": result.shown,
        "axes": result.setup.axes,
        "editable": result.setup.edit == "strides",
        "bounds": asdict(_free(result.last) if result.setup.break_it else result.bounds),
        "break_it": result.setup.break_it,
        "height_px": height,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded


def _step(step: Step, made: dict[str, Any]) -> dict[str, Any]:
    return {
        "text": step.text,
        "kind": step.kind,
        "memory": step.memory,
        "contiguous": step.layout.is_contiguous,
        "lines": step.lines,
        "changes": step.line_changes,
        "problem": _sentence(why_illegal(step.layout, step.offset, len(step.storage))),
        "grid": made,
    }


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}.".replace("-", "−") if text else ""


def _free(step: Step) -> Bounds:
    rank = len(step.shape)
    return Bounds(((0, FREE),) * rank, ((-FREE, FREE),) * rank, (-FREE, FREE))


def changed_fields(value: Mapping[str, Any]) -> dict[str, Any]:
    """What the component reported, as fields of the setup that it may change."""
    return {name: value[name] for name in ("size", "stride", "offset", "step", "axes") if name in value}


# ---- words


def copied(result: StridesResult) -> int:
    """How many elements the steps copy in all."""
    return sum(step.layout.size for step in result.steps if not step.is_view)


def question(result: StridesResult) -> str:
    """What is to be predicted of a chain; "" where there is nothing to ask."""
    if result.setup.edit != "chain" or result.refusal or not result.calls:
        return ""
    return f"How many of its {result.steps[0].layout.size} numbers does {shown_code(chain(result))} copy?"


def chain(result: StridesResult) -> str:
    """The steps that were taken, in a line."""
    return "x" + "".join(call.text for call in result.calls[: len(result.steps) - 1])


def shown_code(text: str) -> str:
    """Text as Markdown code; a chain that could be read has no backquote in it."""
    return f"`{text}`"


def walk_table(comparison: Comparison) -> str:
    """Markdown: the view's walk and the contiguous one, predicted lines beside measured time."""
    rows = (("this view, enlarged", comparison.view), ("contiguous", comparison.contiguous))
    lines = ["| walk | shape | strides | cache lines | line changes | time an element, quartiles |"]
    lines += ["|---|---|---|--:|--:|--:|", *(_walk_row(name, walk) for name, walk in rows)]
    return "\n".join(lines)


def _walk_row(name: str, walk: Walk) -> str:
    low, high = walk.quartiles
    return (
        f"| {name} | {written(walk.shape)} | {written(walk.strides)} | {walk.lines:,} "
        f"| {walk.line_changes:,} | **{walk.nanoseconds:.2f} ns** ({low:.2f} to {high:.2f}) |"
    )


def walk_verdict(comparison: Comparison) -> str:
    """Markdown: the measured ratio beside the two that counting lines predicts."""
    kept, lost = comparison.predicted
    least, most, measured = min(kept, lost), max(kept, lost), comparison.measured
    if measured < least / AS_PREDICTED:
        why = "Less than either: adding the numbers up takes longer than fetching them."
    elif measured > most * AS_PREDICTED:
        why = "More than either: a walk in steps also gives up loading several elements at once."
    elif most <= least * AS_PREDICTED:
        why = "As predicted."
    else:
        why = "In between: the caches keep some of the lines until the walk comes back to them."
    return (
        f"An element of the view takes **{measured:.2f}×** as long as a contiguous one. Counting the lines "
        f"that must be fetched predicts **{kept:.2f}×** if each is kept once it was fetched, and "
        f"**{lost:.2f}×** if only the last one is. {why}"
    )


# ---- what to take away


def torch_code(result: StridesResult) -> str:
    """Python source that takes the same steps with PyTorch and prints each layout.

    Steps that PyTorch refuses are in it too, with their error; negative strides are numpy's.
    """
    setup, shape = result.setup, result.steps[0].shape
    lines = ["import torch", "", f"{_contents(result)}", f"x = x.reshape({written(shape)})"]
    lines += ["print(tuple(x.shape), x.stride(), x.storage_offset())"]
    for call in result.calls:
        lines += [
            "try:",
            f"    y = x{call.text}",
            "    shares = y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()",
            "    print(tuple(y.shape), y.stride(), y.storage_offset(), 'view' if shares else 'copy')",
            "    x = y",
            "except (RuntimeError, IndexError, ValueError) as error:",
            "    print(error)",
        ]
    if setup.break_it and not result.last.is_legal:
        lines.append("# as_strided past the end of the storage is refused; in C it would read other memory")
    return "\n".join([*lines, ""])


def _contents(result: StridesResult) -> str:
    setup, size = result.setup, result.steps[0].layout.size
    if setup.contents == "positions":
        return f"x = torch.arange({size}, dtype=torch.float32)"
    drawn = f"numpy.random.default_rng({setup.seed}).standard_normal({size}).astype('float32')"
    made = f"import numpy\n\nx = torch.from_numpy({drawn})"
    return f"{made}\nx[4::5] = torch.nan" if setup.contents == "random with NaN" else made
