"""What a generated kernel is to the machine: LLVM's representation of it, optimised, and its assembly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numba

from engine.compiler.native import KERNEL, Code, dispatcher

MOST_KEPT = 64
LABEL = re.compile(r"^([.\w$]+):")
JUMP = re.compile(r"^\s+(?:j\w+|b(?:\.\w+)?|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#\d+,)\s+([.\w$]+)\s*$")  # x86, ARM
METADATA = re.compile(r"(?:, ![\w.]+ !\d+)+$|( #\d+)? !dbg.*$")
LLVM_VECTOR = re.compile(r"<\d+ x (?:float|double|i\d+)>")
# x86: names that end in ps or pd work on all of a register, and those in ss or sd on one number of it
X86_VECTOR = re.compile(r"^\s+(?:v?\w+p[sd]|vp\w+|vmov\w*)\s.*%([xyz])mm")
X86_SCALAR = re.compile(r"^\s+v?\w+s[sd]\s")
ARM_VECTOR = re.compile(r"\bv\d+\.(?:4s|2d|16b|8h)\b")
BITS = {"x": 128, "y": 256, "z": 512}


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
    vectors = tuple(k for k, line in enumerate(assembly) if is_vector(line))
    return MachineCode(
        Text(llvm, tuple(k for k, line in enumerate(llvm) if LLVM_VECTOR.search(line))),
        Text(assembly, vectors),
        innermost_loops(assembly),
        max((bits_of(assembly[k]) for k in vectors), default=0),
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


def is_vector(line: str) -> bool:
    """Whether an instruction works on several numbers at once."""
    if ARM_VECTOR.search(line):
        return True
    return bool(X86_VECTOR.match(line)) and not X86_SCALAR.match(line)


def bits_of(line: str) -> int:
    """The width of the widest register that an instruction names."""
    return max((BITS[name] for name in re.findall(r"%([xyz])mm", line)), default=128)


def innermost_loops(assembly: Sequence[str]) -> tuple[Loop, ...]:
    """Stretches that end with a jump back to their start and hold no other such stretch."""
    places = {found[1]: k for k, line in enumerate(assembly) if (found := LABEL.match(line))}
    jumps = ((k, places.get(found[1], k)) for k, line in enumerate(assembly) if (found := JUMP.match(line)))
    spans = {(start, end) for end, start in jumps if start < end}
    inner = [
        (first, last)
        for first, last in sorted(spans)
        if not any(first <= start and end <= last and (start, end) != (first, last) for start, end in spans)
    ]
    return tuple(Loop(a, b, sum(map(is_vector, assembly[a : b + 1]))) for a, b in inner)
