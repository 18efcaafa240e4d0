"""Load test: many visitors of the Graph page on one server process, each changing the program now and then.

    python -m tests.benchmarks.load [--visitors N] [--seconds S] [--period S]

Starts the real server on a free port of this machine, waits until its warm-up is over, and stops it at
the end. Latency is from sending a change to the end of the run it causes, at the visitor's socket.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from websockets.exceptions import WebSocketException

from scripts.live_server import LiveServer, live_server
from tests.benchmarks.machine import PROC, Watch, cpu_seconds, mapped_files, resident_megabytes
from tests.benchmarks.programs import random_program
from tests.benchmarks.report import Row, publish
from tests.benchmarks.visitor import PageError, Reply, Visitor

PAGE = "graph"
FEWEST_NODES, MOST_NODES = 7, 24  # of a random program
LIBRARIES = ("libtorch_cpu", "numba")  # loaded by the server's warm-up
WARM_UP_TIMEOUT = 120.0  # seconds
IDLE = 0.05  # of a core: the warm-up is over
PILOT_RUNS = 30  # by one visitor before anything is measured: late imports, first allocations
SETTLING = 4.0  # seconds after the last arrival and after the last run
RUN_TIMEOUT = 30.0  # seconds after which a run counts as lost
MAX_VISITORS, MAX_SECONDS = 1000, 600.0

LATENCY_GOAL = 120.0  # ms, 95th percentile
MEMORY_GOAL = 0.3  # MB a visitor


@dataclass
class Log:
    """What all visitors met."""

    milliseconds: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)


@dataclass
class Memory:
    """Resident megabytes of the server at three moments, and what the visitors add."""

    visitors: int
    before: float  # no visitors connected, warm
    connected: float = 0.0  # all have opened the page
    after: float = 0.0  # all are still connected, having changed the program for the whole time

    def a_visitor(self, megabytes: float) -> float:
        return (megabytes - self.before) / self.visitors


def main() -> None:
    options = parse_arguments()
    if not PROC.is_dir():
        sys.exit("The load test reads the server's CPU time and memory from /proc: run it on Linux.")
    with live_server({"UNROLL_MAX_SESSIONS": str(options.visitors + 1)}) as server:
        wait_until_warm(server.process_id)
        asyncio.run(measure(server, options.visitors, options.seconds, options.period))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Many visitors on one server process.")
    parser.add_argument("--visitors", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=45.0, help="how long the programs are changed")
    parser.add_argument("--period", type=float, default=3.5, help="seconds between a visitor's changes")
    options = parser.parse_args()
    bounded = 1 <= options.visitors <= MAX_VISITORS and 0 < options.seconds <= MAX_SECONDS
    if not bounded or options.period <= 0:
        parser.error(f"at most {MAX_VISITORS} visitors and {MAX_SECONDS:.0f} seconds, and a positive period")
    return options


def wait_until_warm(process_id: int) -> None:
    """Until the server has loaded its heavy libraries and rests."""
    deadline = time.monotonic() + WARM_UP_TIMEOUT
    while time.monotonic() < deadline:
        used = cpu_seconds(process_id)
        time.sleep(1.0)
        resting = cpu_seconds(process_id) - used < IDLE
        files = mapped_files(process_id)
        if resting and all(library in files for library in LIBRARIES):
            return
    raise TimeoutError(f"the server did not finish its warm-up in {WARM_UP_TIMEOUT:.0f} s")


async def measure(server: LiveServer, count: int, seconds: float, period: float) -> None:
    await pilot(server.url)
    memory = Memory(count, resident_megabytes(server.process_id))
    visitors = [Visitor(server.url, PAGE) for _ in range(count)]
    arrivals, changes = Log(), Log()
    try:
        await asyncio.gather(*(arrive(v, delay, arrivals) for v, delay in staggered(visitors, period)))
        await asyncio.sleep(SETTLING)
        memory.connected = resident_megabytes(server.process_id)
        watch = Watch(server=server.process_id, visitors=os.getpid())
        end = time.monotonic() + seconds
        schedules = [
            change_programs(v, random.Random(seed), time.monotonic() + delay, period, end, changes)
            for seed, (v, delay) in enumerate(staggered(visitors, period))
        ]
        await asyncio.gather(*schedules)
        rows = [*latency_rows(changes, watch), *cpu_rows(watch)]
        conditions = watch.conditions()
        await asyncio.sleep(SETTLING)
        memory.after = resident_megabytes(server.process_id)
    finally:
        await asyncio.gather(*(v.__aexit__() for v in visitors), return_exceptions=True)
    rows += [*arrival_rows(arrivals), *memory_rows(memory), error_row(arrivals, changes)]
    runs = len(changes.milliseconds)
    title = f"Load: {count} visitors, a change every {period:g} s, {runs} runs in {seconds:g} s"
    publish(title, rows, conditions)


async def pilot(url: str) -> None:
    """One visitor alone, whose errors end the test at once and with their own words."""
    generator = random.Random("pilot")
    async with Visitor(url, PAGE) as visitor:
        replies = [await visitor.open_page()]
        if not replies[0].problems:
            replies += [await visitor.enter(some_program(generator)) for _ in range(PILOT_RUNS)]
    problems = Counter(problem for reply in replies for problem in reply.problems)
    if problems:
        raise PageError(f"the page does not work even for one visitor: {dict(problems)}")
    await asyncio.sleep(SETTLING)


def some_program(generator: random.Random) -> str:
    return random_program(generator, generator.randint(FEWEST_NODES, MOST_NODES))


def staggered(visitors: list[Visitor], period: float) -> Iterator[tuple[Visitor, float]]:
    """Each visitor with a start within the period, evenly spread."""
    return ((visitor, period * index / len(visitors)) for index, visitor in enumerate(visitors))


async def arrive(visitor: Visitor, delay: float, log: Log) -> None:
    await asyncio.sleep(delay)
    try:
        await visitor.__aenter__()
        async with asyncio.timeout(RUN_TIMEOUT):
            record(await visitor.open_page(), log)
    except (OSError, TimeoutError, WebSocketException) as error:
        log.problems[f"while opening the page: {error!r}"] += 1


async def change_programs(
    visitor: Visitor, generator: random.Random, start: float, period: float, end: float, log: Log
) -> None:
    """A new program at start, start + period, …: by the clock, however slowly the server answers."""
    for index in itertools.count():
        due = start + index * period
        if due >= end:
            return
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        try:
            async with asyncio.timeout(RUN_TIMEOUT):
                record(await visitor.enter(some_program(generator)), log)
        except (OSError, TimeoutError, WebSocketException, PageError) as error:
            log.problems[f"while changing the program: {error!r}"] += 1
            return


def record(reply: Reply, log: Log) -> None:
    log.milliseconds.append(1000 * reply.seconds)
    log.sizes.append(reply.size)
    log.problems.update(reply.problems)


def latency_rows(log: Log, watch: Watch) -> list[Row]:
    latencies = log.milliseconds if len(log.milliseconds) > 1 else [float("inf")] * 2
    percentiles = statistics.quantiles(latencies, n=100, method="inclusive")
    return [
        Row("load: change to end of run, p50", percentiles[49], "ms"),
        Row("load: change to end of run, p95", percentiles[94], "ms", goal=LATENCY_GOAL),
        Row("load: change to end of run, slowest", max(latencies), "ms"),
        Row("load: runs", len(log.milliseconds) / watch.elapsed, "1/s"),
        Row("load: sent to the browser, a run", statistics.mean(log.sizes or [0]) / 1000, "kB"),
    ]


def cpu_rows(watch: Watch) -> list[Row]:
    return [
        Row("load: server process", 100 * watch.cores("server"), "% of a core"),
        Row("load: the simulated visitors", 100 * watch.cores("visitors"), "% of a core"),
    ]


def arrival_rows(log: Log) -> list[Row]:
    median = statistics.median(log.milliseconds or [float("inf")])
    return [Row("load: first run of the page on arrival, p50", median, "ms")]


def memory_rows(memory: Memory) -> list[Row]:
    return [
        Row("load: server memory before", memory.before, "MB"),
        Row("load: memory a visitor, page open", memory.a_visitor(memory.connected), "MB"),
        Row("load: memory a visitor, at the end", memory.a_visitor(memory.after), "MB", goal=MEMORY_GOAL),
    ]


def error_row(*logs: Log) -> Row:
    problems = sum((log.problems for log in logs), Counter())
    for problem, times in problems.most_common(5):
        print(f"{times} × {problem}", file=sys.stderr)
    return Row("load: errors", problems.total(), "errors", goal=0)


if __name__ == "__main__":
    main()
