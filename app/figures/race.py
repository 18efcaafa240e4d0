"""The backend race in words: what is asked, what was found, where an idea loses, code to take away."""

from __future__ import annotations

import math

from app.figures import measurement
from app.figures.units import duration
from engine.measure import Spread, Ticket
from engine.race.lanes import COMPILED, CUDA, EAGER, FUSED, OBJECTS, REFERENCE, REPLAY, TORCH
from engine.studies.race import GOAL, Lane, RaceResult
from engine.studies.race_plans import ColdPlan, WidthsPlan, arguments, task_of
from engine.studies.race_setup import RaceSetup
from engine.studies.race_widths import measured_crossing, predicted_crossing

APART = 1e-3  # relative difference of losses from which curves are seen to part

WHAT = {
    OBJECTS: "every number is an object that remembers what it was made of",
    REFERENCE: "tensors, computed by plain Python loops",
    TORCH: "the same program in PyTorch, as it is",
    EAGER: "our tensors: a compiled kernel for each operation, called from Python",
    FUSED: "loss and gradients in fused loops; the optimiser is called from Python",
    REPLAY: "the objects' graph, recorded once and replayed by one compiled loop",
    COMPILED: "loss, gradients and update in one call",
    CUDA: "the kernels on a GPU",
}

# ---- what is asked


def question(result: RaceResult) -> tuple[str, float]:
    """How many times as long as the compiled step the slowest kind takes, or torch; NaN before the race."""
    slow = OBJECTS if can_follow(result) else TORCH
    ratio = result.ratio(slow, COMPILED)
    subject = "scalar objects" if slow == OBJECTS else "torch"
    asked = f"How many times as long as the compiled step do {subject} take for an epoch?"
    if slow == TORCH:
        asked = "How many times as long as the compiled step does torch take for an epoch?"
    return asked, ratio.median if ratio else math.nan


def can_follow(result: RaceResult) -> bool:
    """Whether scalar objects are asked about: they have made an epoch, or would begin."""
    lane = result.lane(OBJECTS)
    return bool(lane.reached) or (result.run is None and result.setup.hidden <= 32)


def topic(setup: RaceSetup) -> str:
    """What a prediction is about: another setup is another question."""
    kept = {"moment": 1e3, "compiling": False, "seed": 0}
    return f"{setup.model_copy(update=kept)!r}"


# ---- what goes on


def progress(ticket: Ticket, setup: RaceSetup) -> tuple[float, str]:
    """The share that is done, and what is going on."""
    if ticket.state == "waiting" or isinstance(ticket.plan, ColdPlan):
        return measurement.progress(ticket)
    if isinstance(ticket.plan, WidthsPlan):
        widths = len({timing.at for timing in ticket.timings})
        return widths / max(ticket.total, 1), f"Racing at {ticket.doing}"
    shares = [
        1.0 if timing.note else max(len(timing.samples) / setup.epochs, sum(timing.samples) / setup.budget)
        for timing in ticket.timings
    ]
    done = sum(min(share, 1.0) for share in shares) / max(len(shares), 1)
    return done, f"Racing, one lane at a time: {ticket.doing or 'over'}"


def stopped(ticket: Ticket) -> str:
    """What is left of a race that was stopped."""
    kept = "what was reached is kept, unless all of it was measured before"
    return f"stopped: {kept if ticket.run else 'nothing was measured'}"


# ---- what was found


def notes(result: RaceResult) -> list[str]:
    """Markdown: what the figures say, the regime in which an idea loses first."""
    if not result.raced:
        return []
    return [*_losers(result), *_arithmetic(result), *_unfinished(result), *_goal(result), *_apart(result)]


def _losers(result: RaceResult) -> list[str]:
    found = []
    for name, rival, why in (
        (
            COMPILED,
            TORCH,
            "the matrix products are what takes the time now, and its library is better at them",
        ),
        (EAGER, TORCH, "both call every operation from Python"),
        (REPLAY, EAGER, "a product of matrices beats as many single numbers"),
    ):
        ratio = result.ratio(name, rival)
        if ratio and ratio.lower > 1:
            found.append(f"**{name} loses** to {rival} here: {ratio.median:.3g} times as long. Why: {why}.")
    ratio = result.ratio(TORCH, COMPILED)
    if ratio and ratio.median > 1:
        found.append(
            f"torch takes {_times(ratio)} as long as the compiled step, turn by turn. In small nets most of "
            "that is calling operations one by one from Python, and the same at any width: try 2, then 512."
        )
    return found


def _arithmetic(result: RaceResult) -> list[str]:
    """How much of a lane's time the arithmetic could take."""
    operations = 6 * result.setup.points * sum(values.size for values in task_of(result.setup).start[::2])
    rates = [
        f"{name} {operations / 1e9 / lane.epoch.median:.2g}"
        for name in (OBJECTS, TORCH, COMPILED)
        if (lane := result.lane(name)).epoch
    ]
    return [
        f"An epoch multiplies and adds {operations:,} times with weights, forward and back. In GFLOP/s, "
        f"that makes: {', '.join(rates)}."
    ]


