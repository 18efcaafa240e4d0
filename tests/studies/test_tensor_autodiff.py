"""Tensor autodiff against torch: gradients, what is kept for them, Jacobians, folding, and bad programs."""

from __future__ import annotations

import random
import re
from typing import Any

import numpy as np
import pytest
import torch

from engine.studies.tensor_autodiff import (
    EXAMPLES,
    STUDY,
    TOLERANCES,
    TensorAutodiffResult,
    TensorAutodiffSetup,
    agree,
    inputs,
    kept_by_torch,
    kept_bytes,
    other_than_torch,
)
from engine.studies.tensor_autodiff_gallery import RESIDUAL
from engine.studies.tensor_autodiff_graph import operator_name
from engine.studies.tensor_autodiff_language import FUNCTIONS
from engine.studies.tensor_autodiff_node import look, numbers
from engine.studies.tensor_autodiff_torch import by_torch, replay

FOLDS = ("every operator", "functions", "loops")
# Every function of the language with tensors that it takes.
CALLS = [
    "exp(x)", "log(square(x) + 1)", "sqrt(square(x) + 0.1)", "sin(x)", "cos(x)", "abs(x)", "tanh(x)",
    "sigmoid(x)", "relu(x)", "gelu(x)", "softplus(x)", "maximum(x, y)", "minimum(x, y)", "maximum(x, 0.5)",
    "where(x > 0, x, y)", "where(x <= y, x, 0.0)", "sum(x, dim=1)", "mean(x, dim=(0, 1), keepdim=True)",
    "var(x, dim=0)", "amax(x, dim=1)", "amin(x, dim=1)", "cumsum(x, dim=0)", "logsumexp(x, dim=1)",
    "softmax(x, dim=1)", "log_softmax(x, dim=0)", "reshape(x, (3, 4))", "permute(x, (1, 0))",
    "transpose(x, 0, 1)", "squeeze(unsqueeze(x, 0), 0)", "flatten(x)", "tril(x)", "cat((x, D), dim=1)",
    "matmul(x, y.T)", "layer_norm(x, (3,), w, w)", "cross_entropy(x, t)", "mse_loss(x, y, reduction='sum')",
    "conv1d(reshape(x, (1, 4, 3)), k)", "conv2d(reshape(x, (1, 1, 4, 3)), K, padding=1, stride=2)",
    "max_pool2d(reshape(x, (1, 1, 4, 3)), 2)", "avg_pool2d(reshape(x, (1, 1, 4, 3)), 2)",
    "x / y", "x / 2", "2 / x", "x ** 2", "2 ** x", "square(x) ** w", "0.1 * x", "1 - x", "-x", "x * D",
    "D / x", "x @ D.T", "conv2d(reshape(D, (1, 1, 4, 3)), K)", "x.sum(dim=0)", "(x > 0) * x", "x @ w",
]  # fmt: skip
DECLARED = (
    "x = parameter(4, 3)\ny = parameter(4, 3)\nw = parameter(3)\nD = data(4, 3)\nt = classes(4, 3)\n"
    "K = parameter(2, 1, 2, 2)\nk = parameter(2, 4, 2)\n"
)


def run(program: str = "", **fields: Any) -> TensorAutodiffResult:
    return STUDY.run(TensorAutodiffSetup(**({"program": program} if program else {}), **fields))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_agree_with_torch(name: str, dtype: str) -> None:
    result = STUDY.run(EXAMPLES[name].model_copy(update={"dtype": dtype}))
    checks = STUDY.check(result)
    assert len(checks) > 4
    assert [check for check in checks if not check.passed] == []


def test_every_function_has_the_gradients_and_keeps_the_bytes_of_torch() -> None:
    """Operators that keep something else are named with the reason, and are exactly these."""
    different = set()
    for call in CALLS:
        for dtype in ("float32", "float64"):
            result = run(f"{DECLARED}z = {call}\nsum(square(z))", dtype=dtype, fold="every operator")
            assert all(check.passed for check in STUDY.check(result)), call
            there = replay(result.nodes, result.sweep.output)
            for node in result.nodes:
                if node.kind != "operator":
                    continue
                if kept_bytes(result, node) != there.kept[node.position]:
                    assert other_than_torch(node), call
                    different.add(operator_name(node))
    assert different == {"maximum", "div", "convolution"}


def test_the_language_has_no_function_that_is_not_tried() -> None:
    written = " ".join(CALLS) + " square( mean("
    assert [name for name in FUNCTIONS if f"{name}(" not in written] == []


