"""Heavy imports and first compilations, done in the background before a visitor needs them."""

import importlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HEAD_START = 2.0  # seconds left to whoever opens the first page at once: imports would halve its speed
MODULES = ("plotly.graph_objects", "engine.studies", "torch")

logger = logging.getLogger(__name__)


def start() -> threading.Timer:
    """Start warming up, shortly, in the background. It never keeps the server from stopping."""
    timer = threading.Timer(HEAD_START, warm_up)
    timer.daemon = True
    timer.start()
    return timer


def warm_up() -> None:
    """Import what pages import late, and compile (or read from disk) the kernels of the scalar tape."""
    for name in MODULES:
        with tolerated(name):
            importlib.import_module(name)
    with tolerated("kernels"):
        from engine import tape

        tape.kernels()


@contextmanager
def tolerated(task: str) -> Iterator[None]:
    """Log a failure and go on: the page that needs what is missing will say so itself."""
    try:
        yield
    except Exception:
        logger.exception("warm-up: %s failed", task)
