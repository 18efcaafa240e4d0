"""How long it takes in a browser until a hovered cell and its partners are lit, on a view of 1,000 cells."""

from __future__ import annotations

import os
import statistics

from playwright.sync_api import sync_playwright

from scripts import chromium
from scripts.live_server import live_server
from scripts.watch import wait_until_idle
from tests.benchmarks.machine import Watch
from tests.benchmarks.report import Row, publish

FRAME_MS = 1000 / 60
PAGE = "strides?v=1&shape=25, 40&chain=x.T"
# Hovers 200 cells; milliseconds from each event until all partners are lit and laid out, ready to be painted.
TIME_HOVERS = """async () => {
  const roots = [...document.querySelectorAll("*")].map((item) => item.shadowRoot).filter(Boolean);
  const cells = roots.flatMap((root) => [...root.querySelectorAll(".part.view .cell")]);
  const times = [];
  for (let k = 0; k < 200; k += 1) {
    const cell = cells[(37 * k) % cells.length];
    await new Promise(requestAnimationFrame);
    const begun = performance.now();
    cell.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, composed: true }));
    void cell.offsetHeight;
    times.push(performance.now() - begun);
    if (cell.getRootNode().querySelectorAll(".cell.lit").length !== 3) throw new Error("not lit");
  }
  return times;
}"""


def main() -> None:
    watch = Watch(benchmark=os.getpid())
    with live_server() as server, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{server.url}/{PAGE}")
        wait_until_idle(page)
        times = page.evaluate(TIME_HOVERS)
        browser.close()
    lower, median, upper = statistics.quantiles(times, n=4)
    row = Row(
        "tensor grid: hover of 1,000 cells, until partners are lit",
        median,
        "ms",
        goal=FRAME_MS,
        quartiles=(lower, upper),
    )
    publish("Tensor grid: lighting partners", [row], watch.conditions())


if __name__ == "__main__":
    main()
