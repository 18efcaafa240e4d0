"""One number through several conventions: where they agree, the choice does not matter; often they do not.

What a library does is described as a convention of ours (through which format it goes, whether it saturates),
and held against the library itself. torch is imported when it is asked; ml_dtypes too, and it may be absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from engine.numbers import Exact, FixedFormat, FloatFormat, Format, Lowest, Rounding, bf16, fp32, fp64
from engine.oracles import torch_version
from engine.studies.view_oracles import numpy_version

BASELINE = "nearest even"
THROUGH_FP32, THROUGH_BOTH = "through fp32", "through fp32, bf16"


@dataclass(frozen=True)
class Library:
    """How a library converts a float64 to one of its types.

    types       format -> the library's name for it
    through     the format that the float64 is rounded to first
    saturating  formats in which a number too large becomes the largest
    """

    name: str
    types: Mapping[str, str]
    through: FloatFormat | None = None
    saturating: frozenset[str] = frozenset()

    def predicted(self, number: Exact, target: Format) -> Exact:
        """What it makes of the float64 nearest to `number`, by our own exact rounding."""
        assert isinstance(target, FloatFormat)
        start = fp64.round(number)
        passed = self.through.round(start) if self.through and target.bits < fp32.bits else start
        return rounded(replace(target, saturate=target.name in self.saturating), passed)


NUMPY = Library("numpy", {"fp64": "float64", "fp32": "float32", "fp16": "float16"})
ML_DTYPES = Library(
    "ml_dtypes",
    {
        "bf16": "bfloat16",
        "fp8_e5m2": "float8_e5m2",
        "fp8_e5m2fnuz": "float8_e5m2fnuz",
        "fp8_e4m3": "float8_e4m3",
        "fp8_e4m3fn": "float8_e4m3fn",
        "fp8_e4m3fnuz": "float8_e4m3fnuz",
        "fp8_e4m3b11fnuz": "float8_e4m3b11fnuz",
        "fp8_e3m4": "float8_e3m4",
        "fp6_e3m2": "float6_e3m2fn",
        "fp6_e2m3": "float6_e2m3fn",
        "fp4_e2m1": "float4_e2m1fn",
    },
    through=fp32,
)
TORCH = Library(
    "torch",
    {
        "fp64": "float64",
        "fp32": "float32",
        "fp16": "float16",
        "bf16": "bfloat16",
        "fp8_e5m2": "float8_e5m2",
        "fp8_e5m2fnuz": "float8_e5m2fnuz",
        "fp8_e4m3fn": "float8_e4m3fn",
        "fp8_e4m3fnuz": "float8_e4m3fnuz",
    },
    through=fp32,
    saturating=frozenset({"fp8_e4m3fn"}),
)
LIBRARIES = (NUMPY, ML_DTYPES, TORCH)


# ---- our conventions


def conventions(number: Exact, target: Format) -> dict[str, Exact | None]:
    """What `number` becomes by each convention; None where a format cannot be used that way."""
    found: dict[str, Exact | None] = {BASELINE: rounded(target, number)}
    for name, mode in (("nearest away", Rounding.NEAREST_AWAY), ("toward zero", Rounding.TOWARD_ZERO)):
        found[name] = rounded(target, number, mode)
    found["saturating"] = _saturating(number, target)
    found["flushing subnormals"] = _flushing(number, target)
    found[THROUGH_FP32] = _through(number, target, fp32)
    found[THROUGH_BOTH] = _through(number, target, fp32, bf16)
    return found


def rounded(target: Format, number: Exact, mode: Rounding = Rounding.NEAREST_EVEN) -> Exact:
    """What the code that `number` becomes stands for; where no code is NaN, NaN becomes a number."""
    return target.decode(target.encode(number, mode))


def _saturating(number: Exact, target: Format) -> Exact | None:
    """Too large becomes the largest number; infinity as well."""
    if not isinstance(target, FloatFormat | FixedFormat):
        return None
    return rounded(replace(target, saturate=True), number)


def _flushing(number: Exact, target: Format) -> Exact | None:
    """What would be subnormal becomes zero."""
    if not isinstance(target, FloatFormat) or target.lowest_exponent is not Lowest.SUBNORMAL:
        return None
    return rounded(replace(target, lowest_exponent=Lowest.FLUSH), number)


def _through(number: Exact, target: Format, *formats: FloatFormat) -> Exact | None:
    """Rounded several times, to one format after another (double rounding)."""
    if any(target.bits >= step.bits for step in formats):
        return None
    for step in formats:
        number = step.round(number)
    return rounded(target, number)


def same(a: Exact, b: Exact) -> bool:
    """Whether two results are the same number; NaN is NaN, and -0 is not 0."""
    if a != a or b != b:
        return a != a and b != b
    return a == b and _is_negative_zero(a) == _is_negative_zero(b)


def _is_negative_zero(a: Exact) -> bool:
    return not isinstance(a, Fraction) and a == 0


# ---- the libraries themselves


def version(library: Library) -> str | None:
    """Name and version of the library; None if it is not installed."""
    if library is TORCH:
        return torch_version()
    if library is NUMPY:
        return numpy_version()
    found = _ml_dtypes()
    return f"ml_dtypes {found.__version__}" if found else None


def converted(library: Library, number: Exact, target: Format) -> Exact | None:
    """What the library makes of the float64 nearest to `number`; None without such a type, or the library."""
    if target.name not in library.types:
        return None
    start, name = float(fp64.round(number)), library.types[target.name]
    convert: Callable[[float, str], float | None] = _by_torch if library is TORCH else _by_numpy
    found = convert(start, name)
    return found if found is None else exactly(found)


def decoded(library: Library, code: int, target: Format) -> Exact | None:
    """The number that a code stands for by numpy or ml_dtypes; None where neither has the format."""
    if library is TORCH or target.name not in library.types:
        return None
    source: Any = np if library is NUMPY else _ml_dtypes()
    if source is None:
        return None
    stored = np.dtype(f"uint{max(target.bits, 8)}")  # types of fewer than eight bits take a byte
    with np.errstate(all="ignore"):  # a signalling NaN
        return exactly(float(np.array(code, stored).view(getattr(source, library.types[target.name]))))


def exactly(value: float) -> Exact:
    """A float as this package writes numbers: a Fraction where it is one."""
    return value if value - value != 0 or str(value) == "-0.0" else Fraction(value)


def _by_numpy(value: float, name: str) -> float | None:
    source: Any = np if hasattr(np, name) else _ml_dtypes()
    if source is None:
        return None
    with np.errstate(all="ignore"):
        return float(np.array(value).astype(getattr(source, name)))


def _by_torch(value: float, name: str) -> float:
    import torch

    return float(torch.tensor(value, dtype=torch.float64).to(getattr(torch, name)).to(torch.float64))


@cache
def _ml_dtypes() -> Any:
    """The module, which is installed with the development extra only; None without it."""
    try:
        import ml_dtypes
    except ImportError:
        return None
    return ml_dtypes
