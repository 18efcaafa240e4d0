"""The machine code of a compiled loop, with what each instruction works on: one number, or many at once.

Of the whole function only the hot loop is kept: the innermost one with the most arithmetic.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["vector", "scalar", "move", "address"]

LABEL = re.compile(r"^(\.?[\w$.]+):")
JUMP = re.compile(r"^\s*(?:j\w+|b|b\.\w+|cbn?z|tbn?z)\s+(?:.*,\s*)?(\.?L\w+)\s*$")
MOVES = re.compile(
    r"^v?mov|^v?broadcast|^v?insert|^v?extract|^v?perm|^v?shuf|^v?unpck|^ld|^st|^v?pxor|^v?xor"
)
PACKED = re.compile(r"^v?[a-z0-9]+(ps|pd)$")  # of SSE, AVX: packed single, packed double
SINGLE = re.compile(r"^v?[a-z0-9]+(ss|sd)(2u?si)?$")  # to whole numbers, too
WIDTHS = {"zmm": 512, "ymm": 256, "xmm": 128}
ARM_PACKED = re.compile(r"\bv\d+\.(?:4s|2d|8h|16b)\b")
ARM_SINGLE = re.compile(r"\b[sd]\d+\b")


@dataclass(frozen=True)
class Instruction:
    """One line; `bits` is the width of the registers of a vector instruction, else 0."""

    text: str
    kind: Kind
    bits: int = 0


@dataclass(frozen=True)
class Loop:
    """A loop's instructions in order, its label first."""

    instructions: tuple[Instruction, ...]

    def count(self, kind: Kind) -> int:
        return sum(each.kind == kind for each in self.instructions)

    @property
    def bits(self) -> int:
        """The widest registers that it computes or moves in; 0 if none is of a vector."""
        return max((each.bits for each in self.instructions if each.kind in ("vector", "move")), default=0)

    @property
    def computes_with_vectors(self) -> bool:
        return self.count("vector") > 0

    def names(self, kind: Kind) -> Counter[str]:
        """How often each instruction of a kind occurs."""
        return Counter(each.text.split()[0] for each in self.instructions if each.kind == kind)


def hot_loop(assembly: str) -> Loop:
    """The innermost loop that computes most. Raises ValueError if there is no loop."""
    lines = [line.split("#")[0].rstrip() for line in assembly.splitlines()]
    lines = [line for line in lines if line.strip() and not _is_directive(line)]
    found = [Loop(tuple(map(read, lines[begin : end + 1]))) for begin, end in innermost(lines)]
    if not found:
        raise ValueError("the compiled function has no loop")
    return max(found, key=lambda loop: (loop.count("vector"), loop.count("scalar"), len(loop.instructions)))


def innermost(lines: Sequence[str]) -> list[tuple[int, int]]:
    """First and last line of every loop that holds no other: a jump back to a label."""
    labels = {match[1]: at for at, line in enumerate(lines) if (match := LABEL.match(line))}
    loops = []
    for at, line in enumerate(lines):
        jump = JUMP.match(line)
        if jump and labels.get(jump[1], at) < at:
            loops.append((labels[jump[1]], at))
    return [
        (begin, end)
        for begin, end in loops
        if not any((begin, end) != other and begin <= other[0] and other[1] <= end for other in loops)
    ]


def read(line: str) -> Instruction:
    """One line of assembly, of x86-64 in AT&T's order or of ARM64."""
    text = " ".join(line.split())
    if LABEL.match(line):
        return Instruction(text, "address")
    name = text.split()[0]
    bits = next((width for register, width in WIDTHS.items() if register in text), 0)
    if PACKED.match(name) or (ARM_PACKED.search(text) and not bits):
        kind: Kind = "move" if MOVES.match(name) else "vector"
        return Instruction(text, kind, bits or 128)
    if SINGLE.match(name):
        return Instruction(text, "move" if MOVES.match(name) else "scalar")
    if bits:
        return Instruction(text, "move", bits)
    if ARM_SINGLE.search(text) and name.startswith("f"):
        return Instruction(text, "scalar")
    return Instruction(text, "address")


def _is_directive(line: str) -> bool:
    return line.strip().startswith(".") and not LABEL.match(line.strip())
