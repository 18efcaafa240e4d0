"""A compiled function as one readable function in Python: what is computed, in which loops, and for which
layer. For people; the machine runs kernels that say the same with addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from engine.compiler.execute import Executable
from engine.compiler.fuse import Group
from engine.compiler.generate import renamed
from engine.compiler.nests import Nest, completes_row, result_walk, walk
from engine.compiler.program import SOURCES, Node, Operand, Storage, View
from engine.compiler.report import name_of
from engine.layout import Shape, Strides, row_major_strides
from engine.symbol import source

OWN_NAME = re.compile(
    r"(x|p|c|t|v|i|row)\d+|inf|exp|max|min|sqrt|log|view|range|matmul"
)  # used by the listing
START = {"sum": "0", "max": "-inf", "min": "inf"}
JOIN = {"sum": "{0} += {1}", "max": "{0} = max({0}, {1})", "min": "{0} = min({0}, {1})"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the listing, and the nodes that it computes; none for a loop, which is for all inside."""

    text: str
    nodes: tuple[Node, ...] = ()


def listing(executable: Executable, name: str = "step") -> str:
    """The function's source; loops of length 1 are left out."""
    return "\n".join([*(line.text for line in lines_of(executable, name)), ""])


def lines_of(executable: Executable, name: str = "step") -> list[Line]:
    """The function's source line by line, for people who ask which node a line is for."""
    return _Listing(executable, name).lines()


def _indented(lines: Iterable[Line], indent: str = "    ") -> list[Line]:
    return [Line(indent + line.text, line.nodes) for line in lines]


