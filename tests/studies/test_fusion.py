"""Fusion: bytes and temporaries counted by hand, values against torch, the model's arithmetic. No timings."""

from __future__ import annotations

import math
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.expression import ExpressionError
from engine.measure import Run, Timing, service
from engine.measure.peaks import ARITHMETIC, MEMORY, STREAM
from engine.studies import fusion_check, fusion_plans, fusion_program
from engine.studies import fusion_gallery as gallery
from engine.studies.fusion import STUDY, FusionResult, attainable, peak, run
from engine.studies.fusion_bench import COPY, EAGER, GROUPS, TORCH, WAYS, WHOLE, Bench, launches
from engine.studies.fusion_check import check_program
from engine.studies.fusion_costs import Compilation, Launch, total
from engine.studies.fusion_plans import plan, sweep_of
from engine.studies.fusion_setup import EXAMPLES, FusionSetup
from engine.studies.fusion_stages import passed, registers
from engine.studies.tensor_autodiff_language import parse

N, D = 24, 40
WORD = 4  # bytes of a float32


@pytest.fixture(autouse=True)
def _nothing_measured_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_MEASURED", str(tmp_path))
    monkeypatch.setattr(fusion_check, "PATIENCE", 120.0)
    service.cache_clear()


def small(program: str, training: bool = False, **sizes: int) -> FusionSetup:
    return FusionSetup(program=program, sizes={"n": N, "d": D} | sizes, training=training)


def found(program: str, **sizes: int) -> Compilation:
    return run(small(program, **sizes)).compilation


# ---- counts, by hand


BY_HAND = {
    # (operations, numbers moved eager, kernels, numbers moved fused)
    gallery.BIAS_TANH: (2, 4 * N * D + D, 1, 2 * N * D + D),
    gallery.GELU: (9, 22 * N * D, 1, 2 * N * D),
    gallery.SOFTMAX: (5, 8 * N * D + 4 * N, 1, 2 * N * D),
    gallery.LAYER_NORM: (11, 12 * N * D + 12 * N + 2 * D, 1, 2 * N * D + 2 * D),
    gallery.CHAIN: (2 * 5, 5 * 2 * 3 * N, 1, 4 * N),
    gallery.SUM_OF_SQUARES: (2, 3 * N + 1, 1, N + 1),
    gallery.REPEATED: (8, 18 * N * D, 1, 2 * N * D),
    gallery.ATTENTION: (7, 2 * N * D + 11 * N * N + 4 * N, 2, 2 * N * D + 3 * N * N),
    gallery.PRODUCT: (3, 3 * N * N + (2 * N * N + N) + 2 * N * N, 2, 3 * N * N + (2 * N * N + N)),
}


@pytest.mark.parametrize("program", BY_HAND)
def test_bytes_are_those_counted_by_hand(program: str) -> None:
    operations, eager, kernels, fused = BY_HAND[program]
    counted = found(program, k=5)
    assert len(counted.eager) == operations
    assert total(counted.eager, "moved") == WORD * eager
    assert len(counted.fused) == kernels
    assert total(counted.fused, "moved") == WORD * fused
    assert total(counted.fused, "moved") >= counted.least


def test_temporaries_live_from_where_they_are_made_to_their_last_use() -> None:
    softmax = found(gallery.SOFTMAX)
    full, row = WORD * N * D, WORD * N
    # m; m and x − m; x − m and e; e and its sum; the same while they are divided
    assert [each.alive for each in softmax.eager] == [row, row + full, 2 * full, full + row, full + row]
    assert peak(softmax.fused) == 0


def test_a_product_is_no_part_of_a_loop_nest() -> None:
    product, rest = found(gallery.PRODUCT).fused
    assert (product.operations, product.source, product.phases) == (("matmul",), "", 0)
    assert product.flops == 2 * N**3
    assert rest.operations == ("add", "relu")
    assert rest.source


