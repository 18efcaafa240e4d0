"""Bytes and operations that can be counted by hand; and a bounded, mended cache of kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import engine
from engine import nn
from engine.compiler import modules, report
from engine.compiler.step import trace


def test_a_product_and_a_map() -> None:
    weight = engine.randn(8, 3)
    made = trace(lambda x: (x @ weight.T).exp(), (engine.randn(5, 3),)).executable
    product, fused = report.steps(made)
    assert product.operations == ("matmul",)
    assert product.flops == 2 * 5 * 3 * 8
    assert product.read == (5 * 3 + 8 * 3) * 4
    assert fused.operations == ("exp",)
    assert (fused.read, fused.written, fused.flops) == (5 * 8 * 4, 5 * 8 * 4, 5 * 8)
    assert "exp_float32" in fused.source
    assert report.totals([product, fused])["flops"] == product.flops + fused.flops


def test_softmax_moves_its_array_once() -> None:
    made = trace(lambda x: x.softmax(-1), (engine.randn(6, 10),)).executable
    (step,) = report.steps(made)
    assert (step.read, step.written, step.phases) == (240, 240, 3)


def test_steps_name_their_modules() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    made = trace(model, (engine.randn(5, 3),)).executable
    labels = [label for step in report.steps(made) for label in step.labels]
    assert labels[0] == "0"
    assert "1" in labels
    assert labels[-1] == "2"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNROLL_CACHE", str(tmp_path))
    return tmp_path


def test_the_cache_is_bounded(cache: Path) -> None:
    for k in range(10):
        path = cache / f"unroll_nest_{k}.py"
        path.write_text("#" * 1000)
        os.utime(path, (k, k))
    modules.tidy(most=4_500)
    assert sorted(path.name for path in cache.iterdir()) == [f"unroll_nest_{k}.py" for k in range(6, 10)]


def test_kernels_compiled_by_another_process(cache: Path) -> None:
    """The worker leaves machine code on disk, which this process then finds."""
    made = trace(lambda x: x.exp() * 3.0 + 1.25, (engine.randn(7),)).executable
    missing = made.missing()
    assert missing
    subprocess.run(
        [sys.executable, "-m", "engine.compiler.worker"], input="\n".join(missing), text=True, check=True
    )
    assert made.missing() == []
    assert any(path.suffix == ".nbc" for path in (cache / "__pycache__").iterdir())


def test_damaged_machine_code_is_compiled_again(cache: Path) -> None:
    def function(x: engine.Tensor) -> engine.Tensor:
        return x.exp() * 5.0 - 0.75

    x = engine.randn(7)
    names = trace(function, (x,)).executable.missing()
    subprocess.run(
        [sys.executable, "-m", "engine.compiler.worker"], input="\n".join(names), text=True, check=True
    )
    for path in (cache / "__pycache__").glob("*.nbc"):
        path.write_bytes(b"damaged")
    made = trace(function, (x,)).executable
    made.compile()
    (found,) = made([x.value])
    assert found.tolist() == pytest.approx(function(x).tolist(), rel=1e-6)
