"""Training that is watched, in a real browser: frames, the training's speed, fairness, stopping, an audience.

    python -m tests.benchmarks.live [--minutes M]

With --minutes, a soak instead: the memory of the server and of the browser's page over so many minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from engine.compiler import background
from engine.playground.run import Run
from engine.playground.setup import PlaygroundSetup
from engine.training.trainer import Trainer
from scripts import chromium
from scripts.live_server import LiveServer, live_server
from tests.benchmarks.live_viewers import watched
from tests.benchmarks.load import wait_until_warm
from tests.benchmarks.machine import Watch, resident_megabytes
from tests.benchmarks.report import Row, publish
from tests.browser.harness.visit import READY

SETUP = PlaygroundSetup()
SCREEN = {"width": 1440, "height": 900}
SECONDS = 6.0  # of each measurement
ALONE = 2.0  # seconds that a run trains with nobody watching
SETTLING = 1.0
PATIENCE_MS = 90_000  # for what a page is expected to show
PATIENCE = 20.0  # seconds after which a run counts as one that does not stop
TIMES = 3  # that a run is left alone, by each way
TOGETHER = (2, 4, 8)
VIEWERS = 50
SAMPLES = 24  # of memory in a soak

FRAME_GOAL = 1000 / 55  # ms
LOST_GOAL = 20.0  # % of its stand-alone speed
CLOSED_GOAL, LEFT_GOAL = 2.0, 5.0  # s
VIEWER_GOAL = 100.0  # ms from a frame to the next


def main() -> None:
    parser = argparse.ArgumentParser(description="Training that is watched in a browser.")
    parser.add_argument("--minutes", type=float, default=0.0, help="watch memory for so long instead")
    minutes = parser.parse_args().minutes
    if not 0.0 <= minutes <= 24 * 60:
        parser.error("a soak takes at most a day")
    expect.set_options(timeout=PATIENCE_MS)
    fair = [] if minutes else fairness()
    with live_server() as server, sync_playwright() as playwright:
        with suppress(TimeoutError):  # on a busy machine; then the figures say so
            wait_until_warm(server.process_id)
        watch = Watch(benchmark=os.getpid(), server=server.process_id)
        browser = chromium.launch(playwright)
        if minutes:
            rows, title = soak(server, browser, minutes), f"Live: memory over {minutes:g} minutes"
        else:
            rows = [*speed(server, browser), *fair, *stopping(server, browser), *audience(server, browser)]
            title = "Live: training that is watched"
        browser.close()
        publish(title, rows, watch.conditions())


class Board:
    """The Playground as it is when one comes, in a tab of its own; `root` is its component."""

    def __init__(self, server: LiveServer, browser: Browser) -> None:
        self.page = browser.new_context(viewport=SCREEN).new_page()  # type: ignore[arg-type]
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.goto(f"{server.url}/playground?v=1")
        self.root: Locator = self.page.locator(READY)
        expect(self.root.locator("output.epoch")).not_to_have_text("–")

    def press(self, name: str) -> None:
        """The button of this name."""
        self.root.get_by_role("button", name=name, exact=True).click()

    def train(self) -> None:
        """Have the run under way, with all its kernels compiled."""
        self.press("train")
        expect(self.root.get_by_role("button", name="pause", exact=True)).to_be_visible()
        pace = self.root.get_by_text("epochs a second")
        expect(pace).to_be_visible()
        expect(pace).not_to_contain_text("compiled")
        self.page.wait_for_timeout(1000 * SETTLING)

    def moment(self) -> tuple[int, int, float]:
        """How many pictures were drawn, the epoch that is shown, and the browser's clock in seconds."""
        pictures, epoch, clock = self.root.evaluate(
            """(root) => [Number(root.dataset.pictures), root.querySelector("output.epoch").textContent,
                          performance.now()]"""
        )
        return pictures, int(epoch.split(" ")[0].replace(",", "")), clock / 1000

    def close(self) -> None:
        self.page.context.close()


def training(server: LiveServer, browser: Browser) -> Board:
    """A board whose run is under way."""
    board = Board(server, browser)
    board.train()
    return board


# ---- frames, and what they cost


def speed(server: LiveServer, browser: Browser) -> list[Row]:
    """Frames a second, and how much of its speed alone, before and after, a run loses by being watched."""
    before = steps_alone()
    board = training(server, browser)
    pictures, epoch, start = board.moment()
    board.page.wait_for_timeout(1000 * SECONDS)
    more, later, end = board.moment()
    board.close()
    until(lambda: server.health()["training"] == 0)
    alone = statistics.mean([before, steps_alone()])
    frames = (more - pictures) / (end - start)
    steps = (later - epoch) * steps_an_epoch() / (end - start)
    lost = 100.0 * (1.0 - steps / alone)
    told = f"{steps:,.0f} steps/s, alone {alone:,.0f}: {steps / alone:.0%}"
    return [
        Row("live: from one frame to the next", 1000 / max(frames, 1e-9), "ms", goal=FRAME_GOAL,
            note=f"{frames:.1f} frames/s"),
        Row("live: speed lost by being watched", lost, "%", goal=LOST_GOAL, note=told),
    ]  # fmt: skip


def steps_alone() -> float:
    """Steps a second of the same run with a core to itself and nobody watching."""
    run = Run(SETUP)
    background.settle()
    run = Run(SETUP)
    run.step_epoch()
    began, epochs = time.perf_counter(), 0
    while time.perf_counter() - began < ALONE:
        run.step_epoch()
        epochs += 1
    return epochs * steps_an_epoch() / (time.perf_counter() - began)


