"""Compiling without anyone waiting: in another process, whose kernels this one then loads from disk.

numba compiles under the interpreter's lock, which would stall every thread of this process for tenths of a
second. The other process leaves its kernels in the cache directory, from where loading one takes some
milliseconds.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.compiler import modules
from engine.compiler.native import Code, dispatcher, missing

SHORT = 0.0002  # seconds that another thread waits for the interpreter while kernels are loaded
IDLE = 20.0  # seconds without work after which the other process ends
PATIENCE = 5.0  # seconds that it may take for that

# (0, number, executable all of whose kernels are wanted) or, after these, (1, number, single module)
_wanted: queue.PriorityQueue[tuple[int, int, Any]] = queue.PriorityQueue()
_number = itertools.count()
_lock = threading.Lock()
_interval = threading.Lock()
_asked: set[Code] = set()
_ready: set[Code] = set()
_thread: threading.Thread | None = None


def compile_soon(executable: Any) -> None:
    """Have an executable compiled; it works meanwhile, more slowly. If its kernels lie on disk, they are
    loaded at once: another thread would take longer, for it could only work in turns with this one."""
    if executable.missing():
        _put(executable)
        return
    with _giving_way():
        executable.compile()


def is_ready(code: Code) -> bool:
    """Whether a kernel has been loaded, or lies on disk for the caller to load; if not, it is being compiled
    and loaded from now on.

    What is on disk when it is first asked for is loaded at once, so that a program that is run again computes
    the same bits from the first call on.
    """
    if code in _ready:
        return True
    with _lock:
        new = code not in _asked
        _asked.add(code)
    if new and not missing([code]):
        _ready.add(code)
        return True
    if new:
        _put(code)
    return False


def settle() -> None:
    """Wait until all that was asked for is compiled."""
    _wanted.join()


def _put(item: Any) -> None:
    global _thread
    with _lock:
        _wanted.put((int(isinstance(item, Code)), next(_number), item))
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_work, name="unroll-compile", daemon=True)
            _thread.start()


def _work() -> None:
    modules.tidy()
    worker = _Worker()
    while True:
        try:
            _, _, item = _wanted.get(timeout=IDLE)
        except queue.Empty:
            worker.end()
            continue
        try:
            _compile(item, worker)
        except Exception as error:  # whoever asked goes on without
            sys.stderr.write(f"unroll: compiling failed, and the slower path stays in use: {error}\n")
        finally:
            _wanted.task_done()


def _compile(item: Any, worker: _Worker) -> None:
    if isinstance(item, Code):
        worker.compile(missing([item]))
        with _giving_way():
            dispatcher(item)
        _ready.add(item)
        return
    worker.compile(item.missing())
    with _giving_way():
        item.compile()


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let other threads have the interpreter soon after they ask for it.

    Loading kernels is work for the interpreter, up to half a second for the first. A step of a training
    loop lets the interpreter go some forty times, and by default it would wait 5 ms each time.
    """
    with _interval:  # one at a time, so that the usual interval is what is found, and comes back
        before = sys.getswitchinterval()
        sys.setswitchinterval(SHORT)
        try:
            yield
        finally:
            sys.setswitchinterval(before)


class _Worker:
    """The other process, started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def compile(self, names: list[str]) -> None:
        """Compile modules of the cache directory, and wait until they are done or the process has ended.

        Each is loaded here while the next is compiled there.
        """
        if not names:
            return
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "engine.compiler.worker"],
                cwd=Path(__file__).resolve().parents[2],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write("".join(f"{name}\n" for name in names))
            self._process.stdin.flush()
            for name in names:
                if not self._process.stdout.readline():
                    return
                with _giving_way(), contextlib.suppress(Exception):  # whoever asked will see the error
                    modules.load_compiled(name)

    def end(self) -> None:
        """Have the process end, if there is one."""
        if self._process is not None:
            try:
                self._process.communicate(timeout=PATIENCE)
            except (OSError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait()
            self._process = None
