"""Laws: a property stated in one line, and a hunt for numbers that break it.

>>> law = read("(a + b) + c == a + (b + c)")
>>> sorted(law.variables)
['a', 'b', 'c']
>>> arithmetic = Arithmetic(by_name("fp32"))
>>> statement = law.statement(length=1)
>>> broken(law, statement, {"a": [1.0], "b": [2.0**-24], "c": [2.0**-24]}, arithmetic, Closeness())
array([ True])

`language` reads the text, `terms` holds what it says, `arithmetic` computes both sides with every result
rounded, `domains` draws numbers, `hunt` lets Hypothesis search and shrink, `gallery` has laws to begin with.
"""

from engine.laws.arithmetic import Arithmetic
from engine.laws.closeness import Closeness, broken
from engine.laws.language import Law, Statement, read
from engine.numbers import by_name

__all__ = ["Arithmetic", "Closeness", "Law", "Statement", "broken", "by_name", "read"]
