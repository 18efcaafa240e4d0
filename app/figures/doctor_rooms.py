"""The doctor's two laboratories as charts: sizes by layer, and what threads do to bits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from app.figures.chart_document import chart_document
from app.figures.error_growth_charts import Chart, axis, group, places, series
from engine.backends.cpu.threads import parallel_is_safe
from engine.doctor.bits import LENGTH, REPEATS, TRAINED, Reproduced
from engine.doctor.depth import WIDTH, Sizes
from engine.studies.doctor import DoctorResult, Laboratory
from engine.studies.doctor_setup import DEEPEST, DoctorSetup

HUES = {"0.01": "error", "Glorot": "value", "He": "parameter", "1": "data", "yours": "accent"}
THREAD_HUES = ("value", "parameter", "data", "gradient", "accent")
FARTHEST = 8.0  # powers of ten that are drawn: beyond them a run is lost anyway
DIGITS = 9  # tell every float32 number from every other
LAW = {"key": "bound", "name": "the law", "one": "law"}


def depth_charts(result: DoctorResult, height: int, present: bool, veiled: bool) -> tuple[Chart, Chart]:
    """Signal and gradient by layer, median and quartiles over the nets beside the law."""
    found = result.found
    assert isinstance(found, Laboratory)
    signal = {sizes.scheme.name: (sizes.signal, sizes.signal_law) for sizes in found.sizes}
    gradient = {sizes.scheme.name: (sizes.gradient, sizes.gradient_law) for sizes in found.sizes}
    return (
        _sizes(
            "signal: root mean square of what each layer gives", signal, result.setup, height, present, veiled
        ),
        _sizes("gradient: the same, over that at the end", gradient, result.setup, height, present, veiled),
    )


def _sizes(
    name: str, curves: dict[str, Any], setup: DoctorSetup, height: int, present: bool, veiled: bool
) -> Chart:
    layers = list(range(setup.depth + 1))
    drawn = []
    for scheme, (measured, law) in curves.items():
        lower, middle, upper = (places(row, 10) for row in np.quantile(measured, [0.25, 0.5, 0.75], axis=0))
        drawn.append(series("line", scheme, layers, middle, low=lower, high=upper))
        drawn.append(series("bound", scheme, layers, places(law, 10)))
    known = [place for one in drawn for place in one["y"] if place is not None]
    low, high = max(min(known), -FARTHEST), min(max(known), FARTHEST)
    return _chart(
        {
            "x": axis("layer", "layer", 0, DEEPEST),
            "y": axis(name, "", low - 0.4, high + 0.4, 10),
            "groups": [group(scheme, HUES[scheme], _scheme_name(scheme, setup)) for scheme in curves],
            "kinds": [LAW],
            "series": drawn,
            "marker": {
                "name": "depth", "label": "depth", "x": setup.depth, "low": 2, "high": DEEPEST, "step": 1,
                "text": f"{setup.depth} layers",
            },
            "hint": "Lines: median over the nets, with quartiles. Dashed: the law. Drag the depth.",
        },
        name, height, present, veiled,
    )  # fmt: skip


def _scheme_name(scheme: str, setup: DoctorSetup) -> str:
    named = {"0.01": "σ = 0.01", "1": "σ = 1", "yours": f"{setup.scale:g} × He"}
    return named.get(scheme, scheme)


def _chart(parts: Chart, topic: str, height: int, present: bool, veiled: bool) -> Chart:
    return chart_document(parts, topic, height, present, veiled)


def depth_question(result: DoctorResult) -> tuple[str, float]:
    """What is to be predicted, and the answer."""
    sizes = _named(result, "Glorot")
    prompt = f"After {result.setup.depth} layers with Glorot's weights, how many times as large is a signal?"
    return prompt, float(np.median(sizes.signal[:, -1] / sizes.signal[:, 0]))


def _named(result: DoctorResult, scheme: str) -> Sizes:
    assert isinstance(result.found, Laboratory)
    return next(sizes for sizes in result.found.sizes if sizes.scheme.name == scheme)


def depth_notes(result: DoctorResult) -> list[str]:
    """The law with the figures of this moment, and where it loses."""
    setup = result.setup
    glorot, he = _named(result, "Glorot"), _named(result, "He")
    ends = he.signal[:, -1] / he.signal[:, 0]
    mean = {"relu": "half of the mean square", "tanh": "the less the larger its inputs are", "linear": "all"}
    notes = [
        f"**The law.** {setup.activation} passes {mean[setup.activation]}; a layer multiplies that by "
        f"n·σ², with n = {WIDTH} inputs: 1 for Glorot, 2 for He."
        + (" The residual connection adds the signal itself: 1 more." if setup.residual else ""),
        f"**Measured.** After {setup.depth} layers the median signal is {_times(glorot)} with Glorot, "
        f"{_times(he)} with He. The law says {_law(glorot)} and {_law(he)}.",
    ]
    if setup.nets > 1:
        notes.append(
            f"**Where it loses.** The law is a mean over wide nets. Of {setup.nets} nets of {WIDTH} units "
            f"with He, the last signal is {figure(ends.min())} to {figure(ends.max())} times the first: "
            "what a layer happens to do, the next ones multiply."
        )
    if setup.residual:
        notes.append(
            "**Residual connections** keep the small from vanishing; what is not small grows with every "
            "layer. So branches start small, or are normalised."
        )
    return notes


def _times(sizes: Sizes) -> str:
    return f"{figure(np.median(sizes.signal[:, -1] / sizes.signal[:, 0]))} ×"


def _law(sizes: Sizes) -> str:
    return f"{figure(sizes.signal_law[-1] / sizes.signal_law[0])} ×"


def figure(value: float | np.floating[Any], digits: int = 2) -> str:
    """A number in print."""
    return f"{value:.{digits}g}".replace("-", "−").replace("e+", "e")


# ---- threads and bits


def bit_rows(result: DoctorResult, present: bool) -> dict[str, Any]:
    """The same sum by 1, 2, … threads, bit by bit."""
    found = result.found
    assert isinstance(found, Reproduced)
    first = found.sums[0].word
    rows = [
        {
            "name": f"{one.threads} thread{'s' if one.threads > 1 else ''}",
            "value": figure(one.total, DIGITS),
            "bits": f"{one.word:032b}",
            "differing": (one.word ^ first).bit_count(),
        }
        for one in found.sums
    ]
    return {"rows": rows, "height_px": 0, "present": present}


def thread_chart(result: DoctorResult, height: int, present: bool, veiled: bool) -> Chart:
    """The largest difference of a weight from the run on one thread, step by step."""
    found = result.found
    assert isinstance(found, Reproduced)
    steps = list(range(TRAINED + 1))
    names = [f"{run.threads} threads" for run in found.trainings]
    drawn = [
        series("line", name, steps, places(run.distance, 10))
        for name, run in zip(names, found.trainings, strict=True)
    ]
    known = [place for one in drawn for place in one["y"] if place is not None] or [-8.0]
    low, high = math.floor(min(known)), math.ceil(max(known))
    return _chart(
        {
            "x": axis("training steps", "step", 0, TRAINED),
            "y": axis("largest difference of a weight from one thread's", "", low, high, 10),
            "groups": [group(name, hue) for name, hue in zip(names, THREAD_HUES, strict=False)],
            "kinds": [],
            "series": drawn,
            "hint": "The same seed, net, digits and order; only the gradient's sum is shared.",
        },
        "threads", height, present, veiled,
    )  # fmt: skip


def thread_question(result: DoctorResult) -> tuple[str, float]:
    found = result.found
    assert isinstance(found, Reproduced)
    last = found.trainings[-1]
    prompt = f"After {TRAINED} steps on {last.threads} threads, what share of the weights has other bits?"
    return prompt, float(last.differing[-1])


def thread_notes(result: DoctorResult) -> list[str]:
    """Which bits differ and why, and what can be relied on."""
    found = result.found
    assert isinstance(found, Reproduced)
    last = found.trainings[-1]
    a, b, c = (np.float32(value) for value in found.triple)
    different = len({one.word for one in found.sums})
    kernels = (
        "have the same bits on 1 and on more threads: threads share out the results, never one sum"
        if found.kernel
        else "differ between 1 and more threads"
    )
    if not parallel_is_safe():
        kernels = "run on one thread here, for want of TBB"
    return [
        f"**Why.** Float addition is not associative. With three of these numbers, (a + b) + c = "
        f"{figure((a + b) + c, DIGITS)} and a + (b + c) = {figure(a + (b + c), DIGITS)}, "
        f"for a = {figure(a, DIGITS)}, b = {figure(b, DIGITS)}, c = {figure(c, DIGITS)}.",
        f"**Which.** {LENGTH:,} numbers on 1 to {len(found.sums)} threads give {different} different sums: "
        "the last bits, where every addition rounds. "
        f"Rounded only once, the sum is {figure(found.exact, DIGITS)}.",
        f"**In training.** After {TRAINED} steps {last.differing[-1]:.0%} of the weights have another bit on "
        f"{last.threads} threads than on one; the largest difference is {figure(last.distance[-1], 1)}.",
        f"**What repeats.** A second run on {result.setup.threads} threads has "
        f"{'the same bits' if found.again else 'other bits'}, since shares are added in the order of the "
        f"threads. Added as they arrive, {REPEATS} sums came out {found.arrivals} different ways.",
        f"**Our own kernels** {kernels}.",
    ]
