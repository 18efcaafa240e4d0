"""The experiments as PyTorch code to take away; numpy where PyTorch does not round every step."""

from __future__ import annotations

from engine.export import torch_code as program_code
from engine.studies.bit_conventions import TORCH
from engine.studies.error_growth import ErrorGrowthResult
from engine.studies.error_growth_cancellation import CancellationFound
from engine.studies.error_growth_rounding import RoundingFound

COMPUTING = ("fp64", "fp32", "fp16", "bf16")  # torch adds in these; fp8 it only stores


def torch_code(result: ErrorGrowthResult) -> str:
    """Python source of the chosen experiment; in float32 where torch does not compute in the format."""
    setup, found = result.setup, result.found
    name = setup.format if setup.format in COMPUTING else "fp32"
    kind = f"torch.{TORCH.types[name]}"
    note = "" if name == setup.format else f"# torch does not compute in {setup.format}\n"
    if isinstance(found, CancellationFound):
        return note + program_code(found.program, found.values).replace("torch.float64", kind)
    if isinstance(found, RoundingFound):
        return _rounding(found, setup.draws, setup.seed)
    lines = {
        "Epsilon": _epsilon(kind),
        "Sums and dots": _sums(setup.longest, setup.seed),
        "Stagnation": _stagnation(kind, setup.term, setup.count),
        "Order and threads": _order(kind, setup.length, setup.seed),
    }[setup.experiment]
    return note + "\n".join([*lines, ""])


def _epsilon(kind: str) -> list[str]:
    return [
        "import torch",
        "",
        f"one = torch.tensor(1.0, dtype={kind})",
        "added = one",
        "while one + added / 2 > 1:",
        "    added = added / 2",
        f"print(added.item(), torch.finfo({kind}).eps)",
    ]


def _sums(longest: int, seed: int) -> list[str]:
    return [
        "import numpy",
        "import torch",
        "",
        f"random = numpy.random.default_rng({seed})",
        f"for k in range(4, {longest + 1}):",
        "    x = random.uniform(size=2**k).astype('float32')",
        "    exact = x.astype('float64').sum()",
        "    naive = numpy.cumsum(x, dtype='float32')[-1]  # rounds every partial sum",
        "    in_torch = torch.from_numpy(x).sum().item()  # several partial sums at once",
        "    print(2**k, abs(naive - exact) / exact, abs(in_torch - exact) / exact)",
    ]


def _stagnation(kind: str, term: float, count: int) -> list[str]:
    return [
        "import torch",
        "",
        f"term = torch.tensor({term!r}, dtype={kind})",
        "total = torch.zeros_like(term)",
        f"for _ in range({count}):",
        "    total += term",
        "print(total.item())",
    ]


def _order(kind: str, length: int, seed: int) -> list[str]:
    return [
        "import torch",
        "",
        f"x = torch.rand({length}, generator=torch.Generator().manual_seed({seed})).to({kind})",
        "for threads in (1, 2, 3, 4, 8, 16):",
        "    total = torch.zeros((), dtype=x.dtype)",
        "    for share in x.tensor_split(threads):",
        "        part = torch.zeros_like(total)",
        "        for number in share:",
        "            part = part + number",
        "        total = total + part",
        "    print(threads, repr(total.item()))",
    ]


def _rounding(found: RoundingFound, draws: int, seed: int) -> str:
    below, above = float(found.below), float(found.above)
    return "\n".join(
        [
            "import torch",
            "",
            f"number, below, above = {float(found.number)!r}, {below!r}, {above!r}",
            f"source = torch.Generator().manual_seed({seed})",
            f"draws = torch.rand({draws}, generator=source, dtype=torch.float64)",
            "rounded = torch.where(draws < (number - below) / (above - below), above, below)",
            "print(rounded.mean().item(), number, (rounded == above).sum().item())",
            "",
        ]
    )
