"""Every argument of every reduction against torch: dimensions from both ends, several, none and wrong ones,
keepdim, dtypes, corrections; empty tensors, 0-d tensors, and operands that do not lie in row-major order.

What torch refuses the engine must refuse too; what it allows must give the same values and gradients. The
arguments of views and shapes are in `test_views`, those of products and look-ups in `test_operations` and
`test_indexing`.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.engine.tensors.single import Case, assert_agreement, calls, disagreement, sample
from tests.engine.tensors.test_differences import ONLY_HERE

SHAPES = ((), (1,), (3,), (0,), (2, 3), (1, 4), (3, 1), (0, 2), (2, 0), (2, 3, 2), (1, 2, 1), (2, 1, 3, 2))
WITH_LAYOUTS = ((2, 3), (2, 3, 2))
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "contiguous": lambda x: x,
    "transposed": lambda x: x.transpose(0, -1),
    "every second": lambda x: x[..., ::2] if x.ndim else x,
    "from the second": lambda x: x[1:] if x.ndim else x,
    "expanded": lambda x: x.expand(2, *x.shape),
}
OVER_SEVERAL = ("sum", "mean", "var", "std", "amax", "amin", "logsumexp", "any", "all")
OVER_ONE = ("max", "min", "argmax", "argmin", "prod")
ALONG = ("cumsum", "softmax", "log_softmax")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """torch warns of variances over too few elements, which are compared here too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def single_dims(rank: int) -> list[int]:
    """All dimensions from both ends, and one too many on either side."""
    return list(range(-rank - 1, rank + 1))


def several_dims(rank: int) -> list[tuple[int, ...]]:
    """Every choice of dimensions, pairs also from the back; and one named twice."""
    chosen = [c for n in range(1, rank + 1) for c in itertools.combinations(range(rank), n)]
    mixed = [(c[-1], c[0] - rank) for c in chosen if len(c) > 1]
    return [*chosen, *mixed, *([(0, 0), (0, -rank)] if rank else [])]


