"""How many threads a large kernel may use, and whether it may use more than one at all.

numba's own `workqueue` layer aborts the process when two threads enter parallel kernels at once, which is
what a web server does; `omp` stalls when the cores are busy. So kernels run in parallel through TBB or not
at all. The wheel `tbb` puts its library where the loader does not look, so it is loaded by path.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import numba

WORTHWHILE = 1 << 17  # elements; below this, starting threads costs more than they save

_threads: ContextVar[int] = ContextVar("threads", default=0)


@cache
def parallel_is_safe() -> bool:
    """Whether TBB is here. The first call chooses it as numba's threading layer, for good."""
    if not _load_tbb():
        return False
    numba.config.THREADING_LAYER = "tbb"
    return True


def _load_tbb() -> bool:
    for folder in (Path(sys.prefix) / "lib", Path(sys.base_prefix) / "lib"):
        for library in sorted(folder.glob("libtbb.so.12*")) or sorted(folder.glob("libtbb.12*.dylib")):
            try:
                ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
                importlib.import_module("numba.np.ufunc.tbbpool")  # fails where TBB is too old
            except (OSError, ImportError):
                continue
            return True
    return False


def get_num_threads() -> int:
    """Threads that a large kernel uses in this context."""
    chosen = _threads.get() or min(numba.config.NUMBA_NUM_THREADS, len(os.sched_getaffinity(0)))
    return chosen if chosen == 1 or parallel_is_safe() else 1


def set_num_threads(threads: int) -> None:
    """Use this many threads for large kernels in this context; 0 means as many as there are cores."""
    if threads < 0:
        raise ValueError(f"the number of threads cannot be negative, got {threads}")
    _threads.set(threads)
