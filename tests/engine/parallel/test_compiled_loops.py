"""What is read out of numba: loops against its own report, machine code against a listing by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from engine.backends.cpu.threads import parallel_is_safe
from engine.compiler.assembly import hot_loop, read
from engine.parallel import simd
from engine.parallel.diagnostics import diagnose, serial
from engine.parallel.loops import LOOPS, LoopName, by_numpy

TEXT = """
f:
	testq	%rdi, %rdi
	jle	.LBB0_9
.LBB0_2:
	vmovss	(%rdi), %xmm0
	vaddss	%xmm0, %xmm1, %xmm1
	decq	%rdi
	jne	.LBB0_2
.LBB0_3:
	xorl	%eax, %eax
.LBB0_4:
	vmovups	(%rsi,%rax,4), %ymm0
	vaddps	%ymm0, %ymm1, %ymm1
	vfmadd231ps	32(%rsi,%rax,4), %ymm2, %ymm3  # multiply and add
	addq	$16, %rax
	.p2align	4
	cmpq	%rax, %rdx
	jne	.LBB0_4
	decq	%rcx
	jne	.LBB0_3
.LBB0_9:
	retq
"""


def test_the_hot_loop_is_the_innermost_that_computes_most() -> None:
    loop = hot_loop(TEXT)
    assert [each.text.split()[0] for each in loop.instructions] == [
        ".LBB0_4:", "vmovups", "vaddps", "vfmadd231ps", "addq", "cmpq", "jne",
    ]  # fmt: skip
    assert (loop.count("vector"), loop.count("scalar"), loop.bits) == (2, 0, 256)
    assert loop.names("vector") == {"vaddps": 1, "vfmadd231ps": 1}
    with pytest.raises(ValueError, match="no loop"):
        hot_loop("f:\n\tretq\n")


@pytest.mark.parametrize(
    ("line", "kind", "bits"),
    [
        ("\tvaddss\t%xmm0, %xmm1, %xmm1", "scalar", 0),
        ("\tmovss\t(%rdi), %xmm1", "move", 0),
        ("\tvdivps\t(%rcx), %zmm0, %zmm0", "vector", 512),
        ("\taddps\t%xmm0, %xmm1", "vector", 128),
        ("\tvmovaps\t%ymm0, (%rdi)", "move", 256),
        ("\tleaq\t8(%rax), %rcx", "address", 0),
        ("\tfadd\tv0.4s, v1.4s, v2.4s", "vector", 128),
        ("\tfadd\ts0, s0, s1", "scalar", 0),
        (".LBB0_1:", "address", 0),
    ],
)
def test_instructions_are_told_apart(line: str, kind: str, bits: int) -> None:
    found = read(line)
    assert (found.kind, found.bits) == (kind, bits)


@pytest.mark.parametrize("name", simd.VARIATIONS)
def test_an_option_decides_about_vectors(name: simd.SimdName) -> None:
    off, on = (simd.compiled(name, switch) for switch in (False, True))
    assert not off.loop.computes_with_vectors
    assert on.loop.computes_with_vectors == (name != "running sum")
    draw = np.random.default_rng(1)
    a, b = (draw.random(1003, np.float32) + np.float32(1) for _ in range(2))
    found = [np.zeros(1003, np.float32) for _ in range(2)]
    for code, out in zip((off, on), found, strict=True):
        code.run(a, b, out)
    exact = {"sum": a.sum(dtype=np.float64), "divide": a / b, "running sum": np.cumsum(a, dtype=np.float64)}
    for out in found:
        assert np.allclose(out[:1] if name == "sum" else out, exact[name], rtol=1e-5)


@pytest.mark.parametrize("name", LOOPS)
def test_loops_are_those_of_numbas_report(name: LoopName, capsys: pytest.CaptureFixture[str]) -> None:
    if not parallel_is_safe():
        pytest.skip("no TBB")
    found = diagnose(name)
    (overload,) = found.run.overloads.values()
    capsys.readouterr()
    overload.metadata["parfor_diagnostics"].dump(1)
    report = capsys.readouterr().out
    listing = [line for line in report.split("|loop #ID\n")[1].splitlines() if "| " in line]
    marked = {
        place: len(line.rpartition("| #")[2].split(", "))
        for place, line in enumerate(listing)
        if re.search(r"\| #\d", line)
    }
    assert marked == {
        line: sum(x.line == line for x in found.loops) for line in {x.line for x in found.loops}
    }
    fused = sum(loop.into != loop.number for loop in found.loops)
    serialised = sum(loop.within is not None for loop in found.loops)
    says = [int(count) for count in re.findall(r"had (\d+) loop\(s\)\s+fused", report)]
    assert sum(says) == fused
    assert sum(map(int, re.findall(r"(\d+) loop\(s\)\s+serialized", report.replace("\n", " ")))) == serialised
    assert found.lines[0].startswith("def ")
    assert not any("type:" in line for line in found.lines)


@pytest.mark.parametrize("name", LOOPS)
def test_loops_compute_what_numpy_does(name: LoopName) -> None:
    *given, out = LOOPS[name].arguments(1024, seed=2)
    serial(name)(*given, out)
    exact = by_numpy(name, *given)
    assert np.allclose(out[: len(exact)], exact, rtol=1e-4)