def test_softmax_walks_along_each_row_three_times() -> None:
    (kernel,) = found(gallery.SOFTMAX).fused
    assert kernel.phases == 3


# ---- passes


def test_passes_take_away_what_is_repeated_and_what_is_unused() -> None:
    trace, constants, repeats, dead, fused = passed(found(gallery.REPEATED))
    names = {entry.id: entry.operation for entry in trace.stage.entries}
    assert not any([*trace.removed, *trace.changed, *constants.removed, *constants.changed])
    assert [names[node] for node in repeats.changed] == ["add"]
    assert [names[node] for node in repeats.idle] == ["exp"]
    assert sorted(names[node] for node in dead.removed) == ["add", "exp", "sqrt"]
    assert not fused.removed
    assert {where for _, _, where in trace.edges} == {"memory"}
    assert [where for _, _, where in fused.edges].count("memory") == 1  # the input


def test_values_of_a_kernel_stay_in_registers_unless_others_read_them() -> None:
    assert registers(found(gallery.SOFTMAX)) == 4  # all but the result
    assert registers(found(gallery.ATTENTION)) == 5  # neither the scores nor the result
    assert registers(found(gallery.PRODUCT)) == 1


def test_backward_and_update_are_traced_too() -> None:
    step = run(small(gallery.PERCEPTRON, training=True, h=5)).compilation
    names = [each.operations[0] for each in step.eager]
    assert names.count("matmul") == 5  # two forward; two for the weights and one for r backward
    assert names.count("descent") == 4
    assert len(step.fused) < len(step.eager)
    assert {step.names[entry.id] for entry in step.stages[0].entries if entry.operation == "captured"} == {
        "W1", "b1", "W2", "b2",
    }  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_operation_left_has_lines_of_code(name: str) -> None:
    setup = EXAMPLES[name]
    counted = run(setup).compilation
    left = {node for each in counted.fused for node in each.nodes}
    assert left <= {node for line in counted.listing for node in line.nodes}
    for each in counted.fused:
        assert sorted(each.values) == sorted(each.nodes if each.source else ())
    lines = len(setup.program.split("\n"))
    assert all(1 <= line <= lines for numbers in counted.lines.values() for line in numbers)


def test_a_listing_keeps_a_row_for_a_later_walk() -> None:
    text = [line.text.strip() for line in found(gallery.SOFTMAX).listing]
    assert "row2[i1] = v2" in text
    assert "v4 = row2[i1] / v3" in text


# ---- values


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_agrees_with_torch(name: str) -> None:
    setup = EXAMPLES[name]
    checks = STUDY.check(run(setup))
    assert all(check.passed for check in checks), checks
    said = " ".join(check.name for check in checks)
    assert "eager" in said
    assert "fused" in said
    assert ("bytes moved" in said) != setup.training


def test_infinities_and_nan_are_compared_too() -> None:
    for text in ("x = data(n)\nlog(x)", "x = data(n)\n1 / (x - x)"):
        checks = check_program(text, (("n", 12),), training=False, seed=0)
        assert all(check.passed for check in checks), checks


def test_a_recipe_repeats_the_calls_and_keeps_nothing() -> None:
    program = parse("x = data(n)\ny = exp(x)\nz = cat((y, x), dim=0)\nsum(2 * z - z * 0.5)")
    made = fusion_program.by_engine(program, {"n": 7}, seed=3, training=False)
    other = engine.tensor(np.linspace(-1, 1, 7, dtype=np.float32))
    x = other.numpy().astype(np.float64)
    expected = 1.5 * (np.exp(x).sum() + x.sum())
    assert float(made.recipe([other])) == pytest.approx(expected, rel=1e-5)
    kept: list[Any] = []
    step, over = made.recipe.steps[0]
    made.recipe.steps[0] = (lambda values: kept.append(weakref.ref(found := step(values))) or found, over)
    made.recipe([other])
    assert kept[0]() is None