def _unfinished(result: RaceResult) -> list[str]:
    found = []
    for lane in result.raced:
        left = result.setup.epochs - lane.reached
        if left and lane.epoch and lane.note != "":
            whole = sum(lane.seconds) + left * lane.epoch.median
            found.append(
                f"{lane.name} got to epoch {lane.reached} of {result.setup.epochs}; all of them would take "
                f"{duration(whole)} (extrapolated)."
            )
    return found


def _goal(result: RaceResult) -> list[str]:
    missed = [lane.name for lane in result.raced if lane.epoch and lane.epoch.median > GOAL]
    missed += [lane.name for lane in result.lanes if lane.note.startswith("out of time") and not lane.reached]
    met = sum(1 for lane in result.raced if lane.epoch and lane.epoch.median <= GOAL)
    said = (
        f"MiniTorch's goal for a CPU, {GOAL:g} s an epoch with h = 100 and 50 points: met by {met} "
        f"{'lane' if met == 1 else 'lanes'} here"
    )
    return [f"{said}, missed by {' and '.join(missed)}." if missed else f"{said}."]


def _apart(result: RaceResult) -> list[str]:
    found = result.disagreement()
    if not (found > APART).any():
        return []
    epoch = int((found > APART).argmax()) + 1
    return [
        f"**From epoch {epoch} on the curves part**, though every lane is right: they add up in different "
        "orders, and this training amplifies the rounding. A lower rate, or float64, keeps them together."
    ]


def crossing(result: RaceResult) -> str:
    """Markdown: from which width torch is ahead of the compiled step, predicted and measured."""
    if result.widths is None:
        return ""
    expected = predicted_crossing(result.widths, COMPILED, TORCH)
    found = measured_crossing(result.widths, COMPILED, TORCH)
    if expected is None or found is None:
        return "The compiled step stays ahead of torch at every width that was measured."
    return (
        "**torch overtakes the compiled step**, in which calling costs less and arithmetic more: predicted "
        f"from h = {expected:.0f}, measured from h = {found:.0f} (between widths, along straight lines)."
    )


def _times(ratio: Spread) -> str:
    return f"{_figure(ratio.median)} times ({_figure(ratio.lower)} to {_figure(ratio.upper)})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(result: RaceResult) -> str:
    """Markdown: what each lane does, its epoch beside the compiled step's, and when compiling has paid."""
    heads = ("lane", "what it does", "an epoch", "× compiled step", "first step after", "ahead of torch")
    lines = [f"| {' | '.join(heads)} |", "|---|---|--:|--:|--:|--:|"]
    for lane in result.lanes:
        ratio = result.ratio(lane.name, COMPILED)
        pace = duration(lane.epoch.median) if lane.epoch else lane.note
        cells = [f"**{lane.name}**", WHAT[lane.name], pace]
        cells += [_figure(ratio.median) if ratio else "", _ready(lane), _lead(result, lane)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _ready(lane: Lane) -> str:
    if lane.wait is None:
        return "not measured"
    return duration(lane.wait) if lane.wait else "at once"


def _lead(result: RaceResult, lane: Lane) -> str:
    """In which epochs it is ahead of torch, with what both wait for at first."""
    if lane.name == TORCH or not lane.reached or not result.lane(TORCH).reached:
        return ""
    found = result.lead(lane.name, TORCH)
    if found is None:
        return "not measured"
    first, last = found
    if math.isinf(first):
        return "never"
    begin = f"from epoch {math.ceil(first):,}" if first else "from the start"
    return begin if math.isinf(last) else f"until epoch {math.floor(last):,}"


# ---- code


def torch_code(result: RaceResult) -> str:
    """Python that trains the same in PyTorch; with another import, in this engine."""
    setup = result.setup
    given = ", ".join(repr(value) for value in arguments(setup).values())
    return (
        "import torch as library  # or: import engine as library\n"
        "from engine.race.task import task\n\n"
        f"same = task({given})  # points, batches and first parameters\n"
        f"dtype, F = library.{setup.precision}, library.nn.functional\n"
        "parameters = [library.tensor(values, dtype=dtype).requires_grad_() for values in same.start]\n"
        "w1, b1, w2, b2, w3, b3 = parameters\n"
        f"optimiser = library.optim.SGD(parameters, lr={setup.rate!r})\n\n"
        "def step(x, y):\n"
        "    optimiser.zero_grad()\n"
        "    hidden = F.relu(F.linear(F.relu(F.linear(x, w1, b1)), w2, b2))\n"
        "    loss = F.binary_cross_entropy_with_logits(F.linear(hidden, w3, b3), y)\n"
        "    loss.backward()\n"
        "    optimiser.step()\n"
        "    return loss.detach()\n\n"
        "batches = [tuple(library.tensor(part, dtype=dtype) for part in pair) for pair in same.batches]\n"
        f"for epoch in range({setup.epochs}):\n"
        "    losses = [step(x, y) for x, y in batches]  # step = engine.compile(step) is the compiled step\n"
        "print(sum(map(float, losses)) / len(losses))\n"
    )
