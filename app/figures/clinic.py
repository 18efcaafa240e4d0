"""What is wrong and what to write instead, in words: refused steps, shapes that do not broadcast."""

from __future__ import annotations

from engine.studies.broadcasting import NAMES, BroadcastResult
from engine.studies.strides import StridesResult, why_refused, written
from engine.studies.view_clinic import ViewFix


def refused_step(result: StridesResult, torch_words: str) -> str:
    """Markdown: the step that was refused, the axis and condition, torch's words beside ours, the fixes."""
    assert result.refusal
    text = result.refusal.call.text
    parts = [f"**`{text}` is refused** on shape {written(result.refusal.source.shape)} with strides "
             f"{written(result.refusal.source.strides)}."]  # fmt: skip
    parts.append(sides(why_refused(result), torch_words))
    if result.fixes:
        parts.append(_fixes(result.fixes))
    return "\n\n".join(parts)


def sides(ours: str, torch_words: str) -> str:
    """Markdown: what is said here, and beside it what torch says ("" while it is not loaded)."""
    there = f"\n\n:gray[**torch says:** {_plain(torch_words)}]" if torch_words else ""
    return f"**Why:** {_plain(ours)}.{there}"


def _fixes(fixes: tuple[ViewFix, ...]) -> str:
    rows = [f"| `{fix.text}` | {written(fix.step.shape)} | {_cost(fix)} |" for fix in fixes]
    head = ["What to write instead, run just now:", "", "| | shape | |", "|---|---|---|"]
    return "\n".join([*head, *rows])


def _cost(fix: ViewFix) -> str:
    if fix.reordered:
        return "copies nothing, but the elements come in the order of storage"
    return f"the right order; copies {fix.copied:,} bytes"


def _plain(text: str) -> str:
    """Words as one line of Markdown in which nothing is markup."""
    line = " ".join(text.split())
    return "".join(f"\\{character}" if character in r"\`*_{}[]<>#|~$:" else character for character in line)


# ---- shapes that do not broadcast


def shapes(result: BroadcastResult, torch_words: str) -> str:
    """Markdown: the shapes aligned at the right; what they give, or the axis at fault and the fixes."""
    if not result.diagnosis:
        return f"{aligned(result)}\n\n**They broadcast to {written(result.shape or ())}.**"
    return f"{aligned(result)}\n\n{mismatch(result, torch_words)}"


def mismatch(result: BroadcastResult, torch_words: str) -> str:
    """Markdown: the axis in which shapes differ, torch's words beside ours, the fixes."""
    return f"{sides(result.problem, torch_words)}\n\n{_changes(result)}"


def aligned(result: BroadcastResult) -> str:
    """Markdown table: one row a shape, aligned at the right, with the result below."""
    rank = max(map(len, result.shapes), default=0)
    fault = result.diagnosis.from_right if result.diagnosis else 0
    rows = [(NAMES[k], shape) for k, shape in enumerate(result.shapes)]
    rows += [("result", result.shape)] if result.shape is not None else []
    head = "| | " + " | ".join(f"−{back}" for back in range(rank, 0, -1)) + " |"
    lines = [head, "|---|" + "--:|" * rank]
    for name, shape in rows:
        entries = ["" if back > len(shape) else str(shape[-back]) for back in range(rank, 0, -1)]
        if fault and entries[-fault]:
            entries[-fault] = f":red[**{entries[-fault]}** ✗]"
        lines.append(f"| **{name}** | " + " | ".join(entries) + " |")
    return "\n".join(lines)


def _changes(result: BroadcastResult) -> str:
    if not result.fixes:
        return "No single unsqueeze or transpose makes them fit."
    rows = [
        f"| `{NAMES[fix.which]}{fix.text}` | {' and '.join(map(written, fix.shapes))} "
        f"| {written(fix.result)} |"
        for fix in result.fixes
    ]
    head = ["The smallest changes that fit, run just now; which is meant, only you know:", "",
            "| | shapes | result |", "|---|---|---|"]  # fmt: skip
    return "\n".join([*head, *rows])
