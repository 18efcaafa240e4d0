"""Every row of the table: value, partials, both directions of the chain rule, source, notation."""

import itertools
import math
import random

import pytest
import torch
from latex2mathml.converter import convert

from engine.primitive import Primitive
from engine.primitives import TABLE
from engine.scalar import Scalar
from engine.symbol import NAMES, Symbol, formula_latex, partials_latex, source, trace_partial
from tests.engine.random_programs import ARITY, SAFE
from tests.engine.reference import PYTHON, TORCH, gradients, leaf, same

INF, NAN = math.inf, math.nan
FINITE = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1 / 3, 19.0, -25.0, 710.0, -746.0]
EXTREME = [1e-9, -1e-9, 1e150, -1e150, 1.7e308, -1.7e308, 1e-300, -1e-300, 5e-324, INF, -INF]
FEW = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, 1e200, 1e-200, INF, -INF, NAN]
ROWS = list(TABLE.values())
rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def grid(row: Primitive) -> list[tuple[float, ...]]:
    points = FEW if row.arity == 3 else [*FINITE, *EXTREME, NAN]
    return list(itertools.product(points, repeat=row.arity))


def smooth_points(row: Primitive, count: int, seed: int = 0) -> list[tuple[float, ...]]:
    """Random operands inside the domain and away from kinks."""
    generator = random.Random(seed)
    safe = SAFE.get(row.name, lambda *operands: True)
    points: list[tuple[float, ...]] = []
    while len(points) < count:
        operands = tuple(generator.uniform(-2.5, 2.5) for _ in range(row.arity))
        if safe(*operands):
            points.append(operands)
    return points


def partials(row: Primitive, operands: tuple[float, ...], output: float) -> list[float]:
    return [float(row.partial(index, operands, output)) for index in range(row.arity)]


def at_a_nan(row: Primitive, operands: tuple[float, ...]) -> bool:
    """Whether torch's figure is an accident of its implementation.

    At NaN there is nothing to differentiate; torch 2.13 gives relu a slope of 1 there and abs a slope
    of 0, gives both sides of max and min the whole gradient, and calls sign(NaN) 0, where numpy says NaN.
    """
    return row.name in ("abs", "sign", "relu", "maximum", "minimum") and any(map(math.isnan, operands))


def test_the_table_has_the_operators_it_must_have() -> None:
    assert set(PYTHON) == set(TORCH) == set(ARITY)
    assert set(PYTHON) <= set(TABLE)
    assert all(TABLE[name].arity == arity for name, arity in ARITY.items())
    assert all(name == row.name for name, row in TABLE.items())


@rows
def test_value_and_partials_are_those_of_torch_everywhere(row: Primitive) -> None:
    points = [point for point in grid(row) if not at_a_nan(row, point)]
    leaves = [leaf([point[index] for point in points]) for index in range(row.arity)]
    output = TORCH[row.name](*leaves)
    values, slopes = output.detach(), gradients(output, leaves)
    wrong = []
    for position, operands in enumerate(points):
        value = row(*operands)
        expected = [float(values[position]), *(float(slope[position]) for slope in slopes)]
        found = [value, *partials(row, operands, value)]
        if not all(map(same, found, expected, itertools.repeat(1e-12))):
            wrong.append((operands, found, expected))
    assert not wrong


@rows
def test_zeros_have_the_sign_that_torch_gives_them(row: Primitive) -> None:
    for operands in grid(row):
        value = row(*operands)
        if value == 0.0 and not at_a_nan(row, operands):
            expected = float(TORCH[row.name](*(torch.tensor(x, dtype=torch.float64) for x in operands)))
            assert math.copysign(1.0, value) == math.copysign(1.0, expected), operands


@pytest.mark.parametrize("name", ["abs", "sign", "relu", "maximum", "minimum"])
def test_nan_passes_through_choices(name: str) -> None:
    row = TABLE[name]
    for operands in itertools.product([NAN, 1.0, -INF], repeat=row.arity):
        assert math.isnan(row(*operands)) == any(map(math.isnan, operands))


