"""The table's transcendental functions for loops that LLVM can vectorise.

numba sends `math.exp` and the like to the C library, one number at a time: such a loop is five to ten times
slower than the processor allows. Kernels call these instead (`exp_float32`, `exp_float64`, …); where there
is none, as for the sine of a float64, they keep the C library's.

They have no branches, take any argument, and give the same bits in every kernel, whatever its `fastmath`.
NaN propagates as in C, overflow gives inf, and underflow is gradual.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from numba import float32, float64

from engine.backends.cpu.vector_elementary import erf, exp, expm1, log, log1p, sigmoid, tanh
from engine.backends.cpu.vector_mixed import cos, sin
from engine.backends.cpu.vector_mixed import pow as power
from engine.backends.cpu.vector_value import compiled_inline

exp_float32, exp_float64 = compiled_inline(float32, exp), compiled_inline(float64, exp)
expm1_float32, expm1_float64 = compiled_inline(float32, expm1), compiled_inline(float64, expm1)
log_float32, log_float64 = compiled_inline(float32, log), compiled_inline(float64, log)
log1p_float32, log1p_float64 = compiled_inline(float32, log1p), compiled_inline(float64, log1p)
tanh_float32, tanh_float64 = compiled_inline(float32, tanh), compiled_inline(float64, tanh)
sigmoid_float32, sigmoid_float64 = compiled_inline(float32, sigmoid), compiled_inline(float64, sigmoid)
erf_float32, erf_float64 = compiled_inline(float32, erf), compiled_inline(float64, erf)
sin_float32 = compiled_inline(float32, sin)
cos_float32 = compiled_inline(float32, cos)
pow_float32 = compiled_inline(float32, power)

# (row of the table, dtype) -> the function's name here
FUNCTIONS: dict[tuple[str, str], str] = {
    (name.rpartition("_")[0], name.rpartition("_")[2]): name
    for name in list(globals())
    if name.endswith(("_float32", "_float64"))
}


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("vector_*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# For the source of a generated kernel: numba's disk cache knows a kernel by its own source alone, and would
# not notice that a function it has compiled into the kernel is another one now.
FINGERPRINT = _fingerprint()
