"""What is said around a recorded run: what was found, what was recorded, what was left out."""

from __future__ import annotations

from engine.studies.own_run import OwnRunResult
from engine.tracing.diagnosis import Finding
from engine.tracing.summary import CORNER, WHOLE
from engine.tracing.trace import NumericCheck

HOW = """\
import engine  # Unroll's

with engine.record("trace.unroll"):
    for inputs, targets in batches:  # your own training loop, in PyTorch or on the engine
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.step()

# then open trace.unroll here, or in a terminal: unroll open trace.unroll
"""
ICONS = {"wrong": ":material/error:", "suspicious": ":material/warning:", "fine": ":material/verified:"}


def finding_line(finding: Finding) -> tuple[str, str]:
    """The icon and the sentence of a finding."""
    return ICONS[finding.gravity], finding.text


def about(result: OwnRunResult) -> str:
    """What was recorded, in one line."""
    trace = result.trace
    losses = trace.history.losses
    went = f" · loss {losses[0][1]:.4g} → {losses[-1][1]:.4g}" if losses else ""
    steps = f"{trace.count} step{'' if trace.count == 1 else 's'}"
    return f"{trace.framework} · {steps}{went}"


def graph_name(result: OwnRunResult, place: int) -> str:
    """What one of the recorded graphs is called."""
    step, last = result.trace.steps[place], result.trace.count - 1
    ended = ", which failed" if step.failure else ", the last" if step.number == last > 0 else ""
    return f"step {step.number}{ended}"


def bounds(result: OwnRunResult) -> str:
    """What was left out, in honest words."""
    step = result.step
    cut = sum(not tensor.whole for tensor in step.tensors)
    lines = [
        "Each operation was done again in the process that recorded it, with slightly other inputs, and held "
        "against what its own derivative sends, along a random direction; beside a leaf stands the sum over "
        "all its users.",
        whole_line(result.step.whole),
    ]
    if cut:
        lines.append(
            f"Of {cut} tensors with more than {WHOLE:,} elements the first {CORNER} of each dimension are "
            "kept; their figures are of all elements."
        )
    if step.left_out:
        lines.append(f"{step.left_out:,} operations beyond the limit were not recorded.")
    if result.trace.history.left_out:
        lines.append(f"{result.trace.history.left_out:,} further tensors were not followed over time.")
    return " ".join(filter(None, lines))


def whole_line(check: NumericCheck | None) -> str:
    """What was found of the loss as a whole."""
    if check is None:
        return "There is no loss of one number, which could be computed again as a whole."
    if check.recorded is None or check.numeric is None:
        return f"The loss as a whole could not be computed again: {check.why}."
    told = {
        "passed": "they agree",
        "failed": "they differ",
        "undecided": f"which is undecided: {check.why}",
    }[check.verdict]
    return (
        "The whole graph was done again too, with all its leaves moved together: by its gradient the loss "
        f"changes by {check.recorded:.6g} along that direction, by differences of itself by "
        f"{check.numeric:.6g}; {told}."
    )
