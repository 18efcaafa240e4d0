"""Machine code: loops and vector instructions found in assembly written by hand, and in a kernel's own."""

from __future__ import annotations

import engine
from engine.backends.cpu.vectors import VECTOR_BYTES
from engine.compiler.assembly import JUMP, read
from engine.compiler.machine import innermost_loops, machine_code
from engine.compiler.native import Code
from engine.compiler.step import trace

X86 = """\
kernel:
    pushq    %rbp
.LBB0_1:
    xorl    %eax, %eax
.LBB0_2:
    vmovups    (%rsi,%rax,4), %zmm0
    vfmadd213ps    %zmm1, %zmm0, %zmm2
    vaddss    %xmm1, %xmm0, %xmm2
    addq    $16, %rax
    jne    .LBB0_2
    decq    %rbx
    jne    .LBB0_1
    retq""".splitlines()
ARM = """\
kernel:
.LBB0_1:
    ldr    q0, [x1], #16
    fmla    v1.4s, v0.4s, v2.4s
    fadd    s0, s0, s1
    b.ne    .LBB0_1
    ret""".splitlines()


def test_the_inner_loop_is_found_and_its_vector_instructions_are_counted() -> None:
    (loop,) = innermost_loops(X86)
    assert (loop.first, loop.last, loop.vectors) == (4, 9, 2)
    (loop,) = innermost_loops(ARM)
    assert (loop.first, loop.last, loop.vectors) == (1, 5, 1)


def test_one_number_in_a_vector_register_is_no_vector() -> None:
    assert {line.split()[0]: read(line).bits for line in X86 if read(line).bits} == {
        "vmovups": 512,
        "vfmadd213ps": 512,
    }
    assert [line.split()[0] for line in ARM if read(line).bits] == ["fmla"]


def test_a_kernels_own_machine_code() -> None:
    executable = trace(lambda x, y: x * y + y, (engine.randn(50), engine.randn(50))).executable
    (kernel,) = executable.kernels.values()
    found = machine_code(Code(kernel.source, "nest"))
    assert found.llvm.lines[0].startswith("define ")
    assert found.llvm.lines[-1] == "}"
    assert "@kernel(" in found.llvm.lines[0]
    assert found.assembly.lines[0] == "kernel:"
    assert found.loops
    for loop in found.loops:
        label = found.assembly.lines[loop.first].rstrip(":")
        jump = JUMP.match(found.assembly.lines[loop.last])
        assert jump is not None
        assert jump[1] == label
    if VECTOR_BYTES:
        assert found.bits >= 128
        assert max(loop.vectors for loop in found.loops) >= 3  # two loads and a store, at least
