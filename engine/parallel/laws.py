"""How much faster p threads can be: the laws of Amdahl and Gustafson, and what a launch costs small tasks.

A share s of the time of one thread is serial: only one thread can do it.

Amdahl     the same task on p threads:     1 / (s + (1 - s)/p)   [G. Amdahl, 1967]
Gustafson  a task that grows with p:       s + (1 - s)·p         [J. Gustafson, 1988]
"""

from __future__ import annotations

from collections.abc import Mapping


def amdahl(threads: float, serial: float) -> float:
    """Speed-up of a task of fixed size of which a share `serial` (0..1) cannot be split."""
    return 1 / (serial + (1 - serial) / threads)


def gustafson(threads: float, serial: float) -> float:
    """Speed-up of a task whose parallel part grows with the threads; `serial` is its share on one of them."""
    return serial + (1 - serial) * threads


def fitted_amdahl(measured: Mapping[int, float]) -> float:
    """The serial share by least squares: 1/S is linear in it. `measured`: speed-up by threads, not only 1.

    Between 0 and 1: a speed-up of more than p has none, and a slow-down is all serial.
    """
    # 1/S - 1/p = s·(1 - 1/p)
    steps = [(1 - 1 / p, 1 / speedup - 1 / p) for p, speedup in measured.items() if p > 1]
    return _slope(steps)


def fitted_gustafson(measured: Mapping[int, float]) -> float:
    """The serial share by least squares: p - S = s·(p - 1)."""
    return _slope([(p - 1.0, p - speedup) for p, speedup in measured.items() if p > 1])


def _slope(points: list[tuple[float, float]]) -> float:
    """Of the line through the origin that is nearest to the points, within 0 and 1."""
    if not points:
        raise ValueError("a law is fitted to speed-ups on more than one thread; there is none")
    slope = sum(x * y for x, y in points) / sum(x * x for x, _ in points)
    return min(max(slope, 0.0), 1.0)


def with_launch(seconds: float, launch: float, threads: float) -> float:
    """Speed-up of a task of so many seconds that splits evenly, once `launch` seconds have passed."""
    return seconds / (launch + seconds / threads)


def break_even(launch: float, threads: float) -> float:
    """Seconds that a task must take on one thread for `threads` of them to be as fast."""
    return launch / (1 - 1 / threads)
