"""Whether a kernel's body is of the language: every node is on a list, every name known, every array indexed.

Raises ExpressionError, and nothing else, with the line that is wrong and what to write instead.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from engine.expression import ExpressionError
from engine.gpu_puzzles.grammar import (
    BARRIER,
    COORDINATES,
    EXAMPLE,
    FLOAT32,
    FUNCTIONS,
    INSTEAD,
    OPERATORS,
    RESERVED,
    SHARED,
    Names,
    blocks,
    called,
    targets,
)

MOST_NODES = 1_500
DEEPEST = 40
LARGEST_NUMBER = 10**6


@dataclass
class Checker:
    """Holds every node of a body against the lists of this module."""

    lines: list[str]
    names: Names
    arrays: dict[str, int] = field(default_factory=dict)  # rank of every array, those declared included
    local: set[str] = field(default_factory=set)  # names that hold numbers

    def check(self, tree: ast.Module) -> None:
        self.check_size(tree)
        self.arrays.update(self.names.arrays)
        self.declare(tree.body, outermost=True)
        self.block(tree.body, in_loop=False)

    def problem(self, node: ast.AST, message: str, hint: str = "") -> ExpressionError:
        line = getattr(node, "lineno", 1)
        start = getattr(node, "col_offset", 0)
        end = getattr(node, "end_col_offset", None) or start + 1
        return ExpressionError(message, line, start, end, hint, self.lines[line - 1])

    def unknown(self, node: ast.AST) -> ExpressionError:
        return self.problem(node, "this is not part of the language", INSTEAD.get(type(node), EXAMPLE))

    def check_size(self, tree: ast.Module) -> None:
        count, level = 0, list[ast.AST](tree.body)
        for _ in range(DEEPEST):
            count += len(level)
            level = [child for node in level for child in ast.iter_child_nodes(node)]
        if level:
            raise self.problem(
                next((node for node in level if hasattr(node, "lineno")), tree),
                f"this is nested more than {DEEPEST} deep",
            )
        if count > MOST_NODES:
            raise ExpressionError(f"the kernel has {count} parts; at most {MOST_NODES} are run", 1, 0, 0)

    # ---- what is declared

    def declare(self, statements: list[ast.stmt], outermost: bool) -> None:
        """Collect shared arrays and every name that is given a value."""
        for statement in statements:
            if isinstance(statement, ast.Assign) and called(statement.value) == SHARED:
                self.declare_shared(statement, outermost)
                continue
            for target in targets(statement):
                self.local.add(target.id)
            for inner in blocks(statement):
                self.declare(inner, outermost=False)

    def declare_shared(self, statement: ast.Assign, outermost: bool) -> None:
        target, call = statement.targets[0], statement.value
        assert isinstance(call, ast.Call)
        if not isinstance(target, ast.Name) or len(statement.targets) > 1:
            raise self.problem(statement, "shared memory is given one name", "write s = cuda.shared.array(…)")
        if not outermost:
            hint = "declare it above the if or the loop: it is there for all threads of the block"
            raise self.problem(statement, "shared memory is not declared inside an if or a loop", hint)
        if target.id in self.arrays:
            raise self.problem(target, f"“{target.id}” is declared already", "choose another name")
        if len(call.args) != 2 or call.keywords or ast.unparse(call.args[1]) not in FLOAT32:
            hint = "write cuda.shared.array(TPB, float32), with a shape and a type"
            raise self.problem(call, "a shape and float32 are wanted here", hint)
        shape = call.args[0]
        lengths = shape.elts if isinstance(shape, ast.Tuple) else [shape]
        if not 1 <= len(lengths) <= 2:
            raise self.problem(shape, "shared memory has one or two dimensions here")
        for length in lengths:
            self.check_constant(length)
        self.arrays[target.id] = len(lengths)

    def check_constant(self, length: ast.expr) -> None:
        for node in ast.walk(length):
            if isinstance(node, ast.Name) and node.id not in self.names.constants:
                known = ", ".join(self.names.constants)
                hint = f"it is fixed before the kernel runs: use {known} or a number" if known else ""
                raise self.problem(node, f"the size of shared memory cannot depend on “{node.id}”", hint)
            if not (isinstance(node, (ast.Name, ast.BinOp, ast.expr_context)) or type(node) in OPERATORS):
                if isinstance(node, ast.Constant) and type(node.value) is int:
                    continue
                raise self.problem(length, "the size of shared memory is a whole number, such as TPB")

    # ---- statements

    def block(self, statements: list[ast.stmt], in_loop: bool) -> None:
        for statement in statements:
            self.statement(statement, in_loop)

    def statement(self, node: ast.stmt, in_loop: bool) -> None:
        match node:
            case ast.If() | ast.For() | ast.While():
                self.compound(node, in_loop)
            case ast.Assign(targets=[target], value=value):
                self.assignment(node, target, value)
            case ast.Assign():
                raise self.problem(node, "one “=” on a line", "write each on a line of its own")
            case ast.AugAssign(target=target, op=sign, value=value):
                self.operator(node, sign)
                self.target(target)
                self.value(value)
            case ast.Break() | ast.Continue() if not in_loop:
                raise self.problem(node, "this stands in no loop", "to end a thread write return")
            case ast.Return(value=value) if value is not None:
                raise self.problem(node, "a kernel returns nothing", "store the result in out")
            case ast.Pass() | ast.Break() | ast.Continue() | ast.Return():
                pass
            case ast.Expr(value=value):
                self.lone(value)
            case _:
                raise self.unknown(node)

    def compound(self, node: ast.If | ast.For | ast.While, in_loop: bool) -> None:
        if isinstance(node, ast.For):
            self.loop(node.target, node.iter)
        else:
            self.value(node.test)
        if isinstance(node, ast.If):
            self.block(node.body, in_loop)
            self.block(node.orelse, in_loop)
            return
        if node.orelse:
            raise self.problem(node, "a loop has no else here")
        self.block(node.body, in_loop=True)

    def lone(self, value: ast.expr) -> None:
        """An expression that is a statement: the barrier, and nothing else."""
        if isinstance(value, ast.Call) and called(value) == BARRIER:
            if value.args or value.keywords:
                raise self.problem(value, "cuda.syncthreads() takes nothing")
            return
        if isinstance(value, ast.Attribute) and ast.unparse(value) == BARRIER:
            raise self.problem(value, "this names the barrier but does not wait", "write cuda.syncthreads()")
        self.value(value)
        raise self.problem(value, "this line computes something and keeps nothing", "write name = …")

    def assignment(self, node: ast.Assign, target: ast.expr, value: ast.expr) -> None:
        if called(value) == SHARED:
            self.free_name(target)
            return
        if isinstance(target, ast.Tuple):
            for part in target.elts:
                self.target(part)
            if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
                for part in value.elts:
                    self.value(part)
            elif not (called(value) == "cuda.grid" and self.grid(value) == len(target.elts) == 2):
                raise self.problem(node, "there are as many values as names", "write i, j = cuda.grid(2)")
            return
        self.target(target)
        if called(value) == "cuda.grid" and self.grid(value) == 2:
            raise self.problem(value, "cuda.grid(2) gives two numbers", "write j, i = cuda.grid(2)")
        self.value(value)

    def loop(self, target: ast.expr, steps: ast.expr) -> None:
        if not isinstance(target, ast.Name):
            raise self.problem(target, "a loop counts with one name", "write for k in range(TPB):")
        self.new_name(target)
        if not isinstance(steps, ast.Call) or called(steps) != "range":
            raise self.problem(steps, "a loop runs over a range", "write for k in range(TPB):")
        if not 1 <= len(steps.args) <= 3 or steps.keywords:
            raise self.problem(steps, "range takes one to three numbers")
        for bound in steps.args:
            self.value(bound)

    def target(self, target: ast.expr) -> None:
        """What a value is stored in: a name, or an element of an array."""
        if isinstance(target, ast.Subscript):
            self.element(target)
        elif isinstance(target, ast.Name):
            self.new_name(target)
        else:
            raise self.problem(target, "nothing can be stored here", "store in a name, or in out[i]")

    def new_name(self, target: ast.Name) -> None:
        """A name that holds a number."""
        if target.id in self.arrays:
            hint = f"store in one of its elements, such as {target.id}[i]"
            raise self.problem(target, f"“{target.id}” is an array", hint)
        self.free_name(target)

    def free_name(self, target: ast.expr) -> None:
        """A name that is not given already."""
        if not isinstance(target, ast.Name):
            return
        if target.id in self.names.given or target.id in RESERVED or target.id.startswith("__"):
            raise self.problem(target, f"“{target.id}” is taken", "choose another name")

    # ---- expressions

    def value(self, node: ast.expr) -> None:
        match node:
            case ast.BinOp() | ast.UnaryOp() | ast.BoolOp() | ast.Compare() | ast.IfExp():
                for part in ast.iter_child_nodes(node):
                    if isinstance(part, ast.expr):
                        self.value(part)
                    else:
                        self.operator(node, part)
            case ast.Name(id=name):
                self.name(node, name)
            case ast.Constant(value=value):
                self.number(node, value)
            case ast.Subscript(value=ast.Attribute(attr="shape", value=ast.Name(id=name)), slice=place):
                self.shape(node, name, place)
            case ast.Subscript():
                self.element(node)
            case ast.Attribute():
                self.coordinate(node)
            case ast.Call():
                self.call(node)
            case _:
                raise self.unknown(node)

    def name(self, node: ast.expr, name: str) -> None:
        if name in self.arrays:
            rank = self.arrays[name]
            hint = f"one of its numbers is {name}[{', '.join('ij'[:rank])}]"
            raise self.problem(node, f"“{name}” is an array", hint)
        if name not in self.local and name not in self.names.given:
            known = ", ".join([*self.names.given, *sorted(self.local), *sorted(self.arrays)])
            known = ", ".join(dict.fromkeys(known.split(", ")))
            raise self.problem(node, f"there is no “{name[:40]}” here", f"the names are {known}, cuda")

    def number(self, node: ast.expr, value: object) -> None:
        if not isinstance(value, (bool, int, float)):
            raise self.problem(node, "only numbers can be written here")
        if not abs(value) <= LARGEST_NUMBER:
            raise self.problem(node, f"numbers here go up to {LARGEST_NUMBER:,}")

    def operator(self, node: ast.AST, sign: ast.AST) -> None:
        if type(sign) not in OPERATORS:
            raise self.problem(node, "this operator is not part of the language", INSTEAD.get(type(sign), ""))

    def element(self, node: ast.Subscript) -> None:
        """a[i], with as many indices as the array has dimensions."""
        if not isinstance(node.value, ast.Name):
            hint = "write a[i, j]" if isinstance(node.value, ast.Subscript) else ""
            raise self.problem(node, "only an array can be indexed, by its name", hint)
        name = node.value.id
        if name not in self.arrays:
            if name in self.local or name in self.names.given:
                raise self.problem(node, f"“{name}” is a number, and has no elements")
            self.name(node.value, name)
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        rank = self.arrays[name]
        if len(places) != rank:
            hint = f"write {name}[{', '.join('ij'[:rank])}]"
            said = f"“{name}” has rank {rank}, and the index here has {len(places)}"
            raise self.problem(node, said, hint)
        for place in places:
            self.value(place)

    def shape(self, node: ast.Subscript, name: str, place: ast.expr) -> None:
        rank = self.arrays.get(name)
        if rank is None:
            raise self.problem(node, f"“{name}” is not an array")
        if not isinstance(place, ast.Constant) or place.value not in range(rank):
            raise self.problem(node, f"“{name}” has dimensions 0 to {rank - 1}", f"write {name}.shape[0]")

    def coordinate(self, node: ast.Attribute) -> None:
        if ast.unparse(node) not in COORDINATES:
            hint = "there are cuda.threadIdx.x, cuda.blockIdx.x, cuda.blockDim.x (also y) and a.shape[0]"
            raise self.problem(node, f"there is no “.{node.attr[:40]}” here", hint)

    def call(self, node: ast.Call) -> None:
        name = called(node)
        if name == "cuda.grid":
            if self.grid(node) == 2:
                raise self.problem(node, "cuda.grid(2) gives two numbers", "write j, i = cuda.grid(2)")
            return
        if name == BARRIER:
            raise self.problem(node, "a barrier gives no number", "write cuda.syncthreads() on its own line")
        if name == SHARED:
            hint = "write s = cuda.shared.array(TPB, float32) on a line of its own"
            raise self.problem(node, "shared memory is declared first", hint)
        if name not in FUNCTIONS:
            hint = f"there are {', '.join(FUNCTIONS)}, cuda.grid, cuda.syncthreads and cuda.shared.array"
            raise self.problem(node, f"there is no function “{name[:40]}” here", hint)
        least, most = FUNCTIONS[name]
        if not least <= len(node.args) <= most or node.keywords:
            raise self.problem(node, f"{name} takes {'two numbers or more' if least > 1 else 'one number'}")
        for argument in node.args:
            self.value(argument)

    def grid(self, node: ast.expr) -> int:
        match node:
            case ast.Call(args=[ast.Constant(value=int(dimensions))], keywords=[]) if dimensions in (1, 2):
                return dimensions
        raise self.problem(node, "cuda.grid takes 1 or 2, the dimensions of the grid")
