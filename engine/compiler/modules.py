"""Generated source as importable modules, kept in the user's cache directory.

A module is a file named by the hash of its source, so a changed generator makes a new file, two
processes that generate the same source write the same bytes, and numba's own on-disk cache (which is
keyed by file) makes the second process start in milliseconds. The file is also what a learner reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType

_loading = threading.RLock()
MOST_BYTES = 1 << 30  # in the cache directory


def cache_directory() -> Path:
    """Where generated code is kept: `UNROLL_CACHE`, else the user's cache directory."""
    chosen = os.environ.get("UNROLL_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = Path(chosen) if chosen else base / "unroll"
    with contextlib.suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
    if os.access(directory, os.W_OK):
        return directory
    # a read-only home must not stop anyone: compile afresh in each process
    return Path(tempfile.mkdtemp(prefix="unroll-"))


def name_of(source: str, purpose: str) -> str:
    """The name of the module with this source."""
    return f"unroll_{purpose}_{hashlib.sha256(source.encode()).hexdigest()[:16]}"


def write(source: str, purpose: str) -> str:
    """Write a module without importing it; its name."""
    name = name_of(source, purpose)
    _write(name, source)
    return name


def load_written(name: str) -> ModuleType:
    """Import a module that has been written."""
    return _import(name, cache_directory() / f"{name}.py")


def load_compiled(name: str) -> None:
    """Import a module that has been written and compiled, if it is not imported yet."""
    with _loading:
        if name not in sys.modules:
            load_written(name)


def is_compiled(name: str, function: str) -> bool:
    """Whether numba has left machine code of a written module's function on disk."""
    lines = (cache_directory() / f"{name}.py").read_text(encoding="utf-8").splitlines()
    first = next(k for k, line in enumerate(lines, 1) if line.startswith("@"))
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    index = f"{name}.{function}-{first}.py{version}.nbi"
    return (cache_directory() / "__pycache__" / index).is_file()


def tidy(most: int = MOST_BYTES) -> None:
    """Delete the modules that have gone unused for longest, if the directory holds more than `most` bytes.

    Whoever has loaded one keeps it; whoever needs it again compiles it again.
    """
    directory = cache_directory()
    sizes: dict[str, int] = {}
    times: dict[str, float] = {}
    for path in (*directory.glob("unroll_*"), *directory.glob("__pycache__/unroll_*")):
        with contextlib.suppress(OSError):  # another process may be tidying too
            name, status = path.name.partition(".")[0], path.stat()
            sizes[name] = sizes.get(name, 0) + status.st_size
            times[name] = max(times.get(name, 0.0), status.st_atime, status.st_mtime)
    total = sum(sizes.values())
    for name in sorted(times, key=times.__getitem__):
        if total <= most:
            return
        for path in (*directory.glob(f"{name}.*"), *directory.glob(f"__pycache__/{name}.*")):
            path.unlink(missing_ok=True)
        total -= sizes[name]


def load(source: str, purpose: str) -> ModuleType:
    """Import `source` as a module; `purpose` is the readable part of the file's name."""
    name = name_of(source, purpose)
    with _loading:  # nobody sees a module that is still being executed
        return sys.modules[name] if name in sys.modules else _load(name, source)


def _load(name: str, source: str) -> ModuleType:
    path = _write(name, source)
    try:
        return _import(name, path)
    except Exception:  # a damaged compiled file may raise anything: compile once more from source
        for stale in (path.parent / "__pycache__").glob(f"{name}*"):
            stale.unlink(missing_ok=True)
        return _import(name, path)


def _write(name: str, source: str) -> Path:
    path = cache_directory() / f"{name}.py"
    if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != source:
        _write_atomically(path, source)
    return path


def _import(name: str, path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # before execution: numba refers to the module by name in its cache
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _write_atomically(path: Path, text: str) -> None:
    """A reader in another process sees the whole file or none of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)
