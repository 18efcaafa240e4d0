"""CUDA kernels as generators: a kernel's source, rewritten so that one Python thread can run all of them.

Most of a kernel means in Python what it means on a GPU. What is written differently:

    cuda.syncthreads()         yield 4                     the thread waits; a number for every place
    cuda.syncwarp()            yield -5                    the same for its warp
    helper(x)                  helper(cuda, x)             every function is given its thread, named `cuda`
                               yield from helper(cuda, x)  … where the function waits at barriers
    cuda.shared.array(8, t)    cuda.shared_array(6, 8, t)  numbered, so two on one line are two arrays
    a / b, a ** b              cuda.divide(a, b), …        IEEE 754 results where Python raises
    np.float32(0.1)            0.10000000149011612         its value
    while c: …                 while c: cuda.turn(9); …    turns are counted, so every loop ends
    import math, numpy         those of `device`
    a[i]                       a[i if i >= 0 else cuda.negative(a, i)]

An index above the bounds is an IndexError without our doing. The recording form writes every access as
a call instead, `cuda.load(7, a, i)` or `cuda.store(8, value, a, i)`, with the number of its `Site`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from engine.backends.cuda.device import CASTS, KernelError
from engine.compiler.parsing import parse

DEVICE = "engine.backends.cuda.device"
BARRIERS = {"cuda.syncthreads", "cuda.syncwarp"}
MEMORY = {"cuda.shared.array": "shared_array", "cuda.local.array": "local_array"}
ATOMICS = {f"cuda.atomic.{name}": f"atomic_{name}" for name in ("add", "max", "min")}
CALLS = BARRIERS | MEMORY.keys() | ATOMICS.keys() | {"cuda.grid", "cuda.gridsize"}
COORDINATES = {"cuda.threadIdx", "cuda.blockIdx", "cuda.blockDim", "cuda.gridDim"}
FUNCTIONS = {ast.Div: "divide", ast.Pow: "power"}


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a kernel's source where memory is accessed or declared, or where threads wait."""

    kind: str  # "read", "write", "atomic", "array" or "barrier"
    name: str  # of the array, as written there
    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(frozen=True)
class Rewritten:
    """The simulated form of a module of kernels."""

    source: str
    tree: ast.Module  # of which `source` is the text; its statements keep the lines of the original
    sites: dict[int, Site]
    parameters: dict[str, tuple[str, ...]]  # of every function
    waiting: frozenset[str]  # the functions that are generators

    def original_line(self, line: int | None) -> int | None:
        """The line of the original that a line of `source` comes from."""
        for new, old in zip(statements(parse(self.source)), statements(self.tree), strict=True):
            if new.lineno == line:
                return old.lineno
        return None


def rewrite(source: str, recording: bool) -> Rewritten:
    """The form of `source` that notes every access to memory if `recording`, else the fast one."""
    tree = parse(source)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    parameters = {name: tuple(a.arg for a in node.args.args) for name, node in functions.items()}
    waiting = waiting_functions(functions)
    rewriter = (RecordingRewriter if recording else Rewriter)(functions.keys(), waiting, source)
    tree.body = [new for node in tree.body for new in rewriter.statement(node)]
    text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    return Rewritten(text, tree, rewriter.sites, parameters, waiting)


def statements(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]