# ---- refusals


@pytest.mark.parametrize(
    ("program", "sizes", "training", "said"),
    [
        ("x = data(n)\nx + 1", {"n": 1 << 22, "m": 1}, True, "one number"),
        ("x = data(n)\nsum(x)", {}, True, "needs a parameter"),
        ("n + 1", {}, False, "made of no tensor"),
        ("x = data(n, n)\nx", {"n": 4096}, False, "elements"),
        ("x = data(n, n)\nx @ x", {"n": 2048}, False, "operations"),
        ("x = data(n)\nfor i in range(k):\n    x = x + 1\nx", {"n": 1 << 22, "k": 64}, False, "GB"),
        (
            "x = data(n)\nfor i in range(200):\n    x = exp(x) + sin(x) - cos(x)\nx",
            {"n": 2},
            False,
            "operations",
        ),
        ("x = data(n, d)\ny = data(n)\nx + y", {"n": 3, "d": 2}, False, "(3, 2)"),
    ],
)
def test_what_cannot_be_done_says_so(program: str, sizes: dict[str, int], training: bool, said: str) -> None:
    with pytest.raises(ExpressionError, match=said.replace("(", r"\(").replace(")", r"\)")):
        run(FusionSetup(program=program, sizes=sizes, training=training))


def test_sizes_out_of_range_are_named() -> None:
    with pytest.raises(ValueError, match="size n is 0"):
        run(FusionSetup(sizes={"n": 0}))


# ---- the model


def timing(series: str, seconds: float, **more: Any) -> Timing:
    fields = {"at": 0, "amount": 1.0, "unit": "byte", "compiling": 0.0, "first": 0.0, "note": ""} | more
    return Timing(series=series, samples=(seconds,) * 3, **fields)


def measured(setup: FusionSetup, *timings: Timing) -> FusionResult:
    """A result as if this had been measured on a machine of 64 GFLOP/s, and 8 GB/s below 1 kB of cache."""
    peaks = (
        Timing(ARITHMETIC, 1, 64e9, "flop", 0, 0, (1.0,)),
        Timing(STREAM, 512, 128e9, "byte", 0, 0, (1.0,), None, "L1"),
        Timing(STREAM, 1 << 20, 8e9, "byte", 0, 0, (1.0,), None, MEMORY),
    )
    service().store.keep(Run(plan(setup).key, "m", "2026-01-02T03:04:05+00:00", 0.5, (*peaks, *timings)))
    return run(setup)


def test_a_kernel_takes_as_long_as_its_bytes_or_its_operations() -> None:
    peaks = measured(small(gallery.SOFTMAX)).peaks
    assert peaks is not None
    assert attainable(Launch((0,), ("a",), 600, 400, 0, 0), peaks) == pytest.approx(1000 / 128e9)  # within L1
    assert attainable(Launch((0,), ("a",), 4000, 4000, 64, 0), peaks) == pytest.approx(8000 / 8e9)
    assert attainable(Launch((0,), ("a",), 4000, 4000, 10**6, 0), peaks) == pytest.approx(1e6 / 64e9)


def test_a_prediction_is_a_launch_and_its_kernels() -> None:
    setup = small(gallery.BIAS_TANH)
    result = measured(setup, *(timing(name, 1e-3, launch=2e-6) for name in WAYS))
    adding, tanh = 2 * N * D + D, 2 * N * D  # numbers, none of which fit 1 kB
    assert result.predicted(EAGER) == pytest.approx(2e-6 + WORD * (adding + tanh) / 8e9)
    assert result.predicted(GROUPS) == pytest.approx(2e-6 + WORD * (2 * N * D + D) / 8e9)
    assert result.predicted(WHOLE) == pytest.approx(2e-6 + WORD * (4 * N * D + D) / 8e9)  # and a copy
    assert launches(result.compilation, WHOLE)[-1].operations == (COPY,)
    assert run(small(gallery.GELU)).predicted(EAGER) is None


