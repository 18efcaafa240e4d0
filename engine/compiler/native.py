"""What generated kernels are made with: pointers from addresses, and a loop that calls kernels by address.

Every kernel has one signature, void(int64 *): lengths, addresses and strides come as numbers. So a whole
step is a table of (kernel, numbers) that `run` walks through without Python between the calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.compiler import modules

INDEX = ir.IntType(64)
KERNEL = "kernel"  # the name of the function in every generated module


@dataclass(frozen=True, slots=True)
class Code:
    """The source of a module with one kernel, and the readable part of its file's name."""

    source: str
    purpose: str


def dispatcher(code: Code) -> Any:
    """What numba made of a module's kernel; compiles it, or loads it from disk."""
    return getattr(modules.load(code.source, code.purpose), KERNEL)


@cache
def address(code: Code) -> int:
    """Where the machine code of a kernel begins, or of a library function with one signature."""
    found = dispatcher(code)
    if hasattr(found, "address"):
        return int(found.address)
    (overload,) = found.overloads.values()
    return int(overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name))


@cache
def adaptor(dtypes: tuple[str, ...]) -> Code:
    """A kernel that calls a library function of flat arrays of these dtypes (in numba's letters).

    Its numbers are the address of the function, and for each array the address of its first element and its
    length. So library functions, which take long to compile, are compiled once and called by all.
    """
    arrays = [f"carray({dtype}s(p[{2 * k + 1}]), p[{2 * k + 2}])" for k, dtype in enumerate(dtypes)]
    source = (
        '"""Calls a library function by its address."""\n'
        "from numba import carray, cfunc\n"
        "from engine.compiler.native import f4s, f8s, i8s, invoke\n\n\n"
        '@cfunc("void(CPointer(int64))", cache=True)\n'
        f"def {KERNEL}(p):\n"
        f"    invoke(p[0], ({', '.join(arrays)},))\n"
    )
    return Code(source, "adaptor")


def missing(codes: Iterable[Code]) -> list[str]:
    """Names of the modules, now written, whose machine code is not on disk yet."""
    names = [modules.write(code.source, code.purpose) for code in dict.fromkeys(codes)]
    return [name for name in names if not modules.is_compiled(name, KERNEL)]


def _pointer(kind: Any) -> Any:
    @intrinsic
    def pointer(_typing: Any, _address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), code

    return pointer


f4s, f8s, i8s, b1s = (_pointer(kind) for kind in (types.float32, types.float64, types.int64, types.uint8))


def _extremum(name: str) -> Any:
    @intrinsic
    def extremum(_typing: Any, a: Any, b: Any) -> Any:
        """The larger (or smaller) of two floats; NaN if one of them is."""
        if not isinstance(a, types.Float) or a is not b:
            return None

        def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            kind = arguments[0].type
            function = builder.module.declare_intrinsic(
                f"llvm.{name}", [kind], ir.FunctionType(kind, [kind] * 2)
            )
            return builder.call(function, arguments)

        return a(a, b), code

    return extremum


larger, smaller = _extremum("maximum"), _extremum("minimum")


@intrinsic
def call(_typing: Any, _kernel: Any, _numbers: Any) -> Any:
    """Call the kernel at an address with the numbers at another."""

    def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [ir.PointerType()])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        builder.call(function, [builder.inttoptr(arguments[1], ir.PointerType())])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


@intrinsic
def invoke(_typing: Any, _function: Any, arrays: Any) -> Any:
    """Call the function at an address that numba has compiled for a tuple of arrays."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = tuple(signature.args[1])
        values = [builder.extract_value(arguments[1], k) for k in range(len(kinds))]
        convention = context.call_conv
        kind = convention.get_function_type(types.none, kinds)
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        convention.call_function(builder, function, types.none, kinds, values)
        return context.get_dummy_value()

    return types.void(types.int64, arrays), code


def _runner(options: str) -> Code:
    return Code(
        '"""Calls each kernel of a table [address of kernel, address of its numbers, …]."""\n'
        "from numba import njit\n"
        "from engine.compiler.native import call\n\n\n"
        f'@njit("void(i8[::1])", {options}cache=True)\n'
        f"def {KERNEL}(table):\n"
        "    for k in range(table.size // 2):\n"
        "        call(table[2 * k], table[2 * k + 1])\n",
        "runner",
    )


RUNNER = _runner("nogil=True, ")
# Keeps the interpreter's lock: a thread that lets it go for some microseconds may wait much longer to have it
# back, and two that train small nets would mostly wait for each other.
SHORT_RUNNER = _runner("")


@cache
def runner(code: Code) -> Callable[[Any], None]:
    """run(table): call each kernel of an int64 table [address of kernel, address of its numbers, …].

    code  RUNNER, or SHORT_RUNNER
    """
    (compiled,) = dispatcher(code).overloads.values()
    found: Callable[[Any], None] = compiled.entry_point
    return found
