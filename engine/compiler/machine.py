"""What a generated kernel is to the machine: LLVM's representation of it, optimised, and its assembly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numba

from engine.compiler.assembly import LABEL, innermost, read
from engine.compiler.native import KERNEL, Code, dispatcher

MOST_KEPT = 64
METADATA = re.compile(r"(?:, ![\w.]+ !\d+)+$|( #\d+)? !dbg.*$")
LLVM_VECTOR = re.compile(r"<\d+ x (?:float|double|i\d+)>")


@dataclass(frozen=True, slots=True)
class Text:
    """Lines, and the numbers of those that work on vectors."""

    lines: tuple[str, ...]
    vectors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """An innermost loop of an assembly: numbers of its first and last line, and how many work on vectors."""

    first: int
    last: int
    vectors: int


@dataclass(frozen=True, slots=True)
class MachineCode:
    """A kernel's function alone; `bits` of the widest vector register in it, 0 for none."""

    llvm: Text
    assembly: Text
    loops: tuple[Loop, ...]
    bits: int


@lru_cache(maxsize=MOST_KEPT)
def machine_code(code: Code) -> MachineCode:
    """Compiles the kernel, as numba cannot show what it has loaded from disk; takes about a second."""
    library: Any = compiled_afresh(code)._library
    llvm = function_of(library.get_llvm_str().split("\n"), "define ", "}")
    assembly = assembly_of(library.get_asm_str().split("\n"))
    bits = [read(line).bits for line in assembly]
    return MachineCode(
        Text(llvm, tuple(k for k, line in enumerate(llvm) if LLVM_VECTOR.search(line))),
        Text(assembly, tuple(k for k, width in enumerate(bits) if width)),
        innermost_loops(assembly),
        max(bits),
    )


def compiled_afresh(code: Code) -> Any:
    """A kernel that was compiled just now, whatever is on disk."""
    known = dispatcher(code)  # its function, and numba's options; how long that takes is nobody's business
    return numba.cfunc(known._sig, **known._compiler.targetoptions)(known.__wrapped__)


def function_of(lines: Sequence[str], opening: str, closing: str) -> tuple[str, ...]:
    """The first function, under a name that can be read."""
    first = next(k for k, line in enumerate(lines) if line.startswith(opening))
    last = next(k for k in range(first, len(lines)) if lines[k] == closing)
    (mangled,) = re.findall(r"@([^(]+)\(", lines[first])
    return tuple(METADATA.sub("", line.replace(mangled, KERNEL)) for line in lines[first : last + 1])


def assembly_of(lines: Sequence[str]) -> tuple[str, ...]:
    """The instructions and labels of the first function."""
    first = next(k for k, line in enumerate(lines) if LABEL.match(line) and line.startswith("_"))
    last = next((k for k in range(first, len(lines)) if "func_end" in lines[k]), len(lines))
    mangled = lines[first].partition(":")[0]
    kept = (line.replace(mangled, KERNEL) for line in lines[first:last])
    return tuple(
        line.replace("\t", "    ").rstrip()
        for line in kept
        if line.strip() and (not line.strip().startswith((".", "#")) or LABEL.match(line))
    )


def innermost_loops(assembly: Sequence[str]) -> tuple[Loop, ...]:
    """The loops that hold no other, with how many of their instructions work on vectors."""
    return tuple(
        Loop(first, last, sum(read(line).bits > 0 for line in assembly[first : last + 1]))
        for first, last in innermost(assembly)
    )
