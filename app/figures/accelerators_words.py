"""The study of accelerators in words: what is asked, what was found, the tables, the code."""

from __future__ import annotations

from collections.abc import Sequence

from engine.studies import accelerators_energy as energy
from engine.studies import accelerators_roofline as roofline
from engine.studies.accelerators import AcceleratorsResult, ArrayFound, EnergyFound, RooflineFound
from engine.studies.accelerators_cycles import Workload

PREFIXES = ((1e12, "J"), (1e9, "mJ"), (1e6, "µJ"), (1e3, "nJ"), (1.0, "pJ"))


def question(result: AcceleratorsResult) -> tuple[str, float]:
    """What is to be predicted, and the answer."""
    found = result.found
    if isinstance(found, ArrayFound):
        return "In how many cycles is the last product done?", found.trace.cycles
    if isinstance(found, RooflineFound):
        prompt = f"How many of the TPU's 92 TOPS can a dense layer have at batch {found.batch}?"
        return prompt, roofline.attainable(found.batch)
    ledger = found.of("systolic array")
    prompt = "On the array, how many times the energy of its arithmetic does the net take in all?"
    return prompt, ledger.total / ledger.arithmetic


def topic(result: AcceleratorsResult) -> str:
    """What a prediction is about: another machine is another question."""
    found = result.found
    if isinstance(found, ArrayFound):
        return repr(found.work)
    if isinstance(found, RooflineFound):
        return repr(found)
    return repr((found.widths, found.batch, found.chosen, found.side))


def notes(result: AcceleratorsResult) -> list[str]:
    """What was found, and where the idea loses, in a few sentences of Markdown."""
    found = result.found
    if isinstance(found, ArrayFound):
        return array_notes(found)
    return roofline_notes(found) if isinstance(found, RooflineFound) else energy_notes(found)


def array_notes(found: ArrayFound) -> list[str]:
    work = found.work
    if not work.keeps_weights:
        return [
            "**Where it loses:** rows beyond the batch hold no sum, and short sums end before the array is "
            "full. Moving the finished sums out, a row a cycle, is not counted here.",
            f"Weights come in again for every tile of examples: {found.trace.weight_reads} enter, of "
            f"{found.w.size}. Weights that stay enter once.",
        ]
    fill = work.rows + work.columns - 2
    one, some, many = (f"{tpu(batch):.2g} %" for batch in (1, 200, 2048))
    entered = found.trace.activation_reads + found.trace.weight_reads
    return [
        f"**Where it loses:** every pass fills and drains the array, {fill} cycles in which elements wait. "
        f"Half of it idles at batch {fill}; 90 % is at work only from batch {9 * fill}. Of 256 × 256, weight "
        f"loading left out, {one} is at work at batch 1, {some} at 200, {many} at 2048.",
        "Double-buffered, a tile follows right behind the one before; with fewer examples than rows it waits "
        "for its weights.",
        f"Reuse: {entered} numbers enter for {work.products} products, which take {2 * work.products}.",
    ]


def tpu(batch: int) -> float:
    """Utilisation in percent of one full 256 × 256 tile."""
    side = roofline.SIDE
    work = Workload(batch, side, side, side, side)
    return 100 * work.utilisation(work.cycles)


def roofline_notes(found: RooflineFound) -> list[str]:
    roof, filled = roofline.attainable(found.batch), roofline.with_fill_and_drain(found.batch)
    limit = "memory decides" if found.batch < roofline.RIDGE else "the multipliers decide"
    return [
        f"A dense layer uses each byte of weights once for each example: at batch {found.batch} the roofs "
        f"allow **{roof:.3g} TOPS**, {roof / roofline.PEAK:.1%} of the peak, and {limit}. If every tile also "
        f"fills and drains the array: {filled:.3g} TOPS.",
        "**Where it loses:** a service that must answer soon cannot wait for a batch of 1349. Four of the "
        "six applications stay below the ridge.",
        "The authors measured it 15 to 30 times as fast as a CPU and a GPU of its time, and 30 to 80 times "
        f"as many operations a watt ({roofline.SOURCE}, abstract).",
        "A trap: 92 TOPS counts multiplications and additions, the intensity counts pairs of them. "
        f"{roofline.PEAK:.2f} TOPS / 34 GB/s is 2699 operations, or {roofline.RIDGE:.0f} pairs, per byte.",
    ]


def energy_notes(found: EnergyFound) -> list[str]:
    best, none = found.of("systolic array"), found.of("no reuse")
    int8, fp32 = (found.ledgers[name, "systolic array"] for name in ("int8", "fp32"))
    low, high = (cost / 1000 for cost in energy.DRAM)
    return [
        f"An **estimate**: counts times prices. Moving takes {1 - best.arithmetic / best.total:.0%} of "
        f"the energy on the array, {1 - none.arithmetic / none.total:.1%} without reuse.",
        f"int8 instead of fp32 saves {fp32.arithmetic / int8.arithmetic:.3g}× of the arithmetic, but "
        f"{fp32.total / int8.total:.3g}× of the whole here. **Where it loses:** at batch 1 a weight is "
        "fetched for one product, and formats save no more than their bits.",
        "Not priced, for the table has no row for it: control, clock, registers, and the step from element "
        f"to element. DRAM is taken at {low:g} nJ for 64 bits; at {high:g} nJ, the other end of the range, "
        f"the array takes {amount(best.total_at_most / found.batch)} an example.",
    ]