@pytest.mark.parametrize(
    ("name", "operands", "expected"),
    [
        ("log", (0.0,), -INF),
        ("log", (-0.0,), -INF),
        ("log", (-1.0,), NAN),
        ("sqrt", (-1.0,), NAN),
        ("sqrt", (-0.0,), -0.0),
        ("div", (1.0, 0.0), INF),
        ("div", (1.0, -0.0), -INF),
        ("div", (0.0, 0.0), NAN),
        ("inverse", (-0.0,), -INF),
        ("pow", (0.0, -1.0), INF),
        ("pow", (-0.0, -1.0), -INF),
        ("pow", (-1.0, 0.5), NAN),
        ("pow", (0.0, 0.0), 1.0),
        ("pow", (NAN, 0.0), 1.0),
        ("pow", (1.0, NAN), 1.0),
        ("pow", (-2.0, 3.0), -8.0),
        ("pow", (10.0, 400.0), INF),
        ("exp", (1000.0,), INF),
        ("expm1", (1000.0,), INF),
        ("expm1", (1e-20,), 1e-20),
        ("log1p", (-1.0,), -INF),
        ("log1p", (-2.0,), NAN),
        ("log1p", (1e-20,), 1e-20),
        ("sin", (INF,), NAN),
        ("cos", (-INF,), NAN),
        ("sigmoid", (1000.0,), 1.0),
        ("sigmoid", (-1000.0,), 0.0),
        ("softplus", (1000.0,), 1000.0),
        ("softplus", (-1000.0,), 0.0),
        ("where", (NAN, 1.0, 2.0), 1.0),  # NaN is not 0
        ("eq", (NAN, NAN), 0.0),
        ("ne", (NAN, NAN), 1.0),
    ],
)
def test_ieee_754_at_the_ends_of_domains(name: str, operands: tuple[float, ...], expected: float) -> None:
    assert same(TABLE[name](*operands), expected, 0.0)


@rows
def test_values_are_those_of_python(row: Primitive) -> None:
    for operands in smooth_points(row, 200):
        assert row(*operands) == pytest.approx(PYTHON[row.name](*operands), rel=1e-13, abs=1e-15)


@rows
def test_results_and_partials_are_floats(row: Primitive) -> None:
    for operands in smooth_points(row, 5):
        value = row(*operands)
        assert type(value) is float
        for index in range(row.arity):
            assert type(row.partial(index, operands, value)) is float


@rows
def test_partials_agree_with_central_differences(row: Primitive) -> None:
    """With random upstream weights, so that a partial that forgets its cotangent is found."""
    generator = random.Random(1)
    step = 1e-5
    for operands in smooth_points(row, 100, seed=1):
        weight = generator.uniform(-2.0, 2.0)
        for index in range(row.arity):

            def at(change: float, operands: tuple[float, ...] = operands, index: int = index) -> float:
                moved = list(operands)
                moved[index] += change
                return PYTHON[row.name](*moved)

            expected = weight * (at(step) - at(-step)) / (2.0 * step)
            found = row.vjp(index, weight, operands, row(*operands))
            assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


@rows
def test_jvp_and_vjp_are_transposes(row: Primitive) -> None:
    """w · (J t) = (Jᵀ w) · t for random tangents t and cotangents w."""
    generator = random.Random(2)
    for operands in smooth_points(row, 50, seed=2):
        value = row(*operands)
        tangents = [generator.uniform(-2.0, 2.0) for _ in operands]
        cotangent = generator.uniform(-2.0, 2.0)
        pushed = sum(row.jvp(index, t, operands, value) for index, t in enumerate(tangents))
        pulled = [row.vjp(index, cotangent, operands, value) for index in range(row.arity)]
        inner = sum(map(lambda p, t: p * t, pulled, tangents))
        assert cotangent * pushed == pytest.approx(inner, rel=1e-13, abs=1e-13)


@rows
def test_generated_source_computes_the_same(row: Primitive) -> None:
    """What the compiler will be given, run by Python itself."""
    names = NAMES[: row.arity]
    formula = source(Symbol.apply(row, tuple(Symbol(name=name) for name in names)))
    slopes = [source(trace_partial(row, index)) for index in range(row.arity)]
    scope = {"math": math}
    value_of = eval(f"lambda {', '.join(names)}: {formula}", scope)  # noqa: S307  (our own source)
    slopes_of = [eval(f"lambda {', '.join(names)}, y: {slope}", scope) for slope in slopes]  # noqa: S307
    for operands in smooth_points(row, 50, seed=3):
        value = row(*operands)
        assert value_of(*operands) == value
        found = [slope_of(*operands, value) for slope_of in slopes_of]
        assert found == pytest.approx(partials(row, operands, value), rel=1e-14, abs=1e-300)


