"""Number formats to the bit: what they hold, how numbers are rounded to them, how errors add up.

>>> from engine import numbers
>>> numbers.fp16.fields(numbers.fp16.encode(0.1))
Fields(sign='0', exponent='01011', fraction='1001100110', regime='')
>>> numbers.as_decimal(numbers.fp16.round(0.1))
'0.0999755859375'
>>> half = numbers.Arithmetic(numbers.fp16)
>>> float(half.add(2048.0, 1.0))
2048.0

One number exactly: `Format` and its kinds. Whole arrays fast: `round_array`, `encode_array`, `decode_array`,
`round_blocks`. Computations whose every result is rounded: `Arithmetic`, `dot`, `matmul`, `softmax`,
`variance`; how wrong they can be: `bounds`. Training with rounding: `numbers.training`, which is not imported
from here because it needs the whole engine.
"""

from engine.numbers import bounds
from engine.numbers.arithmetic import Algorithm, Arithmetic
from engine.numbers.arrays import decode_array, encode_array, round_array
from engine.numbers.blocks import (
    BLOCK_FORMATS,
    Blocked,
    BlockFormat,
    block_floating_point,
    mxfp4_e2m1,
    mxfp6_e2m3,
    mxfp6_e3m2,
    mxfp8_e4m3,
    mxfp8_e5m2,
    mxint8,
    nvfp4,
    round_blocks,
    to_blocks,
)
from engine.numbers.exact import Exact, NumberError, Rounding
from engine.numbers.fixed import FixedFormat
from engine.numbers.floating import FloatFormat, Lowest, Specials
from engine.numbers.format import Fields, Format
from engine.numbers.linear_algebra import Precision, VarianceMethod, dot, matmul, softmax, variance
from engine.numbers.named import (
    FLOATS,
    NAMED,
    bf16,
    by_name,
    fp4_e2m1,
    fp6_e2m3,
    fp6_e3m2,
    fp8_e3m4,
    fp8_e4m3,
    fp8_e4m3b11fnuz,
    fp8_e4m3fn,
    fp8_e4m3fnuz,
    fp8_e5m2,
    fp8_e5m2fnuz,
    fp8_e8m0,
    fp16,
    fp32,
    fp64,
    int4,
    int8,
    tf32,
)
from engine.numbers.posit import PositFormat, posit8, posit16
from engine.numbers.text import as_decimal, as_hexadecimal, parse_code, parse_number

__all__ = [
    "BLOCK_FORMATS",
    "FLOATS",
    "NAMED",
    "Algorithm",
    "Arithmetic",
    "BlockFormat",
    "Blocked",
    "Exact",
    "Fields",
    "FixedFormat",
    "FloatFormat",
    "Format",
    "Lowest",
    "NumberError",
    "PositFormat",
    "Precision",
    "Rounding",
    "Specials",
    "VarianceMethod",
    "as_decimal",
    "as_hexadecimal",
    "bf16",
    "block_floating_point",
    "bounds",
    "by_name",
    "decode_array",
    "dot",
    "encode_array",
    "fp4_e2m1",
    "fp6_e2m3",
    "fp6_e3m2",
    "fp8_e3m4",
    "fp8_e4m3",
    "fp8_e4m3b11fnuz",
    "fp8_e4m3fn",
    "fp8_e4m3fnuz",
    "fp8_e5m2",
    "fp8_e5m2fnuz",
    "fp8_e8m0",
    "fp16",
    "fp32",
    "fp64",
    "int4",
    "int8",
    "matmul",
    "mxfp4_e2m1",
    "mxfp6_e2m3",
    "mxfp6_e3m2",
    "mxfp8_e4m3",
    "mxfp8_e5m2",
    "mxint8",
    "nvfp4",
    "parse_code",
    "parse_number",
    "posit8",
    "posit16",
    "round_array",
    "round_blocks",
    "softmax",
    "tf32",
    "to_blocks",
    "variance",
]
