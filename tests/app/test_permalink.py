"""Links: every field and a version go in, the same setup comes out, and a bad link says what is wrong."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import permalink
from engine import studies
from engine.studies.graph import EXAMPLES, GraphSetup

GRAPH = studies.load("graph")
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("name", studies.NAMES)
def test_a_link_holds_every_field_and_a_version(name: str) -> None:
    study = studies.load(name)
    assert set(permalink.encode(study, study.setup())) == {"v", *study.setup.model_fields}


@given(
    program=st.text(max_size=200),
    values=st.dictionaries(st.text(max_size=10), FINITE, max_size=8),
    mode=st.sampled_from(["reverse", "forward"]),
    step=st.integers(0, 5000),
)
def test_any_setup_survives_the_address_bar(
    program: str, values: dict[str, float], mode: str, step: int
) -> None:
    setup = GraphSetup.model_validate({"program": program, "values": values, "mode": mode, "step": step})
    query = urlencode(permalink.encode(GRAPH, setup), errors="surrogatepass")
    received = dict(parse_qsl(query, keep_blank_values=True, errors="surrogatepass"))
    assert permalink.decode(GRAPH, received) == permalink.Decoded(setup)


@pytest.mark.parametrize("setup", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_a_link_replays_to_the_same_numbers(setup: GraphSetup) -> None:
    replayed = permalink.decode(GRAPH, permalink.encode(GRAPH, setup)).setup
    assert GRAPH.run(replayed).summary() == GRAPH.run(setup).summary()


def test_an_empty_address_is_the_default() -> None:
    assert permalink.decode(GRAPH, {}) == permalink.Decoded(GraphSetup())
    assert permalink.decode(GRAPH, {"present": "1", "show": "mode"}) == permalink.Decoded(GraphSetup())


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"mode": "sideways"}, "Mode cannot be “sideways”"),
        ({"step": "-1"}, "Step cannot be “-1”"),
        ({"step": "1e99"}, "Step cannot be"),
        ({"output": "two"}, "Output cannot be “two”"),
        ({"values": "{broken"}, "Values cannot be “{broken”"),
        ({"values": '{"x": NaN}'}, "Values cannot be"),
        ({"values": '{"x": "1; drop"}'}, "Values cannot be"),
        ({"values": "[" * 100_000}, "Values cannot be"),
        ({"nonsense": "1"}, "“nonsense”"),
    ],
)
def test_a_part_that_cannot_be_read_keeps_its_default(query: dict[str, str], said: str) -> None:
    decoded = permalink.decode(GRAPH, {"v": "1", "program": "x*y", **query})
    assert decoded.setup == GraphSetup(program="x*y")
    (problem,) = decoded.problems
    assert said in problem
    assert len(problem) < 300


def test_an_unknown_version_restores_the_defaults() -> None:
    decoded = permalink.decode(GRAPH, {"v": "7", "program": "x*y"})
    assert decoded.setup == GraphSetup()
    assert "version '7'" in decoded.problems[0]


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=60), max_size=6))
def test_no_address_raises(query: dict[str, str]) -> None:
    assert isinstance(permalink.decode(GRAPH, query).setup, GraphSetup)