NOTATION = {  # formula, then partials
    "add": ("a + b", "1", "1"),
    "sub": ("a - b", "1", "-1"),
    "mul": (r"a \cdot b", "b", "a"),
    "div": (r"\frac{a}{b}", r"\frac{1}{b}", r"-\frac{y}{b}"),
    "neg": ("-a", "-1"),
    "pow": ("a^{b}", r"b \cdot a^{b - 1}", r"y \cdot \ln(a)"),
    "exp": ("e^{a}", "y"),
    "log": (r"\ln(a)", r"\frac{1}{a}"),
    "sqrt": (r"\sqrt{a}", r"\frac{0.5}{y}"),
    "sin": (r"\sin(a)", r"\cos(a)"),
    "cos": (r"\cos(a)", r"-\sin(a)"),
    "tanh": (r"\tanh(a)", "1 - y^2"),
    "sigmoid": (r"\sigma(a)", r"y \cdot (1 - y)"),
    "relu": (r"\operatorname{relu}(a)", "[a > 0]"),
    "square": ("a^2", r"2 \cdot a"),
    "inverse": (r"\frac{1}{a}", "-y^2"),
    "abs": ("|a|", r"\operatorname{sign}(a)"),
    "softplus": (r"\operatorname{softplus}(a)", r"\sigma(a)"),
    "maximum": (r"\max(a, b)", r"[a > b] + 0.5 \cdot [a = b]", r"[b > a] + 0.5 \cdot [a = b]"),
    "le": (r"[a \le b]", "0", "0"),
}


@pytest.mark.parametrize("name", NOTATION)
def test_notation(name: str) -> None:
    row = TABLE[name]
    assert (formula_latex(row), *partials_latex(row)) == NOTATION[name]


@rows
def test_every_formula_can_be_set(row: Primitive) -> None:
    formulas = (formula_latex(row), *partials_latex(row))
    assert len(formulas) == 1 + row.arity
    for formula in formulas:
        assert formula.count("{") == formula.count("}")
        assert formula.count("(") == formula.count(")")
        assert convert(formula).startswith("<math")


@rows
def test_every_row_is_labelled_and_names_its_oracle(row: Primitive) -> None:
    assert row.symbol
    assert row.latex
    function = torch
    for part in row.torch.split("."):
        function = getattr(function, part)
    assert callable(function)


@rows
def test_a_note_says_where_the_domain_ends(row: Primitive) -> None:
    """Rows that give NaN or infinity for moderate operands, or have a kink or a step, say so."""
    points = list(itertools.product([-2.5, -1.0, 0.0, 0.5, 3.0], repeat=row.arity))
    leaves = [leaf([point[index] for point in points]) for index in range(row.arity)]
    output = TORCH[row.name](*leaves)
    figures = torch.stack([output, *gradients(output, leaves)])
    kinked = row.name in ("abs", "relu", "sign", "maximum", "minimum", "where", "lt", "ge", "eq")
    if kinked or not bool(torch.isfinite(figures).all()):
        assert row.note


@rows
def test_the_wrong_number_of_operands_is_refused(row: Primitive) -> None:
    for count in (0, row.arity - 1, row.arity + 1):
        if count != row.arity:
            with pytest.raises(TypeError, match=f"{row.name} takes {row.arity} operands, {count} were given"):
                row(*[1.0] * count)


@rows
def test_scalars_record_what_floats_compute(row: Primitive) -> None:
    for operands in smooth_points(row, 10, seed=4):
        inputs = tuple(map(Scalar, operands))
        result = row(*inputs)
        assert isinstance(result, Scalar)
        assert result.value == row(*operands)
        assert result.primitive is row
        assert all(recorded is given for recorded, given in zip(result.inputs, inputs, strict=True))