def steps_an_epoch() -> int:
    return -(-round(SETUP.samples * SETUP.train_share) // SETUP.batch)


# ---- several runs at once


def fairness() -> list[Row]:
    """The most that any of several runs gets, as a multiple of the least."""
    alone = steps_alone()
    rows = []
    for count in TOGETHER:
        trainers = [Trainer(Run, SETUP.model_copy(update={"seed": seed})) for seed in range(count)]
        background.settle()
        for trainer in trainers:
            trainer.watch()
            trainer.play()
        time.sleep(SETTLING)
        before, began = [trainer.position.epoch for trainer in trainers], time.perf_counter()
        time.sleep(SECONDS / 2)
        epochs = [trainer.position.epoch - e for trainer, e in zip(trainers, before, strict=True)]
        took = time.perf_counter() - began
        for trainer in trainers:
            trainer.pause()
            trainer.leave()
        steps = [epoch * steps_an_epoch() / took for epoch in epochs]
        told = f"least {min(steps):,.0f} steps/s; together {sum(steps) / alone:.0%} of one alone"
        rows.append(Row(f"live: {count} runs at once, most over least", max(steps) / max(min(steps), 1e-9),
                        "times", note=told))  # fmt: skip
    return rows


# ---- runs that nobody watches any more


def stopping(server: LiveServer, browser: Browser) -> list[Row]:
    """Seconds from a closed tab, and from a page that was left, to the end of its training; the slowest."""

    def close(page: Page) -> None:
        page.close()

    def leave(page: Page) -> None:
        page.get_by_role("link", name="Broadcasting").click()

    rows = []
    ways: tuple[tuple[str, Callable[[Page], None], float], ...] = (
        ("a closed tab", close, CLOSED_GOAL),
        ("a page that was left", leave, LEFT_GOAL),
    )
    for name, act, goal in ways:
        times = []
        for _ in range(TIMES):
            board = training(server, browser)
            began = time.perf_counter()
            act(board.page)
            stopped = until(lambda: server.health()["training"] == 0)
            times.append(time.perf_counter() - began if stopped else float("inf"))
            board.close()
        told = f"{TIMES} times, the fastest {min(times):.2f} s"
        rows.append(Row(f"live: {name}, until its run stops", max(times), "s", goal=goal, note=told))
    return rows


def until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; whether it came."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


# ---- many who look on


def audience(server: LiveServer, browser: Browser) -> list[Row]:
    """The time between frames for the slowest of many viewers of one run."""
    board = Board(server, browser)
    board.page.get_by_role("button", name="Broadcast").click()
    link = board.page.get_by_test_id("stPopoverBody").locator("code").inner_text()
    (view,) = parse_qs(urlsplit(link).query)["watch"]
    board.page.keyboard.press("Escape")
    board.train()
    with ThreadPoolExecutor(1) as pool:  # this thread has the browser's event loop
        found = pool.submit(asyncio.run, watched(server.url, view, VIEWERS, SECONDS)).result()
    board.close()
    slowest = min(viewer.frames for viewer in found)
    told = f"{slowest:.1f} frames/s, in {min(viewer.messages for viewer in found):.1f} messages/s"
    return [
        Row(f"live: {VIEWERS} viewers, from one frame to the next", 1000 / max(slowest, 1e-9), "ms",
            goal=VIEWER_GOAL, note=f"the slowest viewer: {told}"),
    ]  # fmt: skip


# ---- hours


def soak(server: LiveServer, browser: Browser, minutes: float) -> list[Row]:
    """How server and page grow in the second half, while a run is watched; over, it begins again."""
    board = training(server, browser)
    session = board.page.context.new_cdp_session(board.page)
    session.send("Performance.enable")
    times, resident, heap = [], [], []
    began = time.monotonic()
    print(f"{'minutes':>9} {'server MB':>10} {'page heap MB':>13} {'epoch':>9}")
    for sample in range(SAMPLES + 1):
        due = began + 60.0 * minutes * sample / SAMPLES
        while (left := due - time.monotonic()) > 0.0:
            board.page.wait_for_timeout(1000 * min(left, 1.0))
            if board.root.get_by_role("button", name="train", exact=True).count():
                board.press("back to the beginning")
                board.press("train")
        session.send("HeapProfiler.collectGarbage")
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        times.append((time.monotonic() - began) / 60.0)
        resident.append(resident_megabytes(server.process_id))
        heap.append(metrics["JSHeapUsedSize"] / 2**20)
        print(f"{times[-1]:9.2f} {resident[-1]:10.1f} {heap[-1]:13.1f} {board.moment()[1]:9,}", flush=True)
    half = SAMPLES // 2
    return [
        growth("server memory", times[half:], resident[half:]),
        growth("heap of the page", times[half:], heap[half:]),
    ]


def growth(name: str, minutes: list[float], megabytes: list[float]) -> Row:
    """Megabytes an hour, by the straight line that fits best."""
    slope = float(np.polyfit(minutes, megabytes, 1)[0])
    told = f"{megabytes[-1]:.1f} MB in the end"
    return Row(f"live: {name}, growth over {minutes[-1]:.0f} minutes", 60.0 * slope, "MB/h", note=told)


if __name__ == "__main__":
    main()
