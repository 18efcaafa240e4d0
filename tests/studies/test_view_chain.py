"""The language of chains: what is read, what is refused and where, and that nothing else ever happens."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expression import ExpressionError
from engine.studies.view_chain import INDEX, METHODS, parse_chain


def test_a_chain_is_its_calls_in_order() -> None:
    calls = parse_chain("x.transpose(0, 1)[::2, -1, None, ...].view((2, -1)).mT")
    assert [(call.text, call.method, call.arguments, call.key) for call in calls] == [
        (".transpose(0, 1)", "transpose", (0, 1), ()),
        ("[::2, -1, None, ...]", INDEX, (), (slice(None, None, 2), -1, None, ...)),
        (".view((2, -1))", "view", ((2, -1),), ()),
        (".mT", "mT", (), ()),
    ]
    assert parse_chain("x") == ()


def test_a_chain_may_stand_on_several_lines() -> None:
    assert [call.method for call in parse_chain("x.t()\n  .flatten()\n")] == ["t", "flatten"]


@pytest.mark.parametrize("method", METHODS)
def test_every_example_in_a_hint_can_be_read(method: str) -> None:
    (call,) = parse_chain(f"x.{METHODS[method][1]}")
    assert call.method == method


@pytest.mark.parametrize(
    ("source", "said", "column"),
    [
        ("", "no chain yet", 0),
        ("y.T", "no tensor “y”", 0),
        ("x.foo()", "no step “foo”", 0),
        ("x.view", "“.view” alone", 0),
        ("x.data", "“.data” alone", 0),
        ("x + 1", "not a step", 0),
        ("x.t().view(a)", "whole number", 11),
        ("x.view(1.5)", "whole number", 7),
        ("x.view(True)", "whole number", 7),
        ("x.view(2**9)", "whole number", 7),
        ("x.view(9999999999)", "up to", 7),
        ("x[::0]", "step 0", 2),
        ("x['a']", "whole number", 2),
        ("x[0:1:b]", "whole number", 6),
        ("x.view(", "never closed", 6),
        ("x.transpose(0)", "does not take these", 0),
        ("x.as_strided(3, 4)", "does not take these", 0),
        ("x.view(dtype=3)", "without names", 0),
        ("x.t(*[1])", "whole number", 4),
        ("x.t()†", "no meaning", 5),
        ("x.__class__", "“.__class__” alone", 0),
        ("x.__init__()", "no step “__init__”", 0),
        ("(x := 3).t()", "not a step", 1),
        ("f(x).t()", "not a step", 0),
        ("x" + ".t()" * 21, "20 steps", 81),
        ("x" + ".t()" * 500, "characters", 1000),
        ("(" * 300 + "x" + ")" * 300, "", None),
    ],
)
def test_what_is_no_chain_is_refused_with_its_place(source: str, said: str, column: int | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_chain(source)
    assert said in caught.value.message
    assert column is None or caught.value.column == column
    assert caught.value.pointer()


@given(st.text(max_size=60) | st.text(alphabet="x.()[],:-0123 viewtT", max_size=60).map("x".__add__))
def test_any_text_is_a_chain_or_an_expression_error(source: str) -> None:
    with contextlib.suppress(ExpressionError):
        read = "".join(call.text for call in parse_chain(source))
        assert read.replace(" ", "") in source.replace(" ", "").replace("\n", "")