@pytest.mark.parametrize(
    ("eager", "whole", "calls"), [(3e-3, 1e-3, 250.0), (1e-3, 1e-3, math.inf), (1e-3, 2e-3, math.inf)]
)
def test_compiling_is_earned_back_by_the_difference(eager: float, whole: float, calls: float) -> None:
    result = measured(small(gallery.GELU), timing(EAGER, eager), timing(WHOLE, whole, compiling=0.5))
    assert result.break_even == pytest.approx(calls)


def test_nothing_measured_means_nothing_earned() -> None:
    assert run(small(gallery.GELU)).break_even is None
    assert "seconds" not in " ".join(run(small(gallery.GELU)).summary())


# ---- plans


def test_setups_that_measure_the_same_share_a_run() -> None:
    setup = small(gallery.GELU)
    same = setup.model_copy(update={"stage": "fused", "code": "assembly", "calls": 7, "measure": True})
    assert plan(setup).key == plan(same).key
    others = ({"seed": 1}, {"sizes": {"n": N}}, {"training": True}, {"program": gallery.SOFTMAX})
    assert len({plan(setup.model_copy(update=change)).key for change in others} | {plan(setup).key}) == 5


def test_a_sweep_ends_at_the_size_that_is_set() -> None:
    assert sweep_of((("n", 1024), ("d", 5))) == (2, 16, 128, 1024)
    assert sweep_of((("n", 3),)) == (2, 3)
    assert sweep_of((("n", 1),)) == (1,)
    assert sweep_of(()) == ()


@pytest.mark.parametrize("setup", [small(gallery.SOFTMAX), small(gallery.PERCEPTRON, training=True, h=5)])
def test_every_piece_of_work_runs(setup: FusionSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion_plans, "peak_works", lambda _machine: ())
    works = plan(setup).works()
    places = [(work.series, work.at) for work in works]
    assert len(set(places)) == len(places)
    for work in works:
        assert work.amount > 0
        code = work.compile()
        work.bind(code)()
        if work.empty:
            work.empty(code)()


def test_every_way_computes_the_same() -> None:
    bench = Bench(small(gallery.LAYER_NORM), (("n", N), ("d", D)))
    eager = bench.run(bench.runnable).numpy()
    code = bench.code(WHOLE)
    whole = bench.call(WHOLE, code)()
    assert np.allclose(eager, whole.numpy(), atol=1e-5)  # type: ignore[attr-defined]
    bench.call(GROUPS, code)()
    (view,) = code.executable.program.outputs
    assert np.allclose(eager, code.executable.memory.elements(view), atol=1e-5)
    bench.call(TORCH, bench.code(TORCH))()


def test_kernels_that_are_late_are_checked_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "x = data(n)\nexp(x) * 3.25 - 0.125"
    with monkeypatch.context() as hurried:
        hurried.setattr(fusion_check, "_is_compiled", lambda _: False)
        checks = check_program(text, (("n", 9),), training=False, seed=0)
    assert [check.name.split(":")[0] for check in checks] == [
        "eager",
        "bytes moved by the 3 eager operations",
        "bytes moved by the fused kernel",
    ]
    checks = check_program(text, (("n", 9),), training=False, seed=0)
    assert [check.name for check in checks][:2] == ["eager: |result|", "fused: |result|"]


@pytest.mark.parametrize("program", [gallery.BIAS_TANH, gallery.GELU, gallery.LAYER_NORM])
def test_one_kernel_moves_what_goes_in_and_comes_out(program: str) -> None:
    """Counted on torch's tensors: elements of all inputs and of the result, each once."""
    checks = check_program(program, (("n", N), ("d", D)), training=False, seed=0)
    (fused,) = [check for check in checks if "fused kernel" in check.name]
    eager = [check for check in checks if "eager operations" in check.name]
    assert fused.passed
    assert all(check.found > fused.found for check in eager)
