"""Heavy imports and first computations, done in the background before a visitor needs them."""

import gc
import importlib
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HEAD_START = 2.0  # seconds left to whoever opens the first page at once: imports would halve its speed
TURN = 0.001  # seconds for which a thread that trains may keep the interpreter from those that serve pages

logger = logging.getLogger(__name__)


def start() -> threading.Timer:
    """Start warming up, shortly, in the background. It never keeps the server from stopping."""
    sys.setswitchinterval(TURN)
    timer = threading.Timer(HEAD_START, warm_up)
    timer.daemon = True
    timer.start()
    return timer


def warm_up() -> None:
    """Run every study once with its check, which imports what it needs late; load the tape's kernels.

    What is loaded then stays for good, so it is taken out of the garbage collector's sight: with torch
    and numba imported, a full collection stops every visitor for 200 ms.
    """
    from engine import studies, tape
    from engine.studies import ladder_cache

    for name in studies.NAMES:
        with tolerated(name):
            study = studies.load(name)
            study.check(study.run(study.setup()))
    with tolerated("figures"):
        importlib.import_module("app.figures.player")
    with tolerated("kernels"):
        tape.kernels()
        ladder_cache.kernel()
    gc.collect()
    gc.freeze()


@contextmanager
def tolerated(task: str) -> Iterator[None]:
    """Log a failure and go on: the page that needs what is missing will say so itself."""
    try:
        yield
    except Exception:
        logger.exception("warm-up: %s failed", task)
