"""Generated modules and their cache: what must hold when files are damaged, shared or not writable."""

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from engine.compiler import modules

SOURCE = '''"""A generated module: ±1."""
from numba import njit


@njit("f8(f8)", nogil=True, cache=True)
def triple(x):
    return 3.0 * x
'''
USE = """
from engine.compiler import modules
from tests.engine.test_modules import SOURCE
print(modules.load(SOURCE, "test").triple(7.0))
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNROLL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    forget()


def forget() -> None:
    """As if this were a new process."""
    for name in [name for name in sys.modules if name.startswith("unroll_test_")]:
        del sys.modules[name]


def load() -> ModuleType:
    return modules.load(SOURCE, "test")


def files(cache: Path, pattern: str) -> list[Path]:
    return sorted(cache.rglob(pattern))


def test_the_source_is_kept_as_a_file_that_can_be_read(cache: Path) -> None:
    assert load().triple(7.0) == 21.0
    (path,) = files(cache, "*.py")
    assert path.read_text(encoding="utf-8") == SOURCE
    assert path.name.startswith("unroll_test_")
    assert not files(cache, "*.part")


def test_the_same_source_is_the_same_module(cache: Path) -> None:
    assert load() is load()
    assert modules.load(SOURCE + "\nTWO = 2\n", "test").TWO == 2
    assert len(files(cache, "*.py")) == 2


def test_a_second_process_compiles_nothing(cache: Path) -> None:
    load()
    before = {path: path.stat().st_mtime_ns for path in files(cache, "*.nb?")}
    assert len(before) == 2
    forget()
    module = load()
    assert module.triple(2.0) == 6.0
    assert sum(module.triple.stats.cache_hits.values()) == 1
    assert {path: path.stat().st_mtime_ns for path in files(cache, "*.nb?")} == before


@pytest.mark.parametrize("pattern", ["*.py", "*.nbi", "*.nbc"])
@pytest.mark.parametrize("damage", ["empty", "truncated", "garbage"])
def test_damaged_files_are_built_again(cache: Path, pattern: str, damage: str) -> None:
    load()
    (path,) = files(cache, pattern)
    whole = path.read_bytes()
    path.write_bytes(
        {"empty": b"", "truncated": whole[: len(whole) // 2], "garbage": b"\xff\x00\x80" * 99}[damage]
    )
    forget()
    assert load().triple(7.0) == 21.0
    forget()
    assert load().triple(-1.0) == -3.0
    assert files(cache, "*.py")[0].read_text(encoding="utf-8") == SOURCE


def test_a_module_whose_source_is_wrong_raises_and_is_not_kept(cache: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            modules.load("1 / 0", "test")
    assert not [name for name in sys.modules if name.startswith("unroll_test_")]
    assert cache.is_dir()


def test_two_processes_may_start_at_once_with_an_empty_cache(cache: Path) -> None:
    environment = {**os.environ, "UNROLL_CACHE": str(cache)}
    command = [sys.executable, "-c", USE]
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in processes:
        printed, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints.decode()
        assert float(printed) == 21.0
    assert len(files(cache, "*.py")) == 1
    assert not files(cache, "*.part")


def test_a_cache_directory_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("UNROLL_CACHE", str(tmp_path / "file" / "cache"))
    assert load().triple(7.0) == 21.0


@pytest.mark.parametrize("filled", [False, True])
def test_a_cache_directory_that_cannot_be_written(filled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container with a read-only cache, empty or filled when it was built. The test drops root's rights."""
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setenv("UNROLL_CACHE", directory)
        monkeypatch.setenv("HOME", directory)
        load() if filled else modules.load("ONE = 1", "test")  # imports the compiler while it may
        forget()
        for place in (Path(directory), Path(directory, "__pycache__")):
            if place.is_dir():
                place.chmod(0o555)
        as_root = os.geteuid() == 0
        if as_root:
            os.setresuid(65534, 65534, 0)
        try:
            assert load().triple(7.0) == 21.0
        finally:
            if as_root:
                os.setresuid(0, 0, 0)
            for place in (Path(directory), Path(directory, "__pycache__")):
                if place.is_dir():
                    place.chmod(0o755)


@pytest.mark.parametrize("chosen", [None, "relative"])
def test_where_the_cache_is(chosen: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNROLL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    if chosen:
        monkeypatch.setenv("UNROLL_CACHE", str(tmp_path / chosen))
    expected = tmp_path / chosen if chosen else tmp_path / "home" / "unroll"
    assert modules.cache_directory() == expected
    assert expected.is_dir()


def test_compiled_numbers_are_ieee(cache: Path) -> None:
    assert math.isinf(load().triple(1e308))
    assert files(cache, "*.nbc")
