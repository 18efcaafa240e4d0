"""What a simulated kernel sees: its thread as `cuda`, memory, and arithmetic with IEEE 754 results.

Values are Python numbers. Registers therefore hold float64; a value is rounded to the type of an array
when it is stored there, and by a cast such as `np.float32(x)`. Results agree with a GPU's to the accuracy
of the arrays' type. Integers are exact: a cast wraps round, and a number that does not fit cannot be stored.
"""

from __future__ import annotations

import math as python
import operator
from collections.abc import Callable, Sized
from ctypes import c_float
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine import ieee

if TYPE_CHECKING:
    from engine.backends.cuda.record import Record

WARP = 32  # threads that run in lockstep
SHARED_MEMORY = 48 * 1024  # bytes that a block may declare (CUDA C++ Programming Guide, compute capabilities)

Combine = Callable[[Any, Any], Any]


class KernelError(RuntimeError):
    """A kernel that is wrong, or that a simulation cannot run; `record` holds the accesses up to there."""

    record: Record | None = None


class OutOfBoundsError(KernelError):
    """An index outside an array, on a `line`; a GPU would read or overwrite whatever lies there."""

    line: int | None = None


class BarrierError(KernelError):
    """Some threads wait at a barrier that others do not come to; on a GPU, undefined behaviour."""


class EndlessLoopError(KernelError):
    """More turns of loops than a launch is allowed."""


class DataRaceError(KernelError):
    """Threads touch one element in no certain order, and one of them changes it."""


class UninitialisedReadError(KernelError):
    """Shared or local memory is read that nobody has written."""


