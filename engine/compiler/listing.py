"""A compiled function as one readable function in Python: what is computed, in which loops, and for which
layer. For people; the machine runs kernels that say the same with addresses."""

from __future__ import annotations

from engine.compiler.execute import Executable
from engine.compiler.fuse import Group
from engine.compiler.generate import renamed
from engine.compiler.nests import Nest, completes_row, result_walk, walk
from engine.compiler.program import SOURCES, Node, Operand, Storage, View
from engine.compiler.report import name_of
from engine.layout import Shape, Strides, row_major_strides
from engine.symbol import source

START = {"sum": "0", "max": "-inf", "min": "inf"}
JOIN = {"sum": "{0} += {1}", "max": "{0} = max({0}, {1})", "min": "{0} = min({0}, {1})"}


def listing(executable: Executable, name: str = "step") -> str:
    """The function's source; loops of length 1 are left out."""
    return _Listing(executable, name).text()


class _Listing:
    """Writes the function."""

    def __init__(self, executable: Executable, name: str) -> None:
        self.executable = executable
        self.name = name
        self.names: dict[Storage, str] = {}
        self.values: dict[Node, str] = {}  # of the nest that is being written
        self.in_row: set[Node] = set()  # its reductions that are complete after a row

    def _name(self, storage: Storage) -> str:
        """x0, x1, … for arguments, p for what was there before, c for constants, t for what is made here."""
        if storage not in self.names:
            kind = storage.node.kind if storage.node is not None else ""
            kind = "captured" if storage in self.executable.program.captured else kind
            letter = {"argument": "x", "captured": "p", "constant": "c"}.get(kind, "t")
            count = sum(given[0] == letter for given in self.names.values())
            self.names[storage] = f"{letter}{count}"
        return self.names[storage]

    def text(self) -> str:
        sources = [node for node in self.executable.nodes if node.kind in SOURCES]
        given = [node for node in sources if node.kind != "constant"]
        lines = [f"def {self.name}({', '.join(self._name(node.target.storage) for node in given)}):"]
        lines += [f"    # {self._described(node)}" for node in sources]
        before = ""
        for group in self.executable.groups:
            title = ", ".join(dict.fromkeys(filter(None, map(self._layer, group.nodes))))
            if title != before:
                lines.append(f"    # {title or 'between layers'}")
            before = title
            lines += [f"    {line}" for line in self._group(group)]
        outputs = ", ".join(map(self._whole, self.executable.program.outputs))
        return "\n".join([*lines, f"    return {outputs}" if outputs else "    return", ""])

    def _described(self, node: Node) -> str:
        storage = node.target.storage
        known = self.executable.program.names.get(storage, "")
        return f"{self._name(storage)}: {known or node.kind}, {storage.size} of {storage.dtype.name}"

    # ---- groups

    def _group(self, group: Group) -> list[str]:
        if group.nest is not None:
            return self._nest(group.nest)
        (node,) = group.nodes
        return [f"{self._whole(node.target)} = {name_of(node)}({', '.join(map(self._whole, node.reads))})"]

    def _nest(self, nest: Nest) -> list[str]:
        self.values = {node: f"v{k}" for k, node in enumerate(nest.nodes)}
        self.in_row = {node for node in nest.nodes if nest.has_rows and completes_row(node)}
        space, last = nest.space, len(nest.space) - 1
        reductions = [node for node in nest.nodes if node.kind == "reduce"]
        lines = [
            f"{self._name(node.target.storage)}[:] = {START[node.detail[0]]}"
            for node in reductions
            if node not in self.in_row
        ]
        indent = ""
        for d, length in enumerate(space[:-1] if nest.has_rows else space):
            if length != 1:
                lines.append(f"{indent}for i{d} in range({length}):")
                indent += "    "
        for phase in nest.phases:
            points = [line for node in phase.points for line in self._node(node, space)]
            rows = [line for node in phase.rows for line in self._node(node, space)]
            if nest.has_rows:
                totals = [node for node in phase.points if node in self.in_row]
                starts = [f"{self.values[node]} = {START[node.detail[0]]}" for node in totals]
                points = [*starts, f"for i{last} in range({space[-1]}):", *(f"    {line}" for line in points)]
                rows = [line for node in totals for line in self._stored(node, space)] + rows
            lines += [indent + line for line in (*points, *rows)]
        return lines

    def _node(self, node: Node, space: Shape) -> list[str]:
        """The statements of a node inside its loops."""
        if node.kind == "reduce":
            total = self.values[node] if node in self.in_row else self._element(node, space)
            return [JOIN[node.detail[0]].format(total, self._operand(node.operands[0], node, space))]
        assert node.formula is not None
        operands = [self._operand(operand, node, space) for operand in node.operands]
        names = dict(zip(node.formula.operands, operands, strict=True))
        return [
            f"{self.values[node]} = {_bare(source(renamed(node.formula.symbol, names)))}",
            *self._stored(node, space),
        ]

    def _stored(self, node: Node, space: Shape) -> list[str]:
        if not self.executable.is_stored(node):
            return []
        return [f"{self._element(node, space)} = {self.values[node]}"]

    # ---- operands

    def _operand(self, operand: Operand, node: Node, space: Shape) -> str:
        if not isinstance(operand, View):
            return f"{float(operand):g}"
        if operand.node in self.values and (operand.node in self.in_row or operand.node.kind == "map"):
            return self.values[operand.node]
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
