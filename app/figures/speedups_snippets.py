"""Code to take away: what is on screen, in a few lines of numba or PyTorch."""

from __future__ import annotations

import inspect

from engine.parallel.diagnostics import source_lines
from engine.parallel.loops import LOOPS
from engine.parallel.problems import BINS
from engine.parallel.simd import SIGNATURE, VARIATIONS
from engine.studies.speedups import SpeedupsResult
from engine.studies.speedups_setup import SpeedupsSetup

EXPRESSIONS = {
    "map": "torch.exp(-a * a)",
    "zip": "a + b",
    "reduce": "a.sum()",
    "matmul": "a @ b",
    "triangular": "a.tril() @ b",
    "convolution": "torch.nn.functional.conv2d(a[None, None], w)",
    "histogram": f"torch.histc(a, {BINS}, 0, 1)",
}
FLAT = ("map", "zip", "reduce", "histogram")


def snippet(result: SpeedupsResult) -> str:
    """Python that shows the same."""
    setup = result.setup
    match setup.experiment:
        case "Loops found":
            return _loops(setup)
        case "SIMD":
            return _simd(setup)
        case "False sharing":
            return _sharing(setup.spacing)
        case "Race":
            return _race(setup.cells)
    return _threads(setup)


def _threads(setup: SpeedupsSetup) -> str:
    side = int(setup.size**0.5)
    size = f"{setup.size}" if setup.kernel in FLAT else f"{side}, {side}"
    return (
        "import torch\n"
        "from torch.utils.benchmark import Timer\n\n"
        f"torch.manual_seed({setup.seed})\n"
        f"a, b, w = torch.rand({size}), torch.rand({size}), torch.rand(1, 1, 5, 5)\n"
        "for threads in (1, 2, 4):\n"
        f'    timer = Timer("{EXPRESSIONS[setup.kernel]}", globals=globals(), num_threads=threads)\n'
        "    seconds = timer.blocked_autorange(min_run_time=0.2).median\n"
        '    print(threads, "threads:", f"{1e6 * seconds:.3g} µs")\n'
    )


def _loops(setup: SpeedupsSetup) -> str:
    source = LOOPS[setup.loop]
    name = source.function.__name__
    return (
        "import numpy as np\n"
        "from numba import njit, prange\n\n\n"
        f'@njit("{source.signature}", parallel=True, fastmath=True)\n'
        + "\n".join(source_lines(setup.loop))
        + f"\n\n\n{name}.parallel_diagnostics(level=1)\n"
    )


def _simd(setup: SpeedupsSetup) -> str:
    chosen = VARIATIONS[setup.simd]
    name = chosen.function.__name__
    text = inspect.getsource(chosen.function)
    text = text.replace(": Any", "").replace(" -> None", "")
    return (
        "import numpy as np\n"
        "from numba import njit\n\n\n"
        f"{text}\n\n"
        f"for options in ({chosen.off!r}, {chosen.on!r}):\n"
        f'    compiled = njit("{SIGNATURE}", **options)({name})\n'
        "    (assembly,) = compiled.inspect_asm().values()\n"
        '    packed = [line for line in assembly.splitlines() if "ps\\t" in line]\n'
        '    print(options, len(packed), "instructions work on vectors", *packed[:5], sep="\\n")\n'
    )


def _sharing(spacing: int) -> str:
    return (
        "from threading import Thread\n"
        "from time import perf_counter\n\n"
        "import numpy as np\n"
        "from numba import njit\n\n\n"
        "@njit(nogil=True)\n"
        "def count(bins, data):\n"
        "    for b in data:\n"
        "        bins[b] += 1\n\n\n"
        "data, memory = np.zeros(10_000_000, np.int64), np.zeros(64, np.int64)\n"
        "memory = memory[-memory.ctypes.data % 128 // 8 :]  # begins with a cache line\n"
        "count(memory, data[:0])  # compiles\n"
        f"for spacing in sorted({{{spacing}, 8, 64}}):  # bytes\n"
        "    counters = memory[:1], memory[spacing // 8 :][:1]\n"
        "    threads = [Thread(target=count, args=(counter, data)) for counter in counters]\n"
        "    begin = perf_counter()\n"
        "    for thread in threads:\n"
        "        thread.start()\n"
        "    for thread in threads:\n"
        "        thread.join()\n"
        "    each = 1e9 * (perf_counter() - begin) / len(data)\n"
        '    print(spacing, "bytes apart:", f"{each:.3g} ns an update")\n'
    )


def _race(cells: int) -> str:
    return (
        "from threading import Thread\n\n"
        "import numpy as np\n"
        "from numba import njit\n\n\n"
        "@njit(nogil=True)\n"
        "def count(bins, data):\n"
        "    for b in data:\n"
        "        bins[b] += 1\n\n\n"
        f"data, bins = np.random.randint(0, {cells}, 10_000_000), np.zeros({cells}, np.int64)\n"
        "count(bins, data[:0])  # compiles\n"
        "threads = [Thread(target=count, args=(bins, half)) for half in np.split(data, 2)]\n"
        "for thread in threads:\n"
        "    thread.start()\n"
        "for thread in threads:\n"
        "    thread.join()\n"
        'print(len(data) - bins.sum(), "updates lost")\n'
    )
