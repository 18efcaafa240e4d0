"""The simulated caches against a brute-force model (a list for each set) and closed forms."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.measure import Cache
from engine.studies.ladder_cache import ACCESSES, STORAGES, simulate
from engine.studies.loops_orders import NESTS

BYTES = 4
PRODUCT_ORDERS = tuple(NESTS)


class Slow:
    """One level: for each set the lines in it, the one used longest ago first."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.sets: list[OrderedDict[int, None]] = [
            OrderedDict() for _ in range(cache.size // cache.line // cache.ways)
        ]

    def has(self, address: int) -> bool:
        """Whether it has the line; fetches it if not."""
        line = address // self.cache.line
        kept = self.sets[line % len(self.sets)]
        found = line in kept
        kept[line] = None
        kept.move_to_end(line)
        if len(kept) > self.cache.ways:
            kept.popitem(last=False)
        return found


class Listening:
    """A matrix that hears which of its numbers the loops read and write."""

    def __init__(self, name: str, base: int, side: int, heard: list[tuple[str, int]]) -> None:
        self.name, self.base, self.side, self.heard = name, base, side, heard

    def __getitem__(self, index: tuple[int, int]) -> float:
        self.heard.append((self.name, self.base + (index[0] * self.side + index[1]) * BYTES))
        return 0.0

    def __setitem__(self, index: tuple[int, int], _value: float) -> None:
        self[index]


def by_brute_force(order: str, side: int, tile: int, caches: tuple[Cache, ...]) -> list[tuple[str, int]]:
    """(storage, level) of every access that the loops themselves make."""
    line = max(cache.line for cache in caches)
    matrix = -(-side * side * BYTES // line) * line
    heard: list[tuple[str, int]] = []
    a, b, out = (Listening(name, place * matrix, side, heard) for place, name in enumerate(("a", "b", "out")))
    NESTS[order](a, b, out, side, side, side, *((tile,) if order == "tiles" else ()))
    levels = [Slow(cache) for cache in caches]
    return [
        (name, next((n for n, level in enumerate(levels) if level.has(address)), len(levels)))
        for name, address in heard
    ]


GEOMETRIES = [
    (Cache(1, 256, 2, 32), Cache(2, 1024, 4, 32)),
    (Cache(1, 128, 1, 16), Cache(2, 512, 1, 64)),
    (Cache(1, 64, 4, 16),),
    (Cache(1, 96, 3, 32), Cache(2, 960, 5, 64), Cache(3, 4096, 16, 64)),
]


@pytest.mark.parametrize("caches", GEOMETRIES)
@pytest.mark.parametrize("order", PRODUCT_ORDERS)
def test_every_access_is_served_by_the_level_of_a_brute_force_model(
    order: str, caches: tuple[Cache, ...]
) -> None:
    side, tile = 9, 4
    expected = by_brute_force(order, side, tile, caches)
    served = simulate(order, side, tile, caches, record=True)
    assert served.levels.reshape(-1).tolist() == [level for _, level in expected]
    assert [name for name, _ in expected[:4]] == list(ACCESSES)
    for place, storage in enumerate(STORAGES):
        for level in range(len(caches) + 1):
            assert served.counts[place, level] == expected.count((storage, level))


@given(
    order=st.sampled_from(PRODUCT_ORDERS),
    side=st.integers(1, 7),
    tile=st.integers(1, 8),
    lines=st.integers(2, 5),
    ways=st.integers(1, 4),
    sets=st.integers(1, 5),
)
def test_random_caches(order: str, side: int, tile: int, lines: int, ways: int, sets: int) -> None:
    line = 2**lines
    caches = (Cache(1, line * ways * sets, ways, line), Cache(2, line * 4 * sets, 4, line))
    expected = by_brute_force(order, side, tile, caches)
    found = simulate(order, side, tile, caches, record=True)
    assert found.levels.reshape(-1).tolist() == [level for _, level in expected]


@pytest.mark.parametrize("order", PRODUCT_ORDERS)
def test_a_cache_that_holds_all_fetches_each_line_once(order: str) -> None:
    side = 16
    served = simulate(order, side, 4, (Cache(1, 4096, 64, 64),))
    assert served.total == 4 * side**3
    assert served.missed(0) == 3 * side * side * BYTES // 64


def test_a_single_line_serves_only_what_stays_put() -> None:
    """One line in all: only out is where it was, from a product's write to the next one's read in its row."""
    served = simulate("ijk", 8, 8, (Cache(1, 32, 1, 32),))
    assert served.missed(0) == 3 * 8**3 + 8


def test_columns_a_power_of_two_apart_collide() -> None:
    """Rows of b are 512 bytes apart: a column falls into 8 of the 64 sets, which hold 64 of its 128 lines."""
    l1 = Cache(1, 32 << 10, 8, 64)
    collide, apart = (simulate("ijk", side, side, (l1,)).counts[2, 1] for side in (128, 129))
    assert collide == 128**3  # every single one of b's
    assert apart < collide / 10


@pytest.mark.parametrize(
    ("cache", "said"),
    [
        (Cache(1, 100, 2, 24), "line must be a power of two"),
        (Cache(1, 256, 16, 32), "cannot be made of sets of 16 lines"),
        (Cache(2, 0, 1, 32), "size must be a power of two"),
    ],
)
def test_impossible_caches_say_why(cache: Cache, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        simulate("ijk", 4, 4, (cache,))


def test_counts_are_exact_integers() -> None:
    assert simulate("kji", 10, 10, GEOMETRIES[0]).counts.dtype == np.int64
