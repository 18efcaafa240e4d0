"""How long a step of the graph player takes to paint in a browser, on a graph of 150 nodes."""

from __future__ import annotations

import os
import statistics

from playwright.sync_api import sync_playwright

from scripts import chromium
from tests.benchmarks.machine import Watch
from tests.benchmarks.report import Row, publish
from tests.browser.harness.server import serve

GOAL_MS = 50.0
# Presses the right arrow 40 times; milliseconds from each press to the second frame after it. Two frames
# are 33 ms at 60 Hz, so that is the least there can be.
TIME_STEPS = """async () => {
  const hosts = [...document.querySelectorAll("*")].filter((item) => item.shadowRoot);
  const stage = hosts.map((host) => host.shadowRoot.querySelector("svg.stage")).find(Boolean);
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  for (let k = 0; k < 40; k += 1) {
    await new Promise((done) => setTimeout(done, 320));
    await frame();
    const begun = performance.now();
    const press = { key: "ArrowRight", bubbles: true, composed: true };
    stage.dispatchEvent(new KeyboardEvent("keydown", press));
    await frame();
    await frame();
    times.push(performance.now() - begun);
  }
  return times;
}"""


def main() -> None:
    watch = Watch(benchmark=os.getpid())
    with serve() as address, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/?program=large&start=140")
        page.locator(".unroll[data-ready]").wait_for()
        page.locator("svg.stage").focus()
        times = page.evaluate(TIME_STEPS)
        browser.close()
    lower, median, upper = statistics.quantiles(times, n=4)
    row = Row(
        "graph player: a step of 150 nodes, to the second frame",
        median,
        "ms",
        goal=GOAL_MS,
        quartiles=(lower, upper),
    )
    publish("Graph player: painting a step", [row], watch.conditions())


if __name__ == "__main__":
    main()