def waiting_functions(functions: dict[str, ast.FunctionDef]) -> frozenset[str]:
    """The functions that have a barrier, or call one that has."""
    called = {
        name: {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
        for name, function in functions.items()
    }
    waiting: set[str] = set()
    while more := {name for name in called.keys() - waiting if called[name] & (BARRIERS | waiting)}:
        waiting |= more
    return frozenset(waiting)


class Rewriter(ast.NodeTransformer):
    """Visits the statements of a module; collects the numbered sites."""

    def __init__(self, functions: Any, waiting: frozenset[str], source: str) -> None:
        self.functions = functions
        self.waiting = waiting
        self.text = source.split("\n")
        self.sites: dict[int, Site] = {}
        self.declared: dict[ast.expr, str] = {}  # the call that makes an array -> the name it is given

    def site(self, kind: str, name: str, node: ast.expr) -> ast.Constant:
        number = len(self.sites) + 1
        self.sites[number] = Site(kind, name, node.lineno, self.text[node.lineno - 1].strip())
        return ast.Constant(number)

    def unsupported(self, what: str, node: Any) -> KernelError:
        line = self.text[node.lineno - 1].strip()
        return KernelError(f"{what} cannot be simulated (line {node.lineno}: {line})")

    # ---- modules and functions

    def statement(self, node: ast.stmt) -> Iterator[ast.stmt]:
        """What stands in the rewritten module for a statement of the original."""
        if isinstance(node, ast.FunctionDef):
            yield self.function(node)
        elif isinstance(node, ast.Import) and node.names[0].name in ("math", "numpy"):
            yield ast.copy_location(ast.ImportFrom(DEVICE, node.names, 0), node)
        elif isinstance(node, ast.ImportFrom) and node.module == "numba":
            names = [alias for alias in node.names if alias.name != "cuda"]
            if not CASTS.keys() >= {alias.name for alias in names}:
                raise self.unsupported("this import", node)
            if names:
                yield ast.copy_location(ast.ImportFrom(DEVICE, names, 0), node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            raise self.unsupported("this import", node)
        else:
            yield node

    def function(self, node: ast.FunctionDef) -> ast.FunctionDef:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assign):
                self.declared |= dict(declarations(inner))
        node.decorator_list = []
        node.args.args.insert(0, ast.arg("cuda"))
        node.body = [new for old in node.body for new in aslist(self.visit(old))]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        raise self.unsupported("a function inside a function", node)

    # ---- barriers, device functions, declarations, atomics

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = ast.unparse(node.func)
        if name.startswith("cuda.") and name not in CALLS:
            raise self.unsupported(name, node)
        if name in BARRIERS:
            number = self.site("barrier", name, node)
            return ast.Yield(number if name == "cuda.syncthreads" else ast.UnaryOp(ast.USub(), number))
        if name in MEMORY:
            return self.numbered(node, MEMORY[name], self.site("array", self.declared.get(node, name), node))
        if name in ATOMICS and node.args:
            number = self.site("atomic", ast.unparse(node.args[0]), node)
            return self.numbered(node, ATOMICS[name], number)
        self.generic_visit(node)
        if name in self.functions:
            node.args.insert(0, ast.Name("cuda"))
            return ast.YieldFrom(node) if name in self.waiting else node
        return folded(node)

    def numbered(self, node: ast.Call, method: str, site: ast.Constant) -> ast.Call:
        node = ast.Call(attribute("cuda", method), [site, *node.args], node.keywords)
        node.args[1:] = [self.visit(argument) for argument in node.args[1:]]
        return node

    # ---- arithmetic and loops

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        name = ast.unparse(node)
        if name.startswith("cuda.") and name.count(".") == 1 and name not in COORDINATES | CALLS:
            raise self.unsupported(name, node)
        if node.attr != "size":
            return node
        total, each = (ast.Attribute(node.value, attr) for attr in ("nbytes", "itemsize"))
        return ast.BinOp(total, ast.FloorDiv(), each)  # a memoryview has no size

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        function = FUNCTIONS.get(type(node.op))
        return call(function, node.left, node.right) if function else node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """`a[i] += x` as `a[i] = a[i] + x`; an index that is not simple is computed once, before."""
        if isinstance(node.target, ast.Name) and type(node.op) not in FUNCTIONS:
            return self.generic_visit(node)
        assignments: list[ast.stmt] = []
        if isinstance(node.target, ast.Subscript):
            index = node.target.slice
            parts = index.elts if isinstance(index, ast.Tuple) else [index]
            for place, part in enumerate(parts):
                if not isinstance(part, (ast.Name, ast.Constant)):
                    name = ast.Name(f"__index{place}")
                    assignments.append(ast.copy_location(ast.Assign([name], part), node))
                    parts[place] = name
            node.target.slice = ast.Tuple(parts) if isinstance(index, ast.Tuple) else parts[0]
        value = ast.copy_location(ast.BinOp(deepcopy(node.target), node.op, node.value), node)
        assignments.append(ast.copy_location(ast.Assign([node.target], value), node))
        return [new for old in assignments for new in aslist(self.visit(old))]

    def visit_While(self, node: ast.While) -> ast.stmt:
        self.generic_visit(node)
        turn = ast.Expr(call("turn", ast.Constant(node.lineno)))
        node.body.insert(0, ast.copy_location(turn, node))
        return node

    def visit_For(self, node: ast.For) -> ast.stmt:
        self.generic_visit(node)
        node.iter = call("turns", ast.Constant(node.lineno), node.iter)
        return node

    # ---- memory

    def visit_Assign(self, node: ast.Assign) -> Any:
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.value, ast.Attribute):  # a.shape[0]
            return node
        if any(isinstance(part, ast.Slice) for part in ast.walk(node.slice)):
            raise self.unsupported("a slice", node)
        return self.access(node)

    def access(self, node: ast.Subscript) -> ast.expr:
        """An index that notices when it is negative; Python would count from the end."""
        array, index = self.visit(node.value), self.visit(node.slice)
        if isinstance(index, ast.Tuple):
            index = ast.Tuple([not_negative(array, part) for part in index.elts])
        else:
            index = not_negative(array, index)
        return ast.Subscript(array, index, node.ctx)


