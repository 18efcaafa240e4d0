"""The rules of the house that a reader relies on: which way imports point, and what is never called."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.catalog import ROOT

# Each folder may not import from these.
FORBIDDEN = {
    "engine": {"streamlit", "plotly", "app", "pages"},
    "app": {"pages"},
    "pages": {"pages"},
}
NEVER_CALLED = {"eval", "exec", "compile"}
NEVER_IMPORTED = {"pickle", "shelve", "marshal"}
LONGEST_FILE = 400  # lines


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).split(".")[0]


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_point_one_way(folder: str) -> None:
    for path in sources(folder):
        names = set(imported(ast.parse(path.read_text("utf-8"))))
        assert not names & (FORBIDDEN[folder] | NEVER_IMPORTED), path


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_no_text_is_ever_run_as_python(folder: str) -> None:
    for path in sources(folder):
        names = set(called(ast.parse(path.read_text("utf-8"))))
        assert not names & (NEVER_CALLED | {"torch.load"}), path


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_every_file_can_be_read_in_one_sitting(folder: str) -> None:
    files = [*sources(folder), *(ROOT / folder).rglob("*.js"), *(ROOT / folder).rglob("*.css")]
    assert all(len(path.read_text("utf-8").splitlines()) <= LONGEST_FILE for path in files)