def in_layouts(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> Iterator[Case]:
    """One call on a tensor in row-major order, and for two of the shapes on others that are not."""
    for layout, arrange in (
        LAYOUTS.items() if shape in WITH_LAYOUTS else [("contiguous", LAYOUTS["contiguous"])]
    ):

        def call(_: Any, x: Any, arrange: Callable[[Any], Any] = arrange) -> Any:
            return getattr(arrange(x), name)(**options)

        yield f"{name}({options}), {layout}", call, (sample(shape),)


def reductions(name: str) -> Iterator[Case]:
    for shape in SHAPES:
        rank = len(shape)
        named: list[Any] = [*single_dims(rank), *(several_dims(rank) if name in OVER_SEVERAL else ())]
        choices: list[dict[str, Any]] = [{}] if name != "logsumexp" else []
        choices += [{"dim": d, "keepdim": k} for d in named for k in (False, True)]
        choices += [{"dim": d} for d in named[:3]]
        for options in choices:
            yield from in_layouts(name, options, shape)


@pytest.mark.parametrize("name", OVER_SEVERAL + OVER_ONE)
def test_dimensions(name: str) -> None:
    assert_agreement(reductions(name))


@pytest.mark.parametrize("name", ALONG)
def test_dimension_along_which_something_runs(name: str) -> None:
    cases = (
        case
        for shape in SHAPES
        for dim in single_dims(len(shape))
        for case in in_layouts(name, {"dim": dim}, shape)
    )
    assert_agreement(cases)


def test_norm() -> None:
    """Over up to two dimensions: without p, torch.norm takes a matrix norm."""
    cases = (
        case
        for shape in SHAPES
        for dim in (*single_dims(len(shape)), *[d for d in several_dims(len(shape)) if 0 < len(d) < 3], None)
        for keepdim in (False, True)
        for case in in_layouts("norm", {} if dim is None else {"dim": dim, "keepdim": keepdim}, shape)
    )
    assert_agreement(cases)


@pytest.mark.parametrize("name", ["var", "std"])
def test_degrees_of_freedom(name: str) -> None:
    """n - correction, also where it is 0 or less."""
    options = [{"correction": c} for c in (0, 1, 2, 0.5, 1.5, 5)] + [{"unbiased": u} for u in (True, False)]
    cases = (
        case
        for shape in ((), (1,), (2,), (5,), (2, 3), (3, 1))
        for chosen in options
        for dim in ({}, {"dim": -1}, {"dim": (0,), "keepdim": True})
        for case in in_layouts(name, {**dim, **chosen}, shape)
    )
    assert_agreement(cases, values_only=True)  # torch's gradients for n < correction mean nothing
    assert disagreement(lambda _, x: getattr(x, name)(1, False), sample((2, 3))) == ""
    assert disagreement(lambda _, x: getattr(x, name)(1, True, True), sample((2, 3))) == ""


@pytest.mark.parametrize("to", ["float32", "float64", "int64", "bool"])
def test_dtype_of_a_sum(to: str) -> None:
    cases = calls(
        (f"sum dtype={to}", lambda lib, x: x.detach().sum(dim=-1, dtype=getattr(lib, to))),
        (f"sum of all, dtype={to}", lambda lib, x: lib.sum(x.detach(), dtype=getattr(lib, to))),
        operands=[(sample((2, 3), dtype),) for dtype in ("float32", "float64", "int64", "bool")],
    )
    assert_agreement(cases)


@pytest.mark.parametrize("name", [*OVER_SEVERAL, *OVER_ONE, *ALONG, "norm"])
@pytest.mark.parametrize("dtype", ["int64", "bool", "float32"])
def test_other_dtypes(name: str, dtype: str) -> None:
    """Which dtypes a reduction takes and gives. Of several equal extremes torch does not say which it finds.

    The few that only the engine takes are in `test_differences`.
    """
    if (name, dtype) in ONLY_HERE:
        return
    dims: list[dict[str, Any]] = [{"dim": -1}] if name in (*ALONG, "logsumexp") else [{"dim": -1}, {}]
    ties = dtype != "float32" and name in ("max", "min", "argmax", "argmin")
    cases = calls(
        *[(f"{name}({d})", lambda _, x, d=d: getattr(x, name)(**d)) for d in dims],
        operands=[(sample(shape, dtype),) for shape in (((1,), ()) if ties else ((3,), (2, 3), ()))],
    )
    assert_agreement(cases)


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin", "amax", "amin"])
def test_extremes_of_integers(name: str) -> None:
    """Without ties, the places are those of torch too."""
    numbers = sample((4, 5)).argsort(axis=None).argsort().reshape(4, 5) - 10
    cases = calls(
        *[(f"{name}({d})", lambda _, x, d=d: getattr(x, name)(**d)) for d in ({}, {"dim": 0}, {"dim": -1})],
        operands=[(numbers,)],
    )
    assert_agreement(cases)


@pytest.mark.parametrize("name", [*OVER_SEVERAL, *OVER_ONE, *ALONG])
def test_functions_by_position(name: str) -> None:
    """`library.sum(x, 1, True)`: names and order of the arguments."""
    more = [] if name in ALONG else [lambda lib, x: getattr(lib, name)(x, 1, keepdim=True)]
    if name not in (*ALONG, "var", "std"):
        more.append(lambda lib, x: getattr(lib, name)(x, -1, True))
    cases = calls(
        *[(name, call) for call in (lambda lib, x: getattr(lib, name)(x, 1), *more)],
        operands=[(sample((2, 3)),)],
    )
    assert_agreement(cases)


@pytest.mark.parametrize("name", ["amax", "amin", "max", "min"])
def test_equal_extremes_share_the_gradient(name: str) -> None:
    """Evenly, if over all elements or by amax and amin; max(dim) gives it to one, the first."""
    tied = sample((2, 3)) * 0 + [[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]
    assert disagreement(lambda _, x: getattr(x, name)(), tied) == ""
    assert disagreement(lambda _, x: getattr(x, name)(dim=1), tied) == ""
