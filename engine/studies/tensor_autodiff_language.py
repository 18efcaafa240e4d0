"""The language of tensor programs: text -> syntax tree, checked against a list, never run as Python.

Lines `name = expression`, loops `for k in range(depth):` of such lines, and a last expression that is one
number. `W = parameter(d, h)`, `x = data(n, d)` and `t = classes(n, c)` make inputs; a name that is never
assigned is a size, to be chosen outside. Raises ExpressionError, and nothing else, with the place.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from engine.compiler.parsing import parse as parse_python
from engine.expression import ExpressionError, Span

MOST_CHARACTERS = 4000
MOST_LINES = 60
MOST_BRACKETS = 40  # open at once; Python's own parser gives up later
LONGEST_NAME = 24
DEEPEST = 60  # levels of the tree, such as x + x + x

DECLARATIONS = {"parameter": "parameter(d, h)", "data": "data(n, d)", "classes": "classes(n, c)"}
# Each function with an example. Names and meanings are PyTorch's, so that torch can run the same text.
FUNCTIONS = {
    "exp": "exp(x)", "log": "log(x)", "sqrt": "sqrt(x)", "sin": "sin(x)", "cos": "cos(x)", "abs": "abs(x)",
    "square": "square(x)", "tanh": "tanh(x)", "sigmoid": "sigmoid(x)", "relu": "relu(x)", "gelu": "gelu(x)",
    "softplus": "softplus(x)", "maximum": "maximum(x, y)", "minimum": "minimum(x, y)",
    "where": "where(x > 0, x, y)", "sum": "sum(x, dim=1)", "mean": "mean(x)", "var": "var(x, dim=0)",
    "amax": "amax(x, dim=1)", "amin": "amin(x, dim=1)", "cumsum": "cumsum(x, dim=0)",
    "logsumexp": "logsumexp(x, dim=1)", "softmax": "softmax(x, dim=1)",
    "log_softmax": "log_softmax(x, dim=1)",
    "reshape": "reshape(x, (2, 3))", "permute": "permute(x, (1, 0))", "transpose": "transpose(x, 0, 1)",
    "unsqueeze": "unsqueeze(x, 0)", "squeeze": "squeeze(x, 0)", "flatten": "flatten(x)", "tril": "tril(x)",
    "cat": "cat((x, y), dim=0)", "matmul": "matmul(x, W)", "layer_norm": "layer_norm(x, (d,), g, b)",
    "cross_entropy": "cross_entropy(z, t)", "mse_loss": "mse_loss(y, t)", "conv1d": "conv1d(x, w)",
    "conv2d": "conv2d(x, w, padding=1)", "max_pool2d": "max_pool2d(x, 2)", "avg_pool2d": "avg_pool2d(x, 2)",
}  # fmt: skip
OPTIONS = ("dim", "keepdim", "stride", "padding", "dilation", "groups", "kernel_size", "reduction", "eps")
REDUCTIONS = ("sum", "mean", "none")
ATTRIBUTES = ("T", "mT")
KNOWN = f"there are {', '.join(FUNCTIONS)}"
SHAPE_OF_A_LINE = "write lines name = expression, and last an expression that is one number"

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Pow, ast.MatMult)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


@dataclass(frozen=True)
class TensorProgram:
    """Text and its statements; `sizes` are the names to be given whole numbers, in order of appearance."""

    source: str
    body: tuple[ast.stmt, ...]
    sizes: tuple[str, ...]

    def span(self, node: ast.AST) -> Span:
        """Where a node stands; Python counts bytes of UTF-8, a Span counts characters."""
        line: int = node.lineno  # type: ignore[attr-defined]
        text = self.source.split("\n")[line - 1]
        start = len(text.encode()[: node.col_offset].decode())  # type: ignore[attr-defined]
        ends: int = node.end_lineno  # type: ignore[attr-defined]
        end = len(text.encode()[: node.end_col_offset].decode()) if ends == line else len(text)  # type: ignore[attr-defined]
        return Span(line, start, end)

    def error(self, message: str, node: ast.AST, hint: str = "") -> ExpressionError:
        span = self.span(node)
        return _error(self.source, message, span.line, span.start, span.end, hint)


def parse(source: str) -> TensorProgram:
    """The program a text is; nothing is evaluated."""
    source = source.replace("\r", "").replace("\t", "    ").rstrip()
    _check_text(source)
    try:
        tree = parse_python(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = min(max(getattr(error, "lineno", None) or 1, 1), len(source.split("\n")))
        column = max((getattr(error, "offset", None) or 1) - 1, 0)
        message = getattr(error, "msg", "") or "this cannot be read"
        raise _error(source, message, line, column, column + 1, SHAPE_OF_A_LINE) from error
    program = TensorProgram(source, tuple(tree.body), ())
    _check_depth(program, tree)
    return TensorProgram(source, program.body, tuple(_Reader(program).read()))


def _error(source: str, message: str, line: int, start: int, end: int, hint: str = "") -> ExpressionError:
    return ExpressionError(message, line, start, end, hint, source.split("\n")[line - 1])


def _check_text(source: str) -> None:
    lines = source.split("\n")
    if not source.strip():
        raise _error(source, "there is no program yet", 1, 0, 0, SHAPE_OF_A_LINE)
    if len(source) > MOST_CHARACTERS or len(lines) > MOST_LINES:
        limits = f"at most {MOST_CHARACTERS:,} characters in {MOST_LINES} lines are read"
        raise _error(source, f"this program is too long: {limits}", 1, 0, 1, "put repeated lines in a loop")
    depth = 0
    for number, line in enumerate(lines, 1):
        for column, character in enumerate(line):
            depth += (character in "([{") - (character in ")]}")
            if depth > MOST_BRACKETS:
                raise _error(
                    source, f"more than {MOST_BRACKETS} brackets are open", number, column, column + 1
                )
            if not character.isprintable():
                raise _error(source, "this character has no meaning here", number, column, column + 1)


def _check_depth(program: TensorProgram, tree: ast.AST) -> None:
    """Level by level, so that no text is too deep for the check itself."""
    level = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node) if hasattr(child, "lineno")]
        if not level:
            return
    raise program.error(
        f"more than {DEEPEST} levels deep", level[0], "give its parts names on lines of their own"
    )


class _Reader:
    """Checks every node of the tree against what the language has; collects the sizes."""

    def __init__(self, program: TensorProgram) -> None:
        self.program = program
        self.assigned: set[str] = set()
        self.sizes: dict[str, None] = {}

    def read(self) -> dict[str, None]:
        *lines, last = self.program.body
        for statement in lines:
            self.statement(statement, in_loop=False)
        if not isinstance(last, ast.Expr):
            raise self.error("the last line must be an expression: what is to be differentiated", last,
                             "write for example a line mean(square(y))")  # fmt: skip
        self.expression(last.value)
        return self.sizes

    def error(self, message: str, node: ast.AST, hint: str = "") -> ExpressionError:
        return self.program.error(message, node, hint)

    def statement(self, node: ast.stmt, in_loop: bool) -> None:
        if isinstance(node, ast.For) and not in_loop:
            self.loop(node)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            self.value_of(node.value)
            self.assign(node.targets[0])
        elif isinstance(node, ast.Expr):
            raise self.error("this value gets no name, and only the last line may be one", node,
                             "write name = before it")  # fmt: skip
        else:
            raise self.error("this kind of line is not read here", node, SHAPE_OF_A_LINE)

    def loop(self, node: ast.For) -> None:
        call = node.iter
        counted = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"
        if not counted or len(call.args) != 1 or call.keywords or node.orelse:  # type: ignore[attr-defined]
            raise self.error("a loop counts: for k in range(depth):", node, "write for k in range(depth):")
        self.expression(call.args[0])  # type: ignore[attr-defined]
        self.assign(node.target)
        for line in node.body:
            self.statement(line, in_loop=True)

    def assign(self, target: ast.expr) -> None:
        if not isinstance(target, ast.Name):
            raise self.error("a line gives one name to one value", target, "write name = expression")
        if target.id in FUNCTIONS or target.id in DECLARATIONS or len(target.id) > LONGEST_NAME:
            reason = "is too long" if len(target.id) > LONGEST_NAME else "is a function"
            raise self.error(f"“{target.id[:LONGEST_NAME]}” {reason}: choose another name", target)
        if target.id in self.sizes:
            raise self.error(f"“{target.id}” is used before it gets a value", target, "move this line up")
        self.assigned.add(target.id)

    def value_of(self, node: ast.expr) -> None:
        """The right side of a line, where alone an input may be declared."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DECLARATIONS:
            example = DECLARATIONS[node.func.id]
            if not node.args or node.keywords or (node.func.id == "classes" and len(node.args) != 2):
                raise self.error(f"{node.func.id} takes the lengths of a shape", node, f"write {example}")
            for argument in node.args:
                self.expression(argument)
            return
        self.expression(node)

    def expression(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            self.name(node)
        elif isinstance(node, ast.Constant):
            if type(node.value) not in (int, float, bool):
                raise self.error("only numbers are read here", node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, OPERATORS):
            self.each(node.left, node.right)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            self.each(node.operand)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], COMPARISONS):
            self.each(node.left, *node.comparators)
        elif isinstance(node, (ast.Tuple, ast.List)):
            self.each(*node.elts)
        elif isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            self.each(node.value)
        elif isinstance(node, ast.Call):
            self.call(node)
        else:
            raise self.error(
                "this is not part of the language", node, "use names, numbers, + − * / // ** @ and calls"
            )

    def each(self, *nodes: ast.AST) -> None:
        for node in nodes:
            self.expression(node)

    def name(self, node: ast.Name) -> None:
        if node.id in FUNCTIONS or node.id in DECLARATIONS:
            example = FUNCTIONS.get(node.id) or DECLARATIONS[node.id]
            raise self.error(f"“{node.id}” is a function and needs brackets", node, f"write {example}")
        if node.id not in self.assigned:
            self.sizes.setdefault(node.id)

    def call(self, node: ast.Call) -> None:
        called: Any = node.func
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        if name in DECLARATIONS:
            raise self.error(
                f"{name} stands alone on the right of a line", node, f"write W = {DECLARATIONS[name]}"
            )
        if name not in FUNCTIONS:
            raise self.error(f"there is no function “{name[:LONGEST_NAME]}”", node, KNOWN)
        if isinstance(called, ast.Attribute):
            self.expression(called.value)
        for argument in node.args:
            self.expression(argument)
        for keyword in node.keywords:
            if keyword.arg not in OPTIONS:
                raise self.error(
                    f"{name} has no option “{keyword.arg}” here", node, f"write {FUNCTIONS[name]}"
                )
            if not (isinstance(keyword.value, ast.Constant) and keyword.value.value in REDUCTIONS):
                self.expression(keyword.value)
