"""The experiments' figures as Markdown tables: measured beside predicted, bit by bit where that matters."""

from __future__ import annotations

from collections.abc import Sequence

from app.figures.error_growth_words import medians
from engine.numbers import Exact
from engine.studies.bit_text import binary
from engine.studies.error_growth import Found
from engine.studies.error_growth_cancellation import CancellationFound
from engine.studies.error_growth_epsilon import EpsilonFound
from engine.studies.error_growth_order import OrderFound
from engine.studies.error_growth_rounding import RoundingFound
from engine.studies.error_growth_stagnation import StagnationFound
from engine.studies.error_growth_sums import Growth, SumsFound

WITHIN = 0.1  # of theory's slope; absolute where that is 0
THREADS_SHOWN = (1, 2, 3, 4, 8, 16, 64)
BAR = 24  # characters of the longest bar


def table(found: Found) -> str:
    """Markdown; "" for an experiment whose figures are all in its picture."""
    match found:
        case EpsilonFound():
            return _epsilon(found)
        case SumsFound():
            return _sums(found)
        case StagnationFound():
            return _stagnation(found)
        case CancellationFound():
            return ""
        case OrderFound():
            return _order(found)
        case RoundingFound():
            return _rounding(found)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[str] = ()) -> str:
    """A Markdown table; all columns but the first, and those named in `left`, to the right."""
    lines = [head, ["---", *("---" if name in left else "--:" for name in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def power(value: Exact | None) -> str:
    """A number as the power of two that it is."""
    return "–" if value is None else binary(value).replace("-", "−")


def _epsilon(found: EpsilonFound) -> str:
    rows = []
    for each in found.measurements:
        agree = each.ends and each.epsilon == each.defined
        measured = power(each.epsilon) if each.ends else "no end"
        name = each.format.name
        rows.append(
            [
                f"**{name}**" if name == found.chosen.format.name else name,
                str(each.format.bits),
                str(len(each.halvings) - 1) if each.ends else "–",
                f":{'green' if agree else 'red'}[{measured}]",
                power(each.defined),
                f"{float(each.defined):.4g}",
            ]
        )
    return markdown(["format", "bits", "halvings", "ε measured", "gap above 1", "as a decimal"], rows)


def _sums(found: SumsFound) -> str:
    rows = [
        [
            growth.name,
            f"{medians(growth):.2e}",
            f"{growth.bounds[-1].max():.2e}" if growth.bounds[-1].max() < float("inf") else "none",
            _slope(growth),
            _theory(growth),
            f"{growth.violations} of {growth.errors.size}",
        ]
        for growth in found.growths
    ]
    last = f"n = {found.lengths[-1]:,}"
    head = ["algorithm", f"median error, {last}", f"bound, {last}", "fitted", "theory", "beyond the bound"]
    return markdown(head, rows)


def _slope(growth: Growth) -> str:
    if growth.slope is None or growth.theory is None:
        return "–"
    off = abs(growth.slope - growth.theory)
    agrees = off <= WITHIN * (abs(growth.theory) or 1.0)
    return f":{'green' if agrees else 'orange'}[{_variable(growth)}^{growth.slope:.2f}]".replace("-", "−")


def _theory(growth: Growth) -> str:
    return "–" if growth.theory is None else f"{_variable(growth)}^{growth.theory:g}".replace("-", "−")


def _variable(growth: Growth) -> str:
    return "(log₂ n)" if growth.of_log else "n"


def _stagnation(found: StagnationFound) -> str:
    rows = [
        [
            each.format.name,
            "goes on" if each.stopped is None else f"{each.stopped:,g}",
            "–" if each.predicted is None else f"{float(each.predicted):,.8g} = {power(each.predicted)}",
            f"{each.last:,.8g}",
            "",
        ]
        for each in found.all
    ]
    for name, sums in found.remedies.items():
        low, high = sums[:, -1].min(), sums[:, -1].max()
        last = f"{low:,.8g}" if low == high else f"{low:,.6g} to {high:,.6g} in {len(sums)} runs"
        rows.append([found.chosen.format.name, "", "", last, name])
    return markdown(["format", "stops at", "predicted", f"after {int(found.counts[-1]):,}", "remedy"], rows)


def _order(found: OrderFound) -> str:
    first = found.bits(float(found.in_order[0]))
    shown = sorted({*THREADS_SHOWN, found.threads})
    sums = {f"{n} thread{'s' if n > 1 else ''}": float(found.in_order[n - 1]) for n in shown}
    rows = []
    for name, value in {**sums, **found.others}.items():
        units = float(found.in_ulps(value))
        chosen = name.split()[0] == str(found.threads)
        label = f"**{name}**" if chosen else name
        rows.append([label, f"{value!r}", f"{units:+.1f}".replace("-", "−"), _lit(found.bits(value), first)])
    return markdown(["order", "sum", "ulps off", f"bits in {found.format.name}"], rows)


def _lit(bits: str, reference: str) -> str:
    """The bits as code, from the first that differs from the reference lit."""
    differs = next((at for at, (a, b) in enumerate(zip(bits, reference, strict=True)) if a != b), len(bits))
    same, other = bits[:differs], bits[differs:]
    return f"`{same}`" + (f":red-background[**`{other}`**]" if other else "")


def _rounding(found: RoundingFound) -> str:
    q = float(found.probability)
    rows = []
    for value, count, chance in (
        (found.above, found.count, q),
        (found.below, found.draws - found.count, 1 - q),
    ):
        bar = f":blue[{'█' * round(BAR * count / found.draws)}]"
        rows.append(
            [f"**{float(value):.9g}**", f"{count:,}", f"{chance * found.draws:,.1f}", f"{chance:.4f}", bar]
        )
    deviations = f"{found.deviations:+.2f}".replace("-", "−")
    caption = f"\n\nThe first run is {deviations} standard deviations from what was expected."
    return markdown(["becomes", "times", "expected", "probability", "share"], rows, ["share"]) + caption
