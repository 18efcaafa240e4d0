"""Source lines with the parallel loops that numba found, and machine code with its vector instructions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.compiler.assembly import Instruction, Loop
from engine.jsonable import encode
from engine.parallel.diagnostics import Diagnosis, Found
from engine.parallel.loops import LOOPS
from engine.parallel.simd import VARIATIONS, Compiled
from engine.studies.speedups import SpeedupsResult

GROUP_HUES = ("value", "parameter", "data", "tangent", "gradient")
KINDS = {"vector": "value", "scalar": "error", "move": "parameter", "address": ""}


def panes(result: SpeedupsResult, present: bool, veiled: bool = False) -> dict[str, Any]:
    """The panes of marked code of “Loops found” or “SIMD”."""
    if result.diagnosis:
        document = _diagnosed(result.diagnosis)
    else:
        assert result.loops is not None
        document = _compiled_twice(result, result.loops)
    document |= {"height_px": 0, "present": present, "veiled": veiled}
    encoded: dict[str, Any] = encode(document)
    return encoded


def _line(text: str, hue: str = "", note: str = "", group: str = "") -> dict[str, Any]:
    return {"text": text, "hue": hue, "note": note, "group": group}


def _legend(*entries: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "hue": hue} for name, hue in entries]


# ---- parallel loops


def _diagnosed(found: Diagnosis) -> dict[str, Any]:
    """Every line in the hue of the loop it ends up in; loops that are fused share one."""
    roots = sorted({loop.into for loop in found.loops if loop.within is None})
    hues = {root: GROUP_HUES[place % len(GROUP_HUES)] for place, root in enumerate(roots)}
    lines = []
    for place, text in enumerate(found.lines):
        here = [loop for loop in found.loops if loop.line == place]
        shown = [loop for loop in here if loop.within is None] or here
        root = shown[0].into if shown else None
        hue = hues.get(root, "constant") if root is not None else ""
        note = "; ".join(dict.fromkeys(_said(loop) for loop in here))
        lines.append(_line(text, hue, note, "" if root is None else str(root)))
    title = f"{found.name}: {len(found.loops)} loops found, threads are started {_times(found.started)}"
    legend = _legend(
        *((f"parallel loop {root + 1}", hues[root]) for root in roots),
        *(
            [("serial within a parallel loop", "constant")]
            if any(x.within is not None for x in found.loops)
            else []
        ),
    )
    return {"panes": [{"title": title, "lines": lines}], "legend": legend, "why": LOOPS[found.name].lesson}


def _said(loop: Found) -> str:
    number = f"loop {loop.number + 1}"
    if loop.within is not None:
        return f"{number}: run serially, within loop {loop.within + 1}"
    if loop.into != loop.number:
        return f"{number}: fused into loop {loop.into + 1}"
    return f"{number}: parallel"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


# ---- vector instructions


def _compiled_twice(result: SpeedupsResult, loops: tuple[Compiled, Compiled]) -> dict[str, Any]:
    chosen = VARIATIONS[result.setup.simd]
    made = []
    for name, code in zip(("off", "on"), loops, strict=True):
        made.append(
            {"title": f"{name}: {counted(code.loop)}", "lines": _instructions(code.loop.instructions)}
        )
    same = not loops[1].loop.computes_with_vectors
    legend = _legend(
        ("computes on a vector", KINDS["vector"]),
        ("computes one number", KINDS["scalar"]),
        ("moves numbers", KINDS["move"]),
        ("counts and jumps", "constant"),
    )
    why = f"{chosen.why} {'Both are the same.' if same else f'The switch: {chosen.switch}.'}"
    return {"panes": made, "legend": legend, "why": why}


def counted(loop: Loop) -> str:
    """What a hot loop does, in numbers."""
    if not loop.computes_with_vectors:
        return f"one number an instruction ({loop.count('scalar')} in the loop)"
    lanes = loop.bits // 32
    return f"{lanes} numbers an instruction ({loop.count('vector')} in the loop, {loop.bits} bits)"


def _instructions(instructions: Sequence[Instruction]) -> list[dict[str, Any]]:
    lines = []
    for each in instructions:
        note = f"{each.bits // 32} numbers" if each.kind == "vector" else ""
        text = each.text if each.text.endswith(":") else f"    {each.text}"
        lines.append(_line(text, KINDS[each.kind], note))
    return lines
