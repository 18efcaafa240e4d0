"""One training, four layouts of its examples: what is asked, the same answer, other times."""

from __future__ import annotations

from app.figures.units import duration, size
from engine.measure import Timing
from engine.studies.ladder import LadderResult
from engine.studies.ladder_layout import (
    COLUMNS,
    COLUMNS_AT_RANDOM,
    FEATURES,
    LINES,
    RATE,
    ROWS,
    ROWS_AT_RANDOM,
    SHOWN,
    SIZES,
    slowdown,
)


def question(result: LadderResult) -> tuple[str, float]:
    """What is to be predicted, and the answer: measured where there is a measurement."""
    if result.run and (ratio := slowdown(result.run)):
        asked = (
            f"{size(SIZES[-1])} by columns and at random take how many times as long as by rows and in order?"
        )
        return asked, ratio
    asked = f"In how many cache lines of 64 bytes do the {FEATURES} numbers of one example lie, by columns?"
    return asked, LINES[COLUMNS_AT_RANDOM]


def notes(result: LadderResult) -> list[str]:
    """Markdown: the same answer first, then the times."""
    same = [
        f"**The same answer**: after an epoch over {SHOWN:,} examples the mean square error is "
        f"{result.learnt[ROWS].loss:.6g} in all four layouts, and no bit of the {FEATURES} weights differs. "
        "What is added to what, and when, has not changed; only where it lies."
    ]
    if result.run is None:
        return same
    if ratio := slowdown(result.run):
        same.append(
            f"**Another time**: with {size(SIZES[-1])} of examples, by columns and at random takes "
            f"{ratio:.3g} times as long as by rows and in order. It fetches {LINES[COLUMNS_AT_RANDOM]} lines "
            f"an example instead of {LINES[ROWS]}, but several at once, so the times differ by less."
        )
    small = {name: found[0] for name in LINES if (found := result.timings(name))}
    if len(small) == len(LINES):
        least, most = (pick(map(_each, small.values())) for pick in (min, max))
        same.append(
            f"**Where it gains nothing**: {size(SIZES[0])}, which L1 holds, take {duration(least)} "
            f"to {duration(most)} an example in all layouts: each waits for its additions, not for memory."
        )
    columns, rows = result.timings(COLUMNS), result.timings(ROWS_AT_RANDOM)
    if columns and rows and columns[-1].at == rows[-1].at:
        ordered, random = _each(columns[-1]), _each(rows[-1])
        said = f"Columns in order take {duration(ordered)} an example, rows at random {duration(random)}."
        why = " The order counts for more than the layout, as the processor fetches ahead what comes next."
        same.append(said + (why if random > ordered else ""))
    return same


def table(result: LadderResult) -> str:
    """Markdown: of each layout the lines predicted, the answer, and the time at both ends of the sweep."""
    ends = (SIZES[0], SIZES[-1])
    heads = ["the examples lie", "lines an example, predicted", "mean square error", "first weight"]
    heads += [f"an example, {size(end)}" for end in ends]
    lines = [f"| {' | '.join(heads)} |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    for name, found in result.learnt.items():
        times = [
            next((duration(_each(t)) for t in result.timings(name) if t.at == end), "not measured")
            for end in ends
        ]
        cells = [name, str(LINES[name]), f"{found.loss:.9g}", f"{found.weights[0]:.9g}", *times]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _each(timing: Timing) -> float:
    """Seconds of an example."""
    return timing.seconds.median / timing.amount


def code(seed: int) -> str:
    """Python that does the same in PyTorch: the same weights by rows and by columns."""
    return (
        "import torch\n\n"
        f"torch.manual_seed({seed})\n"
        f"x = torch.randn({SHOWN}, {FEATURES})\n"
        f"y = x @ torch.linspace(-1, 1, {FEATURES}) + 0.1 * torch.randn({SHOWN})\n"
        'for name, stored in {"rows": x, "columns": x.T.contiguous().T}.items():\n'
        f"    w = torch.zeros({FEATURES})\n"
        "    for example, wanted in zip(stored, y):\n"
        f"        w -= {RATE} * (example @ w - wanted) * example\n"
        "    print(name, stored.stride(), ((x @ w - y) ** 2).mean().item())\n"
    )