class _Listing:
    """Writes the function."""

    def __init__(self, executable: Executable, name: str) -> None:
        self.executable = executable
        self.name = name
        self.names: dict[Storage, str] = {}
        self.values: dict[Node, str] = {}  # of the nest that is being written
        self.in_row: set[Node] = set()  # its reductions that are complete after a row
        self.phase_of: dict[Node, int] = {}  # the walk along a row in which one of its points is computed

    def _name(self, storage: Storage) -> str:
        """x0, x1, … for arguments, p for what was there before, c for constants, t for what is made here; or
        what the program calls it, if that can stand in code."""
        known = self.executable.program.names.get(storage, "")
        if storage not in self.names and known.isidentifier() and not OWN_NAME.fullmatch(known):
            self.names[storage] = known
        if storage not in self.names:
            kind = storage.node.kind if storage.node is not None else ""
            kind = "captured" if storage in self.executable.program.captured else kind
            letter = {"argument": "x", "captured": "p", "constant": "c"}.get(kind, "t")
            count = sum(bool(re.fullmatch(rf"{letter}\d+", given)) for given in self.names.values())
            self.names[storage] = f"{letter}{count}"
        return self.names[storage]

    def lines(self) -> list[Line]:
        sources = [node for node in self.executable.nodes if node.kind in SOURCES]
        given = [node for node in sources if node.kind != "constant"]
        lines = [Line(f"def {self.name}({', '.join(self._name(node.target.storage) for node in given)}):")]
        lines += [Line(f"    # {self._described(node)}", (node,)) for node in sources]
        before = ""
        for group in self.executable.groups:
            title = ", ".join(dict.fromkeys(filter(None, map(self._layer, group.nodes))))
            if title != before:
                lines.append(Line(f"    # {title or 'between layers'}", tuple(group.nodes)))
            before = title
            lines += _indented(self._group(group))
        outputs = ", ".join(map(self._whole, self.executable.program.outputs))
        returned = tuple(view.node for view in self.executable.program.outputs if view.node is not None)
        return [*lines, Line(f"    return {outputs}" if outputs else "    return", returned)]

    def _described(self, node: Node) -> str:
        storage = node.target.storage
        known = self.executable.program.names.get(storage, "")
        name = self._name(storage)
        what = node.kind if known in ("", name) else known
        return f"{name}: {what}, {storage.size} of {storage.dtype.name}"

    # ---- groups

    def _group(self, group: Group) -> list[Line]:
        if group.nest is not None:
            return self._nest(group.nest)
        (node,) = group.nodes
        call = f"{self._whole(node.target)} = {name_of(node)}({', '.join(map(self._whole, node.reads))})"
        return [Line(call, (node,))]

    def _nest(self, nest: Nest) -> list[Line]:
        self.values = {node: f"v{k}" for k, node in enumerate(nest.nodes)}
        self.phase_of = {node: k for k, phase in enumerate(nest.phases) for node in phase.points}
        self.in_row = {node for node in nest.nodes if nest.has_rows and completes_row(node)}
        space, last = nest.space, len(nest.space) - 1
        reductions = [node for node in nest.nodes if node.kind == "reduce"]
        lines = [
            Line(f"{self._name(node.target.storage)}[:] = {START[node.detail[0]]}", (node,))
            for node in reductions
            if node not in self.in_row
        ]
        indent = ""
        for d, length in enumerate(space[:-1] if nest.has_rows else space):
            if length != 1:
                lines.append(Line(f"{indent}for i{d} in range({length}):"))
                indent += "    "
        for phase in nest.phases:
            points = [line for node in phase.points for line in self._node(node, space)]
            rows = [line for node in phase.rows for line in self._node(node, space)]
            if nest.has_rows:
                totals = [node for node in phase.points if node in self.in_row]
                starts = [Line(f"{self.values[node]} = {START[node.detail[0]]}", (node,)) for node in totals]
                points = [*starts, Line(f"for i{last} in range({space[-1]}):"), *_indented(points)]
                rows = [line for node in totals for line in self._stored(node, space)] + rows
            lines += _indented((*points, *rows), indent)
        return lines

    def _node(self, node: Node, space: Shape) -> list[Line]:
        """The statements of a node inside its loops."""
        if node.kind == "reduce":
            total = self.values[node] if node in self.in_row else self._element(node, space)
            added = JOIN[node.detail[0]].format(total, self._operand(node.operands[0], node, space))
            return [Line(added, (node,))]
        assert node.formula is not None
        operands = [self._operand(operand, node, space) for operand in node.operands]
        names = dict(zip(node.formula.operands, operands, strict=True))
        computed = f"{self.values[node]} = {_bare(source(renamed(node.formula.symbol, names)))}"
        return [Line(computed, (node,)), *self._stored(node, space)]

    def _stored(self, node: Node, space: Shape) -> list[Line]:
        if self.executable.is_stored(node):
            return [Line(f"{self._element(node, space)} = {self.values[node]}", (node,))]
        if self._crosses(node):
            return [Line(f"{self._in_row(node, space)} = {self.values[node]}", (node,))]
        return []

    def _crosses(self, node: Node) -> bool:
        """Whether a value at the points of a row is kept for a later walk along it."""
        phase = self.phase_of.get(node)
        if phase is None or node in self.in_row:
            return False
        readers = (reader for reader, later in self.phase_of.items() if later > phase)
        return any(view.node is node for reader in readers for view in reader.reads)

    def _in_row(self, node: Node, space: Shape) -> str:
        """A value in the memory of one row, which the next row overwrites."""
        return f"row{self.values[node][1:]}[i{len(space) - 1}]"

    # ---- operands

    def _operand(self, operand: Operand, node: Node, space: Shape) -> str:
        if not isinstance(operand, View):
            return f"{float(operand):g}"
        maker = operand.node
        if maker in self.values and (maker in self.in_row or maker.kind == "map"):
            apart = maker in self.phase_of and self.phase_of[maker] < self.phase_of.get(node, 0)
            if not apart or maker in self.in_row:
                return self.values[maker]
            if not self.executable.is_stored(maker):
                return self._in_row(maker, space)
        return self._indexed(operand, walk(operand, node.space, space))

    def _element(self, node: Node, space: Shape) -> str:
        return self._indexed(node.target, result_walk(node, space))

    def _indexed(self, view: View, strides: Strides) -> str:
        """The element where the loops are: indices along which it moves, the longest steps first."""
        moving = sorted((d for d, stride in enumerate(strides) if stride), key=lambda d: -abs(strides[d]))
        start = f"[{view.offset}:]" if view.offset else ""
        return f"{self._name(view.storage)}{start}[{', '.join(f'i{d}' for d in moving) or 0}]"

    def _whole(self, view: View) -> str:
        """An array as an operand of a call."""
        name, layout = self._name(view.storage), view.layout
        if view.is_whole:
            return name
        if view.offset == 0 and layout.strides == row_major_strides(layout.shape[::-1])[::-1]:
            return f"{name}.T"
        return f"view({name}, {layout.shape}, {layout.strides}, {view.offset})"

    def _layer(self, node: Node) -> str:
        """The module that a node belongs to, or whose gradient it computes; or what it updates."""
        program = self.executable.program
        if node.label or node.target.storage in program.effects:
            return (
                node.label or f"update of {program.names.get(node.target.storage, 'what was there before')}"
            )
        labels = [view.node.label for view in node.reads if view.node is not None and view.node.label]
        return f"gradient of {labels[-1]}" if labels else ""


def _bare(text: str) -> str:
    """Python source without what a reader can do without: the module of functions, parentheses round all."""
    text = text.replace("math.", "")
    depth = 0
    for k, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return text[1:-1] if character == ")" and text[0] == "(" and k == len(text) - 1 else text
    return text
