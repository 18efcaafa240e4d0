"""How long it takes in a browser from a changed control until the page's component has been drawn again."""

from __future__ import annotations

import os
import statistics

from playwright.sync_api import Page, sync_playwright

from scripts import chromium
from scripts.live_server import live_server
from scripts.watch import wait_until_idle
from tests.benchmarks.machine import Watch
from tests.benchmarks.report import Row, publish

GOAL_MS = 150.0
REPEATS = 12
# page, label of a text field, and texts that it is given in turn
CHANGES = {
    "strides": ("Chain", ("x.T", "x.T[::2]")),
    "broadcasting": ("Shapes", ("(3, 1), (4,)", "(2, 1), (3,)")),
    "loops": ("Shape of a", ("4, 4", "4, 1")),
    "convolutions": ("Kernel", ("3", "2")),
}
# Notes when Enter was pressed, and when anything below a component changed for the last time.
OBSERVE = """() => {
  window.pressed = window.changed = 0;
  addEventListener("keydown", () => { window.pressed = performance.now(); }, { capture: true });
  const roots = [...document.querySelectorAll("*")].map((item) => item.shadowRoot).filter(Boolean);
  const seen = new MutationObserver(() => { window.changed = performance.now(); });
  const options = { subtree: true, childList: true, attributes: true, characterData: true };
  roots.forEach((root) => seen.observe(root, options));
}"""


def repaints(page: Page, label: str, texts: tuple[str, str]) -> list[float]:
    """Milliseconds from Enter to the last change of the component, again and again."""
    page.evaluate(OBSERVE)
    field = page.get_by_role("textbox", name=label, exact=True)
    times = []
    for k in range(REPEATS):
        field.fill(texts[k % 2])
        page.evaluate("() => { window.changed = 0; }")
        field.press("Enter")
        wait_until_idle(page)
        pressed, changed = page.evaluate("() => [window.pressed, window.changed]")
        times.append(changed - pressed)
    return times[2:]


def main() -> None:
    watch = Watch(benchmark=os.getpid())
    rows = []
    with live_server() as server, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for name, (label, texts) in CHANGES.items():
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{server.url}/{name}")
            wait_until_idle(page)
            lower, median, upper = statistics.quantiles(repaints(page, label, texts), n=4)
            rows.append(Row(f"{name}: {label} changed", median, "ms", goal=GOAL_MS, quartiles=(lower, upper)))
            page.close()
        browser.close()
    publish("Repaint after a control was changed", rows, watch.conditions())


if __name__ == "__main__":
    main()
