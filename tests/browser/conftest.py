"""A real server and a real browser. Any error that a page logs fails the test that opened it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from scripts import chromium
from scripts.live_server import LiveServer, live_server
from scripts.watch import Watch

expect.set_options(timeout=30_000)  # milliseconds; importing torch takes several seconds on a busy machine


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    """The application on a free port; `server.url` is its address."""
    with live_server() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = chromium.launch(playwright)
        yield opened
        opened.close()


@pytest.fixture
def watch(browser: Browser, server: LiveServer) -> Iterator[Watch]:
    """A fresh visitor's page under watch; a test that provokes an error clears `watch.events`."""
    with browser.new_context(
        viewport={"width": 1440, "height": 900},
        base_url=server.url,
        permissions=["clipboard-read", "clipboard-write"],
    ) as context:
        page = context.new_page()
        watch = Watch(page, server.url)
        yield watch
        assert watch.faults() == []


@pytest.fixture
def page(watch: Watch) -> Page:
    """A fresh visitor's page; `page.goto("/graph")` opens a page of the running server."""
    return watch.page
