"""Tables of measurements that come with scikit-learn: nothing is downloaded."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from engine.data.samples import Samples


@cache
def wine() -> Samples:
    """178 wines of three growers: 13 measurements, inputs [178, 13], and which grower.

    Aeberhard & Forina, "Wine", UCI Machine Learning Repository, 1992.
    """
    from sklearn.datasets import load_wine

    return _samples(load_wine())


@cache
def breast_cancer() -> Samples:
    """569 tumours: 30 measurements of cell nuclei, inputs [569, 30], and malignant (0) or benign (1).

    Wolberg, Mangasarian, Street & Street, "Breast Cancer Wisconsin (Diagnostic)", UCI Machine Learning
    Repository, 1993.
    """
    from sklearn.datasets import load_breast_cancer

    return _samples(load_breast_cancer())


@cache
def diabetes() -> Samples:
    """442 patients: 10 measurements, inputs [442, 10], and how the disease went on after a year (25 to 346).

    Efron, Hastie, Johnstone & Tibshirani, "Least angle regression", 2004; each column is centred
    and scaled to a sum of squares of 1.
    """
    from sklearn.datasets import load_diabetes

    return _samples(load_diabetes())


def _samples(bunch: Any) -> Samples:
    """What scikit-learn has loaded; kept for the next caller, so it cannot be written to."""
    classes = tuple(map(str, bunch.get("target_names", ())))
    samples = Samples(
        bunch.data.astype(np.float32),
        bunch.target.astype(np.int64 if classes else np.float32),
        tuple(map(str, bunch.feature_names)),
        classes,
    )
    samples.inputs.flags.writeable = False
    samples.targets.flags.writeable = False
    return samples
