"""Vector registers inside numba functions: which ones the processor has, and instructions on them.

numba compiles plain loops well, but what must stay in registers has to be said in LLVM's own terms. The
classes that do so derive from `Vectors`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target

FLOATS = {types.float32: ("f32", ir.FloatType()), types.float64: ("f64", ir.DoubleType())}
INDEX = ir.IntType(64)
SHORT = ir.IntType(32)


def vector_bytes() -> int:
    """Width of the registers, 64 (AVX-512) or 32 (AVX2 with fused multiply-add); 0 for any other processor.

    These are the features that numba compiles for: those of the host as LLVM detects them, unless
    NUMBA_CPU_NAME and NUMBA_CPU_FEATURES say otherwise. numba's disk cache is keyed by them too.
    """
    features = set(cpu_target.target_context.codegen().magic_tuple()[2].split(","))
    if "+avx512f" in features:
        return 64
    return 32 if {"+avx2", "+fma"} <= features else 0


VECTOR_BYTES = vector_bytes()


class Vectors:
    """Emits instructions on whole registers of float32 or float64 into the function being compiled.

    A mask says which lanes of a register to load or store; None means all of them.
    """

    def __init__(self, builder: Any, element: Any) -> None:
        self.builder = builder
        self.name, self.element = FLOATS[element]
        self.lanes = VECTOR_BYTES * 8 // element.bitwidth
        self.kind = ir.VectorType(self.element, self.lanes)
        self.zero = ir.Constant(self.kind, [0.0] * self.lanes)
        self.lane = ir.IntType(element.bitwidth)  # an integer as wide as a lane

    def pointer(self, context: Any, array_type: Any, array: Any, offset: Any) -> Any:
        """Where element `offset` of a numba array lies."""
        return self.at(context.make_array(array_type)(context, self.builder, array).data, offset)

    def at(self, pointer: Any, offset: Any) -> Any:
        """`pointer` moved on by `offset` elements."""
        return self.builder.gep(pointer, [offset], source_etype=self.element)

    def load(self, pointer: Any, mask: Any = None) -> Any:
        place = self.builder.bitcast(pointer, self.kind.as_pointer())
        if mask is None:
            return self.builder.load(place, typ=self.kind, align=1)
        return self._call("masked.load", ".p0", self.kind, place, SHORT(1), mask, self.zero)

    def store(self, value: Any, pointer: Any, mask: Any = None) -> None:
        place = self.builder.bitcast(pointer, self.kind.as_pointer())
        if mask is None:
            self.builder.store(value, place, align=1)
        else:
            self._call("masked.store", ".p0", ir.VoidType(), value, place, SHORT(1), mask)

    def load_to_all_lanes(self, pointer: Any) -> Any:
        return self._splat(self.builder.load(pointer, typ=self.element, align=1), self.kind)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """a * b + c, rounded once."""
        return self._call("fma", "", self.kind, a, b, c)

    def below(self, limit: Any, register: int) -> Any:
        """The mask of the lanes whose number is below `limit`, counted on from register 0."""
        first = register * self.lanes
        numbers = ir.Constant(ir.VectorType(self.lane, self.lanes), list(range(first, first + self.lanes)))
        narrow = limit if self.lane == INDEX else self.builder.trunc(limit, self.lane)
        return self.builder.icmp_signed("<", numbers, self._splat(narrow, numbers.type))

    def shuffle(self, low: Any, high: Any, picks: list[int]) -> Any:
        """A register of picked lanes; those of `high` are numbered on from those of `low`."""
        return self.builder.shuffle_vector(low, high, ir.Constant(ir.VectorType(SHORT, len(picks)), picks))

    def prefetch(self, pointer: Any) -> None:
        """Have the line at `pointer` brought near, for writing."""
        kind = ir.FunctionType(ir.VoidType(), [ir.PointerType(), SHORT, SHORT, SHORT])
        function = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        self.builder.call(function, [pointer, SHORT(1), SHORT(3), SHORT(1)])

    def fence(self) -> None:
        """No instruction, but LLVM moves no load across it; it also keeps it from unrolling loops."""
        self.builder.asm(ir.FunctionType(ir.VoidType(), []), "", "", [], True)

    def _splat(self, value: Any, kind: Any) -> Any:
        undefined = ir.Constant(kind, ir.Undefined)
        return self.shuffle(
            self.builder.insert_element(undefined, value, SHORT(0)), undefined, [0] * self.lanes
        )

    def _call(self, name: str, suffix: str, result: Any, *arguments: Any) -> Any:
        """Call LLVM's intrinsic of this name for our kind of register."""
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        full_name = f"llvm.{name}.v{self.lanes}{self.name}{suffix}"
        return self.builder.call(
            cgutils.get_or_insert_function(self.builder.module, kind, full_name), arguments
        )
