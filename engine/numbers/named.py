"""The formats that have names, under the names that ml_dtypes and PyTorch use."""

from __future__ import annotations

from engine.numbers.exact import NumberError
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat, Lowest, Specials
from engine.numbers.format import Format
from engine.numbers.posit import posit8, posit16

FN, FNUZ, NONE = Specials.FN, Specials.FNUZ, Specials.NONE

fp64 = FloatFormat("fp64", 11, 52)
fp32 = FloatFormat("fp32", 8, 23)
tf32 = FloatFormat("tf32", 8, 10)
fp16 = FloatFormat("fp16", 5, 10)
bf16 = FloatFormat("bf16", 8, 7)

fp8_e5m2 = FloatFormat("fp8_e5m2", 5, 2)
fp8_e5m2fnuz = FloatFormat("fp8_e5m2fnuz", 5, 2, specials=FNUZ)
fp8_e4m3 = FloatFormat("fp8_e4m3", 4, 3)
fp8_e4m3fn = FloatFormat("fp8_e4m3fn", 4, 3, specials=FN)
fp8_e4m3fnuz = FloatFormat("fp8_e4m3fnuz", 4, 3, specials=FNUZ)
fp8_e4m3b11fnuz = FloatFormat("fp8_e4m3b11fnuz", 4, 3, bias=11, specials=FNUZ)
fp8_e3m4 = FloatFormat("fp8_e3m4", 3, 4)
fp8_e8m0 = FloatFormat("fp8_e8m0", 8, 0, specials=FN, lowest_exponent=Lowest.NORMAL, signed=False)

fp6_e3m2 = FloatFormat("fp6_e3m2", 3, 2, specials=NONE)
fp6_e2m3 = FloatFormat("fp6_e2m3", 2, 3, specials=NONE)
fp4_e2m1 = FloatFormat("fp4_e2m1", 2, 1, specials=NONE)

int8 = FixedFormat("int8", 8)
int4 = FixedFormat("int4", 4)

FLOATS: tuple[FloatFormat, ...] = (
    fp64,
    fp32,
    tf32,
    fp16,
    bf16,
    fp8_e5m2,
    fp8_e5m2fnuz,
    fp8_e4m3,
    fp8_e4m3fn,
    fp8_e4m3fnuz,
    fp8_e4m3b11fnuz,
    fp8_e3m4,
    fp8_e8m0,
    fp6_e3m2,
    fp6_e2m3,
    fp4_e2m1,
)
NAMED: dict[str, Format] = {entry.name: entry for entry in (*FLOATS, int8, int4, posit8, posit16)}


def by_name(name: str) -> Format:
    """The format of this name; NumberError lists the names there are."""
    if name not in NAMED:
        raise NumberError(f"there is no format {name}; the named ones are {', '.join(NAMED)}")
    return NAMED[name]
