"""A real server and a real browser. Any error that a page logs fails the test that opened it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from scripts import chromium
from scripts.live_server import LiveServer, live_server
from scripts.watch import Watch

expect.set_options(timeout=30_000)  # milliseconds; importing torch takes several seconds on a busy machine


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what has been measured, where there is nothing at first."""
    return tmp_path_factory.mktemp("measured")


@pytest.fixture(scope="session")
def server(measured: Path) -> Iterator[LiveServer]:
    """The application on a free port; `server.url` is its address."""
    with live_server({"UNROLL_MEASURED": str(measured)}) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = chromium.launch(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def context(browser: Browser, server: LiveServer) -> Iterator[BrowserContext]:
    """One browser for a module: it keeps what it has loaded and compiled, which is most of a visit's work."""
    with browser.new_context(
        viewport={"width": 1440, "height": 900},
        base_url=server.url,
        permissions=["clipboard-read", "clipboard-write"],
    ) as opened:
        yield opened


@pytest.fixture
def watch(context: BrowserContext, server: LiveServer) -> Iterator[Watch]:
    """A fresh visitor's page under watch; a test that provokes an error clears `watch.events`."""
    page = context.new_page()
    forget(page, server.url)
    watch = Watch(page, server.url)
    yield watch
    faults = watch.faults()
    for opened in context.pages:
        opened.close()
    assert faults == []


def forget(page: Page, origin: str) -> None:
    """Forget what visitors before have left: cookies, local storage, databases."""
    session = page.context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    session.detach()


@pytest.fixture
def page(watch: Watch) -> Page:
    """A fresh visitor's page; `page.goto("/graph")` opens a page of the running server."""
    return watch.page