# ---- tables


def table(result: AcceleratorsResult) -> str:
    """A table in Markdown; "" where the board has it all."""
    found = result.found
    if isinstance(found, RooflineFound):
        return roofline_table()
    return energy_table(found) if isinstance(found, EnergyFound) else ""


def rows(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    return "\n".join(
        f"| {' | '.join(line)} |" for line in (header, ["---", *["--:"] * (len(header) - 1)], *lines)
    )


def roofline_table() -> str:
    lines = [
        [
            each.name,
            f"{each.weights} M",
            str(each.batch),
            f"{each.intensity:g}",
            f"{each.attainable:.3g}",
            f"{each.measured:g}",
            f"{each.measured / each.attainable:.0%}",
            "memory" if each.is_bound_by_memory else "multipliers",
        ]
        for each in roofline.APPLICATIONS
    ]
    header = (
        "application", "weights", "batch", "multiply-adds / byte", "roof (TOPS)", "measured (TOPS)",
        "of the roof", "bound by",
    )  # fmt: skip
    source = (
        "\n\n:gray[Weights, batch, intensity (table 1), measured TOPS (table 3): Jouppi et al., ISCA 2017, "
        "from memory, and equal to another transcription of the tables; not compared with the paper itself. "
        "The roof is computed here. CNN1 stays far below it: by table 3 its array waits for weights in "
        "28 % of all cycles, and 24 % of its multipliers have nothing to do.]"
    )
    return rows(header, lines) + source


def energy_table(found: EnergyFound) -> str:
    """The ledger of the chosen format, then the prices and totals of all formats."""
    names = ("multiply", "add", "memory on chip", "DRAM", "total", "of the arithmetic")
    lines = []
    for reuse in energy.REUSES:
        each = found.of(reuse)
        parts = (each.multiply, each.add, each.memory, each.dram, each.total)
        ratio = each.total / each.arithmetic
        figures = [amount(part / found.batch) for part in parts]
        lines.append([reuse, *figures, f"{ratio:,.0f}×" if ratio >= 100 else f"{ratio:.3g}×"])
    ledger = rows((f"{found.chosen}, one example", *names), lines)
    totals = [
        [
            name,
            f"{form.multiply:g} pJ",
            f"{form.add:g} pJ",
            f"{form.bits} / {form.sum_bits}",
            *(amount(found.ledgers[name, reuse].total / found.batch) for reuse in energy.REUSES),
        ]
        for name, form in energy.FORMATS.items()
    ]
    header = ("format", "a multiplication", "an addition", "bits: number / sum", *energy.REUSES)
    source = (
        ":gray[Prices: Horowitz, ISSCC 2014, 45 nm, 0.9 V; arithmetic, 8 KB cache and DRAM as quoted in "
        "later publications and code, 32 KB and 1 MB caches from memory; not compared with the paper itself. "
        "64 bits from a cache of 8 KB take 10 pJ, of 32 KB 20, of 1 MB 100, from DRAM 1300 to 2600. Larger "
        "data is charged like 1 MB; fewer bits in proportion; a write like a read.]"
    )
    return "\n\n".join([ledger, rows(header, totals), source])


def amount(picojoules: float) -> str:
    """An energy with the prefix that suits it."""
    size, unit = next((each for each in PREFIXES if picojoules >= each[0]), PREFIXES[-1])
    return f"{picojoules / size:.3g} {unit}"


# ---- code


def code(result: AcceleratorsResult) -> str:
    """Python source that does the same with torch, or by the law."""
    found = result.found
    if isinstance(found, ArrayFound):
        work = found.work
        return (
            "import torch\n\n"
            f"X = torch.tensor({found.x.tolist()})\nW = torch.tensor({found.w.tolist()})\nprint(X @ W)\n\n"
            f"stream, rows, columns, tiles = {work.stream}, {work.rows}, {work.columns}, {work.tiles}\n"
            "cycles = stream + rows + columns - 2\n"
            'print(cycles, "cycles for a tile,", tiles, "tiles")\n'
        )
    if isinstance(found, RooflineFound):
        return (
            f"peak, bandwidth, batch = 2 * 256 * 256 * 700e6, 34e9, {found.batch}\n"
            "attainable = min(peak, 2 * batch * bandwidth)\n"
            'print(attainable / 1e12, "TOPS; ridge at", peak / 2 / bandwidth, "multiply-adds per byte")\n'
        )
    form = energy.FORMATS[found.chosen]
    return (
        "from itertools import pairwise\n\n"
        f"widths, batch = {list(found.widths)}, {found.batch}\n"
        "products = sum(batch * inputs * outputs for inputs, outputs in pairwise(widths))\n"
        "numbers = sum(batch * i + i * o + batch * o for i, o in pairwise(widths))\n"
        f"print(products * ({form.multiply} + {form.add}), 'pJ of arithmetic')\n"
        f"print(numbers * {form.bits} * {energy.DRAM[0]:g} / 64, 'pJ of DRAM, every number moved once')\n"
    )
