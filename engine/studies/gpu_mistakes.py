"""The four classic mistakes, planted in a kernel's source by changing one of its lines."""

from __future__ import annotations

from dataclasses import replace

from engine.backends.cuda.kernels.source import Kernel
from engine.studies.gpu_setup import Mistake

Edit = tuple[str, str]  # what stands in the source, and what is put there

LOOP_BARRIER = "        cuda.syncthreads()\n        width //= 2"
STRIP_BARRIER = "        cuda.syncthreads()\n        for k"
BIN = "row * width + column"
ADDEND = "x_[x_at + line * x_row + column * x_column]"
STRIPS = "    for start in range("

EDITS: dict[str, dict[Mistake, Edit]] = {  # by the name of the kernel
    "map_mul": {
        "write-write race": ("out_[out_p] =", "out_[out_p // 2] ="),
        "out of bounds": (", size, cuda", ", size + 1, cuda"),
    },
    "reduce_sum": {
        "missing barrier": (LOOP_BARRIER, LOOP_BARRIER.replace("cuda.", "# cuda.")),
        "write-write race": ("if along == 0 and result < results:", "if result < results:"),
        "out of bounds": ("range(begin + along, end, width)", "range(begin + along, end + 1, width)"),
        "divergent barrier": (LOOP_BARRIER, f"    {LOOP_BARRIER}"),
    },
    "matmul": {
        "missing barrier": (STRIP_BARRIER, STRIP_BARRIER.replace("cuda.", "# cuda.")),
        "write-write race": ("out_[row * period + place0] =", "out_[place0] ="),
        "out of bounds": ("a_row < rows and a_k < end", "a_k < end"),
        "divergent barrier": (STRIPS, f"    if a_first + y0 >= rows:\n        return\n{STRIPS}"),
    },
    "convolution_output": {
        "missing barrier": (STRIP_BARRIER, STRIP_BARRIER.replace("cuda.", "# cuda.")),
        "write-write race": ("out_[row * period + place0] =", "out_[place0] ="),
        "out of bounds": (" and 0 <= y < height and 0 <= x < width", ""),
        "divergent barrier": (STRIPS, f"    if b_first + x0 >= columns:\n        return\n{STRIPS}"),
    },
    "scatter_add": {
        "write-write race": (f"cuda.atomic.add(out_, {BIN}, {ADDEND})", f"out_[{BIN}] += {ADDEND}"),
        "out of bounds": (", size, cuda", ", size + 1, cuda"),
    },
    "plain_matmul": {
        "write-write race": ("out_[row * n + column] =", "out_[column] ="),
        "out of bounds": ("if row < n and column < n:", "if row <= n and column < n:"),
    },
    "reverse": {
        "missing barrier": ("cuda.syncthreads()", "# cuda.syncthreads()"),
        "write-write race": ("out_[t] =", "out_[t // 2] ="),
        "out of bounds": ("(31 - t)", "(32 - t)"),
        "divergent barrier": ("    cuda.syncthreads()", "    if t < 16:\n        cuda.syncthreads()"),
    },
    "uneven": {
        "write-write race": ("out_[t] =", "out_[t // 2] ="),
        "out of bounds": ("1 + t % paths", "2 + t % paths"),
    },
}


def planted(kernel: Kernel, mistake: Mistake) -> Kernel:
    """The kernel with this mistake in its source; raises ValueError where there is no place for it."""
    if mistake == "none":
        return kernel
    edits = EDITS[kernel.name]
    if mistake not in edits:
        possible = " or ".join(f"“{name}”" for name in edits)
        raise ValueError(f"mistake: {kernel.name} waits at no barrier; choose {possible}, or another kernel")
    there, instead = edits[mistake]
    return replace(kernel, source=kernel.source.replace(there, instead))
