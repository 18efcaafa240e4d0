"""Every kind of kernel of the cuda backend compiles to PTX, and the PTX is what a fast kernel looks like.

This needs NVIDIA's toolkit (libnvvm and libdevice) but no GPU.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from engine.backends.cuda.kernels import convolution, lookups, matmul, reductions, scans, tiles
from engine.backends.cuda.kernels.elementwise import map_kernel
from engine.backends.cuda.kernels.source import Kernel
from engine.compiler import modules
from engine.dtypes import BY_NAME, boolean, float32, float64, int64
from engine.formula import forward, product
from engine.linear import copy
from engine.primitives import TABLE

AMPERE = (8, 0)  # compute capability


@cache
def toolkit() -> str:
    """Why nothing can be compiled; empty if it can."""
    cuda = pytest.importorskip("numba.cuda", reason="this numba comes without numba.cuda")
    try:
        cuda.compile_ptx(lambda: None, (), cc=AMPERE)
    except Exception as error:  # numba raises many things where the toolkit is not there, or not right
        return f"NVIDIA's toolkit is not to be found: {type(error).__name__}: {error}"
    return ""


def ptx(kernel: Kernel) -> str:
    """The PTX of a kernel; skips the test where it cannot be made."""
    if toolkit():
        pytest.skip(toolkit())
    from numba import cuda
    from numba.core import sigutils

    function = getattr(modules.load(kernel.source, kernel.name), kernel.name)
    arguments, _ = sigutils.normalize_signature(kernel.signature)
    text, _ = cuda.compile_ptx(function, arguments, cc=AMPERE)
    return str(text)


def count(pattern: str, text: str) -> int:
    return len(re.findall(pattern, text))


def has_doubles(text: str) -> bool:
    return count(r"\.f64\b", text) > 0


@pytest.mark.parametrize("name", TABLE)
def test_float32_formulas_compute_in_float32(name: str) -> None:
    """The value and all products: no constant and no function drags float64 along."""
    primitive = TABLE[name]
    formulas = [forward(primitive), *(product(primitive, i).formula for i in range(primitive.arity))]
    for formula in formulas[: 1 if toolkit() else None]:
        kinds = (float32,) * len(formula.operands)
        text = ptx(map_kernel(formula, kinds, float32, float32, 1))
        assert not has_doubles(text)
        assert count(r"st\.global\.f32", text) > 0
        assert "bar.sync" not in text


def test_maps_of_other_types() -> None:
    add, sign, power = (forward(TABLE[name]) for name in ("add", "sign", "pow"))
    assert not has_doubles(ptx(map_kernel(add, (int64, int64), int64, int64, 3)))
    assert not has_doubles(ptx(map_kernel(add, (boolean, boolean), boolean, boolean, 2)))
    assert not has_doubles(ptx(map_kernel(add, (float32, None), float32, float32, 2)))
    assert not has_doubles(ptx(map_kernel(sign, (int64,), int64, int64, 1)))
    assert has_doubles(ptx(map_kernel(power, (int64, int64), int64, int64, 1)))
    for source in BY_NAME.values():
        for target in BY_NAME.values():
            compute = max(source, target, key=lambda dtype: dtype.rank)
            ptx(map_kernel(forward(copy), (source,), compute, target, 1))


FORMS: list[reductions.Form] = ["single", "rows", "columns"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["sum", "max", "argmin"])
def test_reductions(kind: reductions.Reduction, form: reductions.Form) -> None:
    """A block waits once after it filled shared memory, and once in the loop that halves it."""
    for dtype in BY_NAME.values():
        text = ptx(reductions.reduction_kernel(kind, dtype, form, 1, 2, "alone"))
        assert count("bar.sync", text) == (0 if form == "single" else 2)
        assert has_doubles(text) == (dtype is float64)


@pytest.mark.parametrize("role", ["first", "second"])
def test_places_in_parts(role: reductions.Role) -> None:
    assert count("bar.sync", ptx(reductions.reduction_kernel("argmax", float32, "rows", 1, 1, role))) == 2


def test_running_sums() -> None:
    assert "bar.sync" not in ptx(scans.scan_kernel(float32, "single"))
    assert count("bar.sync", ptx(scans.scan_kernel(float32, "block"))) == 3
    for dtype in BY_NAME.values():
        assert has_doubles(ptx(scans.scan_kernel(dtype, "block"))) == (dtype is float64)


def test_lookups() -> None:
    for dtype in BY_NAME.values():
        assert has_doubles(ptx(lookups.lookup_kernel("take", dtype))) == (dtype is float64)
    for dtype, atomic in ((float32, "f32"), (float64, "f64"), (int64, "u64")):
        text = ptx(lookups.lookup_kernel("scatter_add", dtype))
        assert count(rf"(atom|red)\.global\.add\.{atomic}", text) > 0


# ---- products

PRODUCTS: dict[str, Callable[[], Kernel]] = {
    "matmul 128": lambda: matmul.matmul_kernel(float32, tiles.LARGE, 1, "depth", "rows"),
    "matmul 64": lambda: matmul.matmul_kernel(float32, tiles.MEDIUM, 2, "rows", "depth"),
    "matmul 32": lambda: matmul.matmul_kernel(float32, tiles.SMALL, 0, "depth", "rows"),
    "matmul 8": lambda: matmul.matmul_kernel(float32, tiles.TINY, 1, "rows", "rows"),
    "convolution": lambda: convolution.convolution_kernel("output", float32, tiles.MEDIUM),
    "its weight": lambda: convolution.convolution_kernel("weight", float32, tiles.MEDIUM),
    "its input": lambda: convolution.convolution_kernel("input", float32, tiles.MEDIUM),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name: str, tmp_path: Path) -> None:
    """Two barriers a strip; what a thread computes stays in registers and is multiplied and added at once."""
    text = ptx(PRODUCTS[name]())
    assert count("bar.sync", text) == 2
    assert count(r"fma\.rn\.f32", text) >= 32
    assert count(r"ld\.shared\.f32", text) * 2 <= count(r"fma\.rn\.f32", text) * (
        2 if "8" in name[-2:] else 1
    )
    assert not has_doubles(text)
    assert count(r"(ld|st)\.local", text) == 0
    if not shutil.which("ptxas"):
        return  # how many registers there are is for the assembler to say
    (tmp_path / "kernel.ptx").write_text(text, encoding="utf-8")
    command = [
        "ptxas",
        "-v",
        "-arch=sm_80",
        str(tmp_path / "kernel.ptx"),
        "-o",
        str(tmp_path / "kernel.cubin"),
    ]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "0 bytes spill stores, 0 bytes spill loads" in report
    registers = re.search(r"Used (\d+) registers", report)
    assert registers
    assert int(registers[1]) <= 168


@pytest.mark.parametrize("dtype", [float64, int64, boolean], ids=lambda dtype: dtype.name)
def test_products_of_other_types(dtype: reductions.DType) -> None:
    tile = tiles.Sizes(4096, 4096, 64, 1, 4096).tile(dtype)
    text = ptx(matmul.matmul_kernel(dtype, tiles.TINY if dtype is boolean else tile, 0, "depth", "rows"))
    assert count("bar.sync", text) == 2
    assert has_doubles(text) == (dtype is float64)
    if dtype is float64:
        assert count(r"fma\.rn\.f64", text) >= 16
