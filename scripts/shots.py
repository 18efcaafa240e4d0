"""Screenshots of every page (`make shots`) in .shots/: light, dark, phone, presenter; fails on any fault.

Arguments choose the pages whose file begins so; without any, all are taken.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from app.catalog import Page, pages
from scripts import chromium
from scripts.live_server import live_server
from scripts.watch import Watch, wait_until_idle

FOLDER = Path(__file__).resolve().parents[1] / ".shots"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Shot:
    name: str
    viewport: ViewportSize
    scheme: Literal["light", "dark"] = "light"
    query: str = ""


def shots_of(page: Page) -> Iterator[Shot]:
    yield Shot("light", DESKTOP)
    yield Shot("dark", DESKTOP, scheme="dark")
    yield Shot("phone", PHONE)
    if page.study:
        yield Shot("present", DESKTOP, query="?present=1")


def take(browser: Browser, origin: str, page: Page, shot: Shot) -> list[str]:
    """Open the page, wait for it, save the picture; returns its faults."""
    with browser.new_context(viewport=shot.viewport, color_scheme=shot.scheme) as context:
        tab = context.new_page()
        watch = Watch(tab, origin)
        tab.goto(f"{origin}/{page.url_path}{shot.query}")
        wait_until_idle(tab)
        tab.screenshot(path=FOLDER / f"{page.path.stem}-{shot.name}.png")
        return watch.faults()


def main(prefixes: Sequence[str]) -> int:
    chosen = [page for page in pages() if page.file.startswith(tuple(prefixes) or "")]
    FOLDER.mkdir(exist_ok=True)
    failures = 0
    with live_server() as server, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for page in chosen:
            for shot in shots_of(page):
                faults = take(browser, server.url, page, shot)
                print(f"{'FAULTY' if faults else 'ok':6}  {page.path.stem}-{shot.name}.png")
                for fault in faults:
                    print(f"        {fault}")
                failures += bool(faults)
        browser.close()
    return 1 if failures or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
