"""Compiling without anyone waiting: in another process, whose kernels this one then loads from disk.

numba compiles under the interpreter's lock, which would stall every thread of this process for tenths of a
second. The other process leaves its kernels in the cache directory, from where loading one takes some
milliseconds.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from engine.compiler import modules

_waiting: queue.Queue[Any] = queue.Queue()
_starting = threading.Lock()
_thread: threading.Thread | None = None


def compile_soon(executable: Any) -> None:
    """Have an executable compiled; it works meanwhile, more slowly."""
    global _thread
    with _starting:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_work, name="unroll-compile", daemon=True)
            _thread.start()
    _waiting.put(executable)


def settle() -> None:
    """Wait until all that was asked for is compiled."""
    _waiting.join()


def _work() -> None:
    modules.tidy()
    while True:
        executable = _waiting.get()
        try:
            _compile_elsewhere(executable.missing())
            executable.compile()
        except Exception as error:  # the executable goes on as it is
            sys.stderr.write(f"unroll: compiling failed, and the slower path stays in use: {error}\n")
        finally:
            _waiting.task_done()


def _compile_elsewhere(missing: list[str]) -> None:
    """Compile modules of the cache directory in a process of its own, which leaves them on disk."""
    if not missing:
        return
    command = [sys.executable, "-m", "engine.compiler.worker"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            command,
            input="\n".join(missing),
            text=True,
            cwd=Path(__file__).resolve().parents[2],
            timeout=300,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
