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
from engine.dtypes import BY_NAME, DType, boolean, float32, float64, int64
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
        reason = str(error).strip().partition("\n")[0]
        return f"NVIDIA's toolkit is not to be found ({type(error).__name__}: {reason})"
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
    """Whether anything is in float64, but for what sinf and cosf of libdevice do with huge angles."""
    rest = re.sub(r"cvt\.rn\.f64\.s64.*\n\s*mul\.f64.*\n\s*cvt\.rn\.f32\.f64", "", text)
    return count(r"[a-z]\.f64\b", rest) > 0


@pytest.mark.parametrize("name", TABLE)
def test_float32_formulas_compute_in_float32(name: str) -> None:
    """The value, and all products but those with a number: nothing drags float64 along."""
    primitive = TABLE[name]
    products = [product(primitive, i) for i in range(primitive.arity)]
    for formula in (forward(primitive), *(one.formula for one in products if one.constant is None)):
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
    """A block waits once when it has filled shared memory, and once in the loop that halves what is there."""
    text = ptx(reductions.reduction_kernel(kind, float32, form, 1, 2, "alone"))
    assert count("bar.sync", text) == (0 if form == "single" else 2)
    assert not has_doubles(text)


@pytest.mark.parametrize("dtype", BY_NAME.values(), ids=BY_NAME)
def test_reductions_of_other_types(dtype: DType) -> None:
    for kind in ("sum", "max", "argmax"):
        text = ptx(reductions.reduction_kernel(kind, dtype, "rows", 1, 1, "alone"))
        assert has_doubles(text) == (dtype is float64)


@pytest.mark.parametrize("role", ["first", "second"])
def test_places_in_parts(role: reductions.Role) -> None:
    assert count("bar.sync", ptx(reductions.reduction_kernel("argmax", float32, "rows", 1, 1, role))) == 2


def test_running_sums() -> None:
    assert "bar.sync" not in ptx(scans.scan_kernel(float32, "single"))
    assert count("bar.sync", ptx(scans.scan_kernel(float32, "block"))) == 3
    for dtype in (float64, int64, boolean):
        assert has_doubles(ptx(scans.scan_kernel(dtype, "block"))) == (dtype is float64)


def test_lookups() -> None:
    for dtype in BY_NAME.values():
        assert has_doubles(ptx(lookups.lookup_kernel("take", dtype))) == (dtype is float64)
    for dtype, atomic in ((float32, "f32"), (float64, "f64"), (int64, "u64")):
        text = ptx(lookups.lookup_kernel("scatter_add", dtype))
        assert count(rf"(atom|red)\.global\.add\.{atomic}", text) > 0


# ---- products

PRODUCTS: dict[str, tuple[int, Callable[[], Kernel]]] = {  # rows and columns of a thread
    "matmul 128": (8, lambda: matmul.matmul_kernel(float32, tiles.LARGE, 1, "depth", "rows")),
    "matmul 64": (4, lambda: matmul.matmul_kernel(float32, tiles.MEDIUM, 2, "rows", "depth")),
    "matmul 32": (4, lambda: matmul.matmul_kernel(float32, tiles.SMALL, 0, "depth", "rows")),
    "matmul 8": (2, lambda: matmul.matmul_kernel(float32, tiles.TINY, 1, "rows", "rows")),
    "convolution": (4, lambda: convolution.convolution_kernel("output", float32, tiles.MEDIUM)),
    "its weight": (4, lambda: convolution.convolution_kernel("weight", float32, tiles.MEDIUM)),
    "its input": (4, lambda: convolution.convolution_kernel("input", float32, tiles.MEDIUM)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name: str, tmp_path: Path) -> None:
    """Two barriers a strip. What a thread computes stays in registers, where each number that it reads from
    shared memory is used several times, by instructions that multiply and add at once."""
    each, kernel = PRODUCTS[name]
    text = ptx(kernel())
    assert count("bar.sync", text) == 2
    assert count(r"fma\.rn\.f32", text) >= each**2
    assert count(r"fma\.rn\.f32", text) == count(r"ld\.shared\.f32", text) * each / 2
    assert count(r"(ld|st)\.local", text) == 0
    assert not has_doubles(text)
    if shutil.which("ptxas"):  # registers are given out by the assembler
        assert registers(text, tmp_path) <= 168


def registers(text: str, folder: Path) -> int:
    """How many a thread needs; none are kept in memory for want of more."""
    source = folder / "kernel.ptx"
    source.write_text(text, encoding="utf-8")
    command = ["ptxas", "-v", "-arch=sm_80", str(source), "-o", str(folder / "kernel.cubin")]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "0 bytes spill stores, 0 bytes spill loads" in report
    return int(re.findall(r"Used (\d+) registers", report)[0])


@pytest.mark.parametrize("dtype", [float64, int64, boolean], ids=lambda dtype: dtype.name)
def test_products_of_other_types(dtype: DType) -> None:
    text = ptx(matmul.matmul_kernel(dtype, tiles.SMALL, 0, "depth", "rows"))
    assert count("bar.sync", text) == 2
    assert has_doubles(text) == (dtype is float64)
    assert (count(r"fma\.rn\.f64", text) >= 16) == (dtype is float64)