@dataclass(frozen=True, slots=True)
class Dim3:
    """Sizes of a grid or block, or the place of a block or thread in one."""

    x: int = 1
    y: int = 1
    z: int = 1

    def __str__(self) -> str:
        return f"({self.x}, {self.y}, {self.z})"

    @property
    def count(self) -> int:
        return self.x * self.y * self.z

    def place(self, number: int) -> Dim3:
        """The place with this linear number (x fastest) in a grid or block of this size."""
        return Dim3(number % self.x, number // self.x % self.y, number // (self.x * self.y))

    def number(self, place: Dim3) -> int:
        """The linear number of a place."""
        return (place.z * self.y + place.y) * self.x + place.x


@dataclass(slots=True)
class Launch:
    """What the threads of a launch have in common."""

    kernel: str
    grid: Dim3
    block: Dim3
    turns: int  # of loops, that are left
    shared: dict[int, Any] = field(default_factory=dict)  # of the block that is running
    shared_bytes: int = 0

    def next_block(self) -> None:
        self.shared = {}
        self.shared_bytes = 0


class Thread:
    """The `cuda` of one simulated thread: numba.cuda's names, and those that the rewriting calls."""

    __slots__ = ("blockDim", "blockIdx", "gridDim", "launch", "threadIdx")

    def __init__(self, launch: Launch, place: Dim3) -> None:
        self.launch = launch
        self.threadIdx = place
        self.blockIdx = Dim3(0, 0, 0)
        self.blockDim = launch.block
        self.gridDim = launch.grid

    def __str__(self) -> str:
        return f"{self.launch.kernel}: thread {self.threadIdx} of block {self.blockIdx}"

    def run(self, kernel: Callable[..., Any], args: list[Any]) -> None:
        """All of a kernel without barriers."""
        kernel(self, *args)

    def steps(self, kernel: Callable[..., Any], args: list[Any]) -> Any:
        """A kernel from barrier to barrier: a generator of the numbers of the barriers it waits at."""
        return kernel(self, *args)

    def grid(self, dimensions: int) -> Any:
        """The thread's place in the whole grid: x, or (x, y), or (x, y, z)."""
        x = self.blockIdx.x * self.blockDim.x + self.threadIdx.x
        if dimensions == 1:
            return x
        y = self.blockIdx.y * self.blockDim.y + self.threadIdx.y
        z = self.blockIdx.z * self.blockDim.z + self.threadIdx.z
        return (x, y, z)[:dimensions]

    def gridsize(self, dimensions: int) -> Any:
        """The number of threads in the whole grid along x, or (x, y), or (x, y, z)."""
        x = self.gridDim.x * self.blockDim.x
        if dimensions == 1:
            return x
        return (x, self.gridDim.y * self.blockDim.y, self.gridDim.z * self.blockDim.z)[:dimensions]

    def shared_array(self, site: int, shape: Any, dtype: Any) -> Any:
        """The block's array declared at `site`; whoever comes first makes it."""
        array = self.launch.shared.get(site)
        if array is None:
            array = self.launch.shared[site] = self.new_array(site, shape, dtype, "shared")
            self.launch.shared_bytes += array.nbytes
            if (declared := self.launch.shared_bytes) > SHARED_MEMORY:
                raise KernelError(f"{self} declares {declared} bytes of shared memory, of {SHARED_MEMORY}")
        return array

    def local_array(self, site: int, shape: Any, dtype: Any) -> Any:
        """An array of this thread alone."""
        return self.new_array(site, shape, dtype, "local")

    def new_array(self, _site: int, shape: Any, dtype: Any, _space: str) -> Any:
        return fast(unwritten(shape, dtype))

    def atomic_add(self, site: int, array: Any, index: Any, value: Any) -> Any:
        return self.atomic(site, array, index, operator.add, value)

    def atomic_max(self, site: int, array: Any, index: Any, value: Any) -> Any:
        return self.atomic(site, array, index, max, value)

    def atomic_min(self, site: int, array: Any, index: Any, value: Any) -> Any:
        return self.atomic(site, array, index, min, value)

    def atomic(self, _site: int, array: Any, index: Any, combine: Combine, value: Any) -> Any:
        """Combine `value` with an element that no other thread can touch meanwhile; returns the old one."""
        if (min(index) if isinstance(index, tuple) else index) < 0:
            self.negative(array, index)
        old = array[index]
        array[index] = combine(old, value)
        return old

    def negative(self, array: Any, index: Any) -> Any:
        """A negative index: allowed for a tuple only."""
        if isinstance(array, tuple):
            return index
        raise IndexError(index)

    def turn(self, line: int) -> None:
        """Count a turn of a while loop."""
        self.launch.turns -= 1
        if self.launch.turns < 0:
            raise EndlessLoopError(
                f"{self} is still in the loop on line {line} when the launch has used up its turns. "
                "Threads run one after another: waiting for another one, but at a barrier, never ends"
            )

    def turns(self, line: int, steps: Sized) -> Sized:
        """Count the turns of a for loop as it begins."""
        if not isinstance(steps, (range, tuple)):
            raise KernelError(f"{self} loops over {type(steps).__name__} on line {line}; loop over a range")
        self.launch.turns -= len(steps)
        if self.launch.turns < 0:
            raise EndlessLoopError(
                f"{self}: {len(steps)} more turns of the loop on line {line} are too many for a simulation"
            )
        return steps

    @staticmethod
    def divide(a: Any, b: Any) -> Any:
        """a / b; ±∞ or NaN where b is 0."""
        try:
            return a / b
        except ZeroDivisionError:
            return ieee.with_float64(operator.truediv, (a, b))

    @staticmethod
    def power(a: Any, b: Any) -> Any:
        """a to the b: exact for integers, C's pow for floats."""
        if isinstance(a, int) and isinstance(b, int) and b >= 0:
            return a**b
        return ieee.power(a, b)


def fast(array: NDArray[Any]) -> Any:
    """An array for the fast form: elements of a memoryview are Python numbers, and quick to reach."""
    return memoryview(array)  # type: ignore[arg-type]  # Buffer is a type of Python 3.12


def unwritten(shape: Any, dtype: Any) -> NDArray[Any]:
    """Memory that nobody has written: NaN or an unlikely integer, so that reading it shows in the result."""
    if dtype not in DTYPES:
        raise KernelError(f"{dtype} is not an element type: take one of numpy, such as np.float32")
    chosen = DTYPES[dtype]
    value = {"f": np.nan, "b": True}.get(chosen.kind) or np.iinfo(chosen).max // 3
    return np.full(shape, value, chosen)


# ---- what `math` and `numpy` stand for in a simulated kernel


def total(function: Callable[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, and where Python raises, the IEEE 754 result that numpy gives."""

    def evaluate(*operands: Any) -> Any:
        try:
            return function(*operands)
        except (ValueError, OverflowError):
            return ieee.with_float64(otherwise, operands)

    return evaluate


MAY_RAISE: dict[str, Callable[..., Any]] = {
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "atanh": np.arctanh,
    "cos": np.cos,
    "cosh": np.cosh,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "fmod": np.fmod,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
    "pow": np.power,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
}
math = SimpleNamespace(
    **{name: value for name, value in vars(python).items() if not name.startswith("_")}
    | {name: total(getattr(python, name), otherwise) for name, otherwise in MAY_RAISE.items()}
)


def float32(x: float) -> float:
    return c_float(x).value


def float64(x: float) -> float:
    return float(x)


def bool_(x: Any) -> bool:
    return bool(x)


def integer(bits: int, signed: bool) -> Callable[[Any], int]:
    """A cast to an integer type: towards zero, modulo 2**bits."""
    modulus, offset = 1 << bits, (1 << bits - 1 if signed else 0)
    return lambda x: (int(x) + offset) % modulus - offset


int8, int16, int32, int64 = (integer(bits, signed=True) for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (integer(bits, signed=False) for bits in (8, 16, 32, 64))

CASTS: dict[str, Callable[[Any], Any]] = {
    "bool_": bool_,
    "float32": float32,
    "float64": float64,
    "int8": int8,
    "int16": int16,
    "int32": int32,
    "int64": int64,
    "uint8": uint8,
    "uint16": uint16,
    "uint32": uint32,
    "uint64": uint64,
}
DTYPES = {cast: np.dtype(name) for name, cast in CASTS.items()}
numpy = SimpleNamespace(**CASTS, inf=python.inf, nan=python.nan, pi=python.pi, e=python.e)