class RecordingRewriter(Rewriter):
    """Writes every access to memory as a call that notes it."""

    def access(self, node: ast.Subscript) -> ast.expr:
        site = self.site("read", ast.unparse(node.value), node)
        return call("load", site, self.visit(node.value), self.visit(node.slice))

    def visit_Assign(self, node: ast.Assign) -> Any:
        if isinstance(node.targets[0], ast.Subscript) and len(node.targets) == 1:
            value = self.visit(node.value)
            return self.store(node.targets[0], value, node)
        stores: list[ast.stmt] = []
        node.value = self.visit(node.value)
        node.targets = [self.target(target, stores, node) for target in node.targets]
        return [node, *stores]

    def target(self, target: ast.expr, stores: list[ast.stmt], node: ast.Assign) -> ast.expr:
        """The target of `a[i], x = …` with a plain name for every element, which is stored afterwards."""
        if isinstance(target, (ast.Tuple, ast.List)):
            return ast.Tuple([self.target(part, stores, node) for part in target.elts])
        if not isinstance(target, ast.Subscript):
            return target
        name = ast.Name(f"__value{len(stores)}")
        stores.append(self.store(target, name, node))
        return name

    def store(self, target: ast.Subscript, value: ast.expr, node: ast.Assign) -> ast.stmt:
        if any(isinstance(part, ast.Slice) for part in ast.walk(target.slice)):
            raise self.unsupported("a slice", node)
        site = self.site("write", ast.unparse(target.value), target)
        array, index = self.visit(target.value), self.visit(target.slice)
        return ast.copy_location(ast.Expr(call("store", site, value, array, index)), node)


def attribute(name: str, attr: str) -> ast.Attribute:
    return ast.Attribute(ast.Name(name), attr)


def call(method: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(attribute("cuda", method), list(arguments), [])


def folded(node: ast.Call) -> ast.expr:
    """`np.float32(0.1)` as the number it gives: kernels are full of such constants."""
    match node:
        case ast.Call(
            ast.Attribute(attr="float32" | "float64" as cast) | ast.Name("float32" | "float64" as cast),
            [ast.Constant(int() | float() as value)],
        ):
            return ast.Constant(CASTS[cast](value))
    return node


def not_negative(array: ast.expr, index: ast.expr) -> ast.expr:
    """`index`, or the way out if it is negative."""
    if isinstance(index, ast.Constant):  # the minus of a negative number is an operator
        return index
    again = index if isinstance(index, ast.Name) else ast.Name("__index")
    first = index if isinstance(index, ast.Name) else ast.NamedExpr(again, index)
    test = ast.Compare(first, [ast.GtE()], [ast.Constant(0)])
    return ast.IfExp(test, again, call("negative", array, again))


def declarations(node: ast.Assign) -> Iterator[tuple[ast.expr, str]]:
    """(value, name) for each `name = value` of an assignment, also in `a, b = x, y`."""
    (target, *_), value = node.targets, node.value
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(target.elts, value.elts, strict=False))
    return ((value, target.id) for target, value in pairs if isinstance(target, ast.Name))


def aslist(nodes: Any) -> list[Any]:
    return nodes if isinstance(nodes, list) else [nodes]
