"""README says that adding an operator is adding a row. Here its example row is added, and nothing else."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TENSORS = """
import numpy as np, torch
import engine
values = np.linspace(-3, 3, 24).reshape(4, 6)
for name in ("reference", "cpu", "simulator"):
    x = engine.tensor(values, device=name, requires_grad=True)
    y = torch.tensor(values, requires_grad=True)
    found, expected = engine.softsign(x[:, ::2] * 2.0), torch.nn.functional.softsign(y[:, ::2] * 2.0)
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-12)
    found.square().sum().backward()
    expected.square().sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-12)
assert x.softsign().dtype is engine.float64
print("agreed")
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with README's row in the table."""
    copy = tmp_path_factory.mktemp("house")
    for folder in ("engine", "app", "pages", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    found = re.search(
        r"```python\n(softsign = row\(.*?\))\n```", (ROOT / "README.md").read_text("utf-8"), re.S
    )
    assert found
    table = copy / "engine" / "primitives.py"
    text = table.read_text("utf-8")
    place = text.index("# ---- choices")
    table.write_text(f"{text[:place]}{found.group(1)}\n\n{text[place:]}", "utf-8")
    return copy


def run(house: Path, *arguments: str) -> str:
    ran = subprocess.run([sys.executable, *arguments], cwd=house, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_tensors_have_it_on_every_backend(house: Path) -> None:
    assert "agreed" in run(house, "-c", TENSORS)


def test_the_tests_of_the_table_pick_it_up(house: Path) -> None:
    options = ("-q", "-k", "softsign", "-p", "no:cacheprovider")
    ran = run(house, "-m", "pytest", *options, "tests/engine/test_primitives.py", "tests/engine/test_tape.py")
    passed = re.search(r"(\d+) passed", ran)
    assert passed
    assert int(passed.group(1)) >= 8


def test_the_pages_and_the_language_have_it(house: Path) -> None:
    command = "import sys; from app.command import main; sys.exit(main(sys.argv[1:]))"
    assert "f(x)" in run(house, "-c", command, "operators", "--operator", "softsign", "--x", "0.5")
    assert run(house, "-c", command, "graph", "--program", "softsign(x) * 2", "--values", '{"x": 3.0}')