def random_program(generator: random.Random) -> str:
    """Lines of matrices [3, 3] that use earlier ones, some of them never used again."""
    names = ["x", "D", "W"]
    lines = ["x = parameter(3, 3)", "D = data(3, 3)", "W = parameter(3, 3)"]
    unary = ("tanh", "sigmoid", "square", "relu", "sin")
    for k in range(generator.randint(3, 12)):
        a, b = generator.choice(names), generator.choice(names)
        made = generator.choice(
            (f"{a} @ {b}", f"{a} + {b}", f"{a} * {b}", f"{generator.choice(unary)}({a})", f"{a} - 0.5 * {b}",
             f"softmax({a}, dim={generator.randint(0, 1)})", f"{a}.T", f"tanh({a}) @ mean({b}, dim=1)")
        )  # fmt: skip
        if "mean" in made:
            made = f"({made}) * {a}"
        lines.append(f"v{k} = tanh({made})" if "@" in made else f"v{k} = {made}")
        names.append(f"v{k}")
    return "\n".join([*lines, f"mean(square({names[-1]} + 0.1 * x))"])


def test_random_programs_have_torchs_gradients_on_every_name_and_node() -> None:
    generator = random.Random(3)
    for _ in range(60):
        dtype = generator.choice(("float32", "float64"))
        result = run(random_program(generator), dtype=dtype, seed=generator.randint(0, 999))
        there = by_torch(result.program, result.sizes, inputs(result))
        tolerance = TOLERANCES[dtype]
        assert abs(result.output.tensor.item() - there.output) <= tolerance * max(1.0, abs(there.output))
        positions = {node.name: node for node in result.nodes if node.name}
        for name, expected in there.gradients.items():
            assert agree(expected, result.gradient(positions[name]), tolerance), (result.program.source, name)
        each = replay(result.nodes, result.sweep.output)
        for node in result.nodes:
            if node.tensor.requires_grad:
                assert agree(each.gradients[node.position], result.gradient(node), tolerance)


# ---- memory


def test_the_bytes_kept_by_a_perceptron_are_those_counted_by_hand() -> None:
    """Relu needs its operand, both products their other operand; the loss its own parts. float32: 4 bytes."""
    result = run(
        "x = data(4, 3)\nW = parameter(3, 5)\nV = parameter(5, 2)\n"
        "h = relu(x @ W)\np = h @ V\nsum(square(p))"
    )  # fmt: skip
    names = {node.name: node.position for node in result.nodes if node.name}
    saved = {entry.node: entry for entry in result.memory.saved}
    product = result.nodes[names["h"]].operands[0]
    assert {saved[k].bytes for k in (product, names["h"], names["p"])} == {4 * 4 * 5, 4 * 4 * 2}
    assert saved[names["x"]].is_input
    assert saved[names["V"]].is_input
    assert max(result.memory.kept) == 4 * (20 + 20 + 8)
    assert result.memory.inputs == 4 * (12 + 15 + 10)
    assert result.memory.kept[-1] == 0  # the last operator back is x @ W, which needs x alone
    assert result.memory.gradients[-1] == 4 * (15 + 10)


def test_what_is_kept_grows_forward_and_shrinks_back() -> None:
    for name in EXAMPLES:
        memory = STUDY.run(EXAMPLES[name]).memory
        turn = len(STUDY.run(EXAMPLES[name]).parts)
        assert list(memory.kept[: turn + 1]) == sorted(memory.kept[: turn + 1])
        assert list(memory.kept[turn:]) == sorted(memory.kept[turn:], reverse=True)


def test_views_are_kept_once_and_what_is_never_used_is_never_freed() -> None:
    twice = run("x = parameter(4, 3)\na = tanh(x)\nsum(square(a)) + sum(square(a.T))")
    assert max(twice.memory.kept) == 4 * 12  # a, for tanh and both squares
    unused = run("x = parameter(4, 3)\nb = square(tanh(x))\nsum(x)")
    assert unused.memory.kept[-1] == 4 * 12
    assert all(entry.dies is None for entry in unused.memory.saved)


def test_torch_keeps_as_many_bytes_over_the_whole_program() -> None:
    """The union of all storages that torch saves for our operators, counted by torch's own hooks."""
    result = STUDY.run(EXAMPLES["deep residual"])
    storages: dict[int, int] = {}

    def pack(tensor: Any) -> Any:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    values = iter(inputs(result))
    x = torch.tensor(next(values))
    held = [x]
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        for _ in range(result.sizes["depth"]):
            weight, bias = (torch.tensor(next(values), requires_grad=True) for _ in range(2))
            held += [weight, bias]
            x = x + torch.tanh(x @ weight + bias)
        torch.mean(torch.square(x))
    for tensor in held:
        storages.pop(tensor.untyped_storage().data_ptr(), None)
    assert max(result.memory.kept) == sum(storages.values()) == kept_by_torch(result)


