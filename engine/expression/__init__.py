"""The expression language: what a visitor types becomes a program, or an error that explains itself.

Lines `name = expression`, then one final expression, or several with commas between them. A line
`x = 2` declares the input x with that default; a name that is never assigned is an input too.

>>> from engine.primitives import TABLE
>>> program = parse("x = 2\\nh = tanh(w*x)\\nh**2, -h")
>>> program.inputs
{'x': 2.0, 'w': None}
>>> values = evaluate(program, lambda leaf: 0.0 if leaf.value is None else leaf.value, TABLE)
>>> [values[index] for index in program.outputs]
[0.0, -0.0]
"""

from engine.expression.errors import ExpressionError, Span
from engine.expression.parser import parse
from engine.expression.program import Instruction, Program, evaluate

__all__ = ["ExpressionError", "Instruction", "Program", "Span", "evaluate", "parse"]
