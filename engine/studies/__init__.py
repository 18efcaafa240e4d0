"""One module a study: everything a page computes, without the page."""

from importlib import import_module
from typing import Any

from engine.studies.study import Study

NAMES = (
    "graph",
    "operators",
    "tensor_autodiff",
    "laws",
    "stability",
    "strides",
    "broadcasting",
    "loops",
    "convolutions",
    "bits",
    "playground",
    "historic",
    "images",
    "text",
    "doctor",
    "own_run",
    "error_growth",
    "few_bits",
    "puzzles",
    "speedups",
    "gpu",
    "gpu_puzzles",
    "accelerators",
    "ladder",
    "fusion",
    "race",
)


def load(name: str) -> Study[Any, Any]:
    """The study of this name; raises KeyError that lists the names there are."""
    if name not in NAMES:
        raise KeyError(f"unknown study {name!r}; there are: {', '.join(NAMES)}")
    study: Study[Any, Any] = import_module(f"engine.studies.{name}").STUDY
    return study