def test_a_fused_operator_keeps_less_than_its_parts() -> None:
    """torch keeps the logarithms of the softmax (4 × 3) and one number for the mean, beside the classes."""
    result = run("x = parameter(4, 3)\nt = classes(4, 3)\ncross_entropy(x, t)")
    assert kept_by_torch(result) == 4 * (12 + 1) < max(result.memory.kept)


def test_a_result_larger_than_its_operands_is_pointed_out() -> None:
    found = STUDY.run(EXAMPLES["broadcasting bug"]).grown()
    assert found is not None
    assert (found.name, found.tensor.shape) == ("e", (4, 4))
    assert STUDY.run(EXAMPLES["perceptron"]).grown() is None


# ---- one node


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("mode", FOLDS)
def test_a_jacobian_is_torchs_and_its_rows_combine_to_what_is_sent(name: str, mode: str) -> None:
    result = STUDY.run(EXAMPLES[name].model_copy(update={"fold": mode, "dtype": "float64"}))
    for part in result.parts[:: max(1, len(result.parts) // 12)]:
        view = look(result.nodes, result.parts, part, result.sweep)
        for operand in view.operands:
            if operand.jacobian is None:
                assert not operand.needs_gradient or operand.values.size * view.values.size > 4096
                continue
            assert operand.jacobian.shape == (view.values.size, operand.values.size)
            if view.upstream is not None and operand.sent is not None and len(_outputs(result, part)) == 1:
                combined = view.upstream.reshape(-1) @ operand.jacobian
                assert np.allclose(combined, operand.sent.reshape(-1), atol=1e-12)


def _outputs(result: TensorAutodiffResult, part: Any) -> set[int]:
    """The members of a part that others use, or that are the output."""
    inside = {node.position for node in part.members}
    used = {s for node in result.nodes if node.position not in inside for s in node.sources}
    return {p for p in inside if p in used or p == result.sweep.output}


@pytest.mark.parametrize(
    ("call", "function"),
    [
        ("x @ w", lambda x, w: x @ w),
        ("amax(x, dim=1)", lambda x, w: x.amax(1)),
        ("x + w", lambda x, w: x + w),
        ("x.T", lambda x, w: x.T),
    ],
)
def test_jacobians_are_torchs(call: str, function: Any) -> None:
    result = run(f"x = parameter(4, 3)\nw = parameter(3)\nz = {call}\nsum(square(z))", dtype="float64")
    positions = {node.name: node for node in result.nodes if node.name}
    part = result.part_of(positions["z"].position)
    view = look(result.nodes, result.parts, part, result.sweep)
    x, w = (torch.tensor(positions[n].tensor.detach().numpy()) for n in ("x", "w"))
    for operand in view.operands:
        of_x = result.nodes[operand.node].name == "x"
        varied = (lambda v: function(v, w)) if of_x else (lambda v: function(x, v))
        block = torch.autograd.functional.jacobian(varied, x if of_x else w)
        expected = block.reshape(view.values.size, -1).numpy()
        assert operand.jacobian is not None
        assert np.allclose(operand.jacobian, expected, atol=1e-12)
        assert operand.nonzeros == np.count_nonzero(expected)
    assert len(view.operands) == (2 if "w" in call else 1)


def test_a_jacobian_that_is_too_large_is_not_made() -> None:
    result = run("x = parameter(20, 20)\nz = tanh(x)\nsum(z)", node="t1")
    assert result.opened is not None
    assert result.opened.operands[0].jacobian is None
    assert result.opened.operands[0].needs_gradient


# ---- folding


def test_folding_keeps_every_tensor_and_makes_no_circle() -> None:
    for setup in EXAMPLES.values():
        for mode in FOLDS:
            result = STUDY.run(setup.model_copy(update={"fold": mode}))
            members = sorted(node.position for part in result.parts for node in part.members)
            assert members == list(range(len(result.nodes)))
            order = {part.id: place for place, part in enumerate(result.parts)}
            assert all(order[source] < order[part.id] for part in result.parts for source in part.operands)
            last = {p: numbers(g) for p, g in result.sweep.gradients.items()}
            whole = {p: numbers(g) for p, g in STUDY.run(setup).sweep.gradients.items()}
            assert all(np.array_equal(last[p], whole[p], equal_nan=True) for p in whole)


def test_a_folded_call_is_joined_to_all_its_arguments() -> None:
    """Classes leave no history, but the loss depends on them."""
    result = run()
    loss = result.parts[-1]
    assert loss.group is not None
    assert loss.group.title == "cross_entropy"
    names = {result.part_of(int(source[1:])).main.name for source in loss.operands}
    assert names == {"z", "t"}


def test_turns_of_a_loop_fold_and_one_of_them_unfolds() -> None:
    folded = run(RESIDUAL, sizes={"n": 2, "d": 3, "depth": 20}, fold="loops")
    titles = [part.group.title for part in folded.parts if part.group]
    assert titles[:20] == [f"k = {k}" for k in range(20)]
    group = next(part.group.id for part in folded.parts if part.group and part.group.title == "k = 7")
    opened = run(RESIDUAL, sizes={"n": 2, "d": 3, "depth": 20}, fold="loops", toggled=group)
    assert len(opened.parts) == len(folded.parts) + 5  # W, bias, @, +, tanh and + in place of one
    assert "W[7]" in {part.main.name for part in opened.parts}


def test_five_hundred_nodes_are_not_too_many() -> None:
    result = run(RESIDUAL, sizes={"n": 2, "d": 3, "depth": 83}, fold="every operator")
    assert len(result.parts) > 500
    with pytest.raises(ValueError, match="more than 1000 tensors"):
        run(f"x = parameter(2)\nfor k in range(200):\n    x = {' + '.join(['tanh(x)'] * 3)}\nsum(x)")


# ---- what cannot be


@pytest.mark.parametrize(
    ("program", "said", "line"),
    [
        ("", "there is no program yet", 1),
        ("x = parameter(n)", "the last line must be an expression", 1),
        ("x = parameter(3)\nx", "must be one number, and this has shape (3,)", 2),
        ("x = data(3)\nsum(x)", "depends on no parameter", 2),
        ("x = parameter(3)\nsum(foo(x))", "there is no function “foo”", 2),
        ("x = parameter(3)\nsum(x.__class__)", "not part of the language", 2),
        ("x = parameter(3)\nimport os\nsum(x)", "this kind of line is not read", 2),
        ("x = parameter(3)\nsum(x, dims=0)", "no option “dims”", 2),
        ("x = parameter(4, 3)\nsum(x @ x)", "dimension 1 of the first is 3", 2),
        ("x = parameter(4, 3)\nsum(x + parameter(3))", "stands alone on the right of a line", 2),
        ("x = parameter(2)\ny = x + zz\nzz = x\nsum(y)", "“zz” is used before it gets a value", 3),
        ("x = parameter(1.5)\nsum(x)", "lengths are whole numbers", 1),
        ("x = parameter(200, 200)\nsum(x)", "has 40,000 elements", 1),
        ("x = parameter(128, 1)\ny = parameter(1, 1, 1024)\nsum(x * y)", "has 131,072 elements", 3),
        ("for k in range(300):\n    x = parameter(2)\nsum(x)", "0 to 200 turns", 1),
        ("x = parameter(2)\nfor k in range(2):\n    x = x[0]\nsum(x)", "not part of the language", 3),
        ("x = parameter(2)\nsum(x ** 2 ** 2 ** 2 ** 2 ** 2)", "exponent is too large", 2),
        ("sum = parameter(2)\nsum(sum)", "is a function: choose another name", 1),
        ("x = parameter(2)\nsum(" + "(" * 50 + "x" + ")" * 50 + ")", "brackets are open", 2),
        ("x = parameter(2)\nsum(" + "x + " * 90 + "x)", "levels deep", 2),
        ("x = parameter(2)\nsum(" + "-" * 3000 + "x)", "cannot be read", 1),
        ("x = parameter(2)\nsum(x" + " " * 5000 + ")", "too long", 1),
        ("x = parameter(2)\nsum(conv2d(reshape(x, (1, 1, 1, 2)), reshape(x, (1, 1, 1, 2)), padding=99))",
         "number is too large", 2),
    ],
)  # fmt: skip
def test_what_is_not_a_program_says_why_and_where(program: str, said: str, line: int) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        run(program) if program else STUDY.run(TensorAutodiffSetup(program=""))
    assert getattr(refused.value, "line", line) == line


def test_a_size_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="the size n is 500; from 1 to 128"):
        run("x = parameter(n)\nsum(x)", sizes={"n": 500})


def test_numbers_that_are_none_are_shown_and_agree_with_torch() -> None:
    result = run("x = parameter(3)\nsum(log(x - 100))")
    assert np.isnan(result.output.tensor.item())
    assert all(check.passed for check in STUDY.check(result))


def test_the_study_gives_what_a_page_shows() -> None:
    result = run(node="t6")
    assert result.opened is not None
    assert result.opened.part.id == "t6"
    assert result.summary()["tensors"] == len(result.nodes)
    columns = result.table()
    assert {len(column) for column in columns.values()} == {len(result.nodes)}
