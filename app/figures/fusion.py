"""Fusion in words: what is asked, what each pass did, what was measured against the model, where it loses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from app.figures.units import duration, size
from engine.expression import ExpressionError
from engine.measure.peaks import Peaks
from engine.studies.fusion import FusionResult, attainable, peak
from engine.studies.fusion_bench import EAGER, GROUPS, WAYS, WHOLE, launches
from engine.studies.fusion_costs import Compilation, Launch, total
from engine.studies.fusion_setup import FusionSetup, chosen_sizes
from engine.studies.fusion_stages import Passed, operations, registers
from engine.studies.tensor_autodiff_export import HEADER, qualified

LANGUAGE = (
    "Lines `name = expression`, loops `for i in range(k):`; inputs are `x = data(n, d)`, "
    "`W = parameter(d, h)` and `t = classes(n, c)`; the last line is what is computed. Names that are never "
    "assigned are sizes. Functions and their meanings are PyTorch's: exp, tanh, sum, amax, softmax, …"
)
HARDLY = 1.15  # times as fast from which something is said to pay
LAUNCHES_RULE = 0.5  # share of an eager call that launches take


def sizes(setup: FusionSetup) -> Mapping[str, int]:
    """The sizes that the program leaves open, with their values; none while it cannot be read."""
    try:
        return dict(chosen_sizes(setup))
    except ExpressionError:
        return {}


def size_options(size: int, largest: int) -> list[int]:
    """Powers of two, and what is set if it is none of them."""
    powers = {1 << k for k in range(largest.bit_length())}
    return sorted(powers | {size})


def without_view(setup: FusionSetup) -> FusionSetup:
    """The setup without where one looks: what makes it an example."""
    neutral = FusionSetup()
    view = ("stage", "code", "group", "scale", "calls", "seed")
    return setup.model_copy(update={name: getattr(neutral, name) for name in view})


# ---- what is asked


def question(result: FusionResult) -> tuple[str, float]:
    found = result.compilation
    moved = total(found.eager, "moved")
    asked = (
        f"Eager, {len(found.eager)} operations move {size(moved)}. How many times less do they move fused?"
    )
    return asked, moved / total(found.fused, "moved")


def topic(result: FusionResult) -> str:
    """What a prediction is about: another program or size is another question."""
    return repr((result.setup.program, result.sizes, result.setup.training))


# ---- what a pass did


def stage_words(found: Compilation, passed: Passed) -> str:
    count = operations(passed.stage.entries)
    removed, changed = len(passed.removed), len(passed.changed)
    match passed.stage.name:
        case "traced":
            return f"{counted(count, 'operation')} as they were called: each walks through memory by itself."
        case "numbers in place":
            none = "No array here is full of one number: nothing changes."
            return (
                f"{counted(changed, 'operation')} now {reads(changed)} a plain number." if changed else none
            )
        case "without repeats":
            none = "Nothing is computed twice: nothing changes."
            return (
                f"{counted(changed, 'operation')} now {reads(changed)} what another has computed."
                if changed
                else none
            )
        case "pruned":
            none = "Every value is needed: nothing changes."
            return f"{counted(removed, 'node')} gone, on which no result depends." if removed else none
    kept = registers(found)
    calls = sum(not launch.source for launch in found.fused)
    kernels = len(found.fused) - calls
    said = f"{counted(count, 'operation')} in {counted(kernels, 'kernel')}"
    said += f" and {counted(calls, 'call')} of the library" if calls else ""
    where = "registers, or a row of scratch" if any(each.phases > 1 for each in found.fused) else "registers"
    return (
        f"{said}; {counted(kept, 'value')} stay{'s' if kept == 1 else ''} in {where}." if kept else f"{said}."
    )


def reads(number: int) -> str:
    return "reads" if number == 1 else "read"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def fused_words(launch: Launch, k: int) -> str:
    """One line about a group."""
    if not launch.source:
        return f"Call {k + 1}: {', '.join(launch.operations)} of the library, {launch.flops:,} operations"
    walks = f", {launch.phases} walks along each row" if launch.phases > 1 else ""
    return (
        f"Kernel {k + 1}: {counted(len(launch.operations), 'operation')} in one loop nest{walks}; "
        f"reads {size(launch.read)}, writes {size(launch.written)}"
    )


# ---- what was found


def notes(result: FusionResult) -> list[str]:
    """Markdown: what was found, where it loses first."""
    found = result.compilation
    eager, fused = total(found.eager, "moved"), total(found.fused, "moved")
    said = [*_losses(result)]
    said.append(
        f"Bytes through memory: {size(eager)} eager, {size(fused)} fused, {eager / fused:.3g} times less; "
        f"the inputs and the result alone are {size(found.least)}. Temporaries at once: {_peak(found.eager)} "
        f"eager, {_peak(found.fused)} fused."
    )
    if result.break_even is not None:
        said.append(_break_even(result, result.break_even))
    if result.peaks:
        said.append(_roofs(result.peaks))
    return said


def _peak(found: Sequence[Launch]) -> str:
    return f"at most {size(peak(found))}" if peak(found) else "none"


def _losses(result: FusionResult) -> list[str]:
    said = []
    eager, groups, whole = (result.timing(name) for name in (EAGER, GROUPS, WHOLE))
    if result.peaks and (share := bound(result, result.peaks)) > 0.5:
        said.append(
            f"**Compute-bound**: by the model, {share:.0%} of the fused time goes to library calls that wait "
            "for arithmetic and not for memory. Fusion cannot make these faster."
        )
    if eager and whole:
        gain = eager.seconds.median / whole.seconds.median
        if gain < 1:
            said.append(f"**Fusion loses here**: one function takes {1 / gain:.3g} times as long as eager.")
        elif gain < HARDLY:
            said.append(f"**It hardly pays here**: one function is {gain:.3g} times as fast as eager.")
        else:
            said.append(f"One function is {gain:.3g} times as fast as eager.")
        if eager.launch and eager.launch > LAUNCHES_RULE * eager.seconds.median:
            said.append(
                f"**Launches rule**: {eager.launch / eager.seconds.median:.0%} of an eager call is what the "
                "same operations take with nothing to do. Fewer launches is what is gained, not fewer bytes."
            )
    if groups and whole and groups.seconds.median < 0.9 * whole.seconds.median:
        said.append(
            "The kernels alone take "
            f"{groups.seconds.median / whole.seconds.median:.0%} of one call of the function: the rest looks "
            "up its inputs and copies its result."
        )
    return said


def bound(result: FusionResult, peaks: Peaks) -> float:
    """The share of the predicted time of the fused program that library calls take for their arithmetic."""
    fused = result.compilation.fused
    times = [attainable(launch, peaks) for launch in fused]
    calls = [t for t, each in zip(times, fused, strict=True) if not each.source and _waits(each, t, peaks)]
    return sum(calls) / sum(times) if sum(times) else 0.0


def _waits(launch: Launch, seconds: float, peaks: Peaks) -> bool:
    """Whether arithmetic decides how long it takes."""
    arithmetic = peaks.arithmetic.get(1)
    return arithmetic is not None and seconds <= 1.0001e-9 * launch.flops / arithmetic


def _break_even(result: FusionResult, calls: float) -> str:
    assert result.compiling is not None
    cost = f"Compiling took {duration(result.compiling)}"
    if math.isinf(calls):
        return f"{cost}, which is **never** earned back: a compiled call is no faster."
    wanted = result.setup.calls
    verdict = "so it pays" if wanted > calls else "so it does **not** pay"
    return f"{cost}: earned back after **{calls:,.0f} calls**. You plan {wanted:,}, {verdict}."


def _roofs(peaks: Peaks) -> str:
    roofs = ", ".join(f"{roof.name} {roof.speed:.3g}" for roof in peaks.roofs)
    arithmetic = peaks.arithmetic.get(1)
    flops = "unknown" if arithmetic is None else f"{arithmetic:.3g} GFLOP/s"
    return (
        f"Predicted: a launch (the same program at sizes of 2), and for every kernel its bytes at the speed "
        f"of the level that holds them ({roofs} GB/s of one core) or its operations at {flops}, whichever is "
        "longer. exp or tanh counts as one operation and takes some ten: that is part of the residual."
    )


def table(result: FusionResult) -> str:
    """Markdown: every way with its bytes, time, speed, prediction and residual; "" if nothing is measured."""
    if result.run is None:
        return ""
    lines = [
        "| | bytes by the model | measured | GB/s | of memory's speed | predicted | residual |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name in WAYS:
        timing, predicted = result.timing(name), result.predicted(name)
        if timing is None:
            continue
        moved = total(launches(result.compilation, name), "moved")
        time = timing.seconds
        cells = [f"{duration(time.median)} ({duration(time.lower)} to {duration(time.upper)})"]
        cells.append(f"{timing.rate.median:.3g}")
        cells.append(f"{timing.rate.median / result.peaks.memory.speed:.0%}" if result.peaks else "")
        cells += [duration(predicted), f"{time.median / predicted - 1:+.0%}"] if predicted else ["", ""]
        lines.append(f"| **{name}** | {size(moved)} | {' | '.join(cells)} |")
    return "\n".join(lines)


# ---- code


def torch_code(result: FusionResult) -> str:
    """Python that runs the same program in PyTorch, eager and compiled."""
    setup, program = result.setup, result.compilation.program
    given = [f"{name} = {value}" for name, value in result.sizes]
    *body, last = (qualified(line) for line in program.source.split("\n"))
    declared = [
        line for line in body if " = data(" in line or " = parameter(" in line or " = classes(" in line
    ]
    outside = [line for line in declared if not line.startswith(" ")]
    inside = [line for line in body if line not in outside]
    names = ", ".join(line.split(" = ")[0] for line in outside)
    function = [f"def program({names}):", *(f"    {line}" for line in inside), f"    return {last}"]
    header = HEADER.format(seed=setup.seed, dtype="float32")
    return header + "\n".join([*given, *outside, "\n", *function, "\n", *_calls(setup, names)]) + "\n"


def _calls(setup: FusionSetup, names: str) -> list[str]:
    if not setup.training:
        return [
            f"print(program({names}))",
            "compiled = torch.compile(program)  # fused by TorchInductor; the first call compiles",
        ]
    parameters = "[x for x in (" + names + ",) if x.requires_grad]"
    return [
        f"optimizer = torch.optim.SGD({parameters}, lr=0.01)",
        "for step in range(3):",
        "    optimizer.zero_grad()",
        f"    loss = program({names})",
        "    loss.backward()",
        "    optimizer.step()",
        '    print("loss", loss.item())',
    ]
