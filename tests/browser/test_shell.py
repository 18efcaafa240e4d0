"""The shell in a real browser: every page opens cleanly, in the right theme, from this server alone."""

import json

import pytest
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect

from app.catalog import Page, pages
from app.theme import DARK, LIGHT
from scripts.watch import Watch, wait_until_idle
from tests.browser.harness.visit import rgb


@pytest.mark.parametrize("entry", [page for page in pages() if not page.study], ids=lambda entry: entry.file)
def test_every_page_opens_without_a_fault(page: BrowserPage, entry: Page) -> None:
    """That those of studies do is seen when the restless visitor opens them."""
    page.goto(f"/{entry.url_path}")
    wait_until_idle(page)
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    expect(page).to_have_title(f"{entry.title} · Unroll" if entry.url_path else "Unroll")


def test_theme_follows_the_system_and_fonts_are_served_by_us(page: BrowserPage) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/")
    wait_until_idle(page)
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", rgb(DARK.background))
    page.emulate_media(color_scheme="light")
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", rgb(LIGHT.background))
    loaded = page.evaluate("() => [...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)")
    assert "Inter" in json.dumps(loaded)


def test_watch_sees_errors_and_requests_to_elsewhere(page: BrowserPage, watch: Watch) -> None:
    page.goto("/")
    wait_until_idle(page)
    assert watch.faults() == []
    page.evaluate("() => { fetch('https://example.invalid/').catch(() => undefined) }")
    page.evaluate("() => console.error('deliberate')")
    page.wait_for_function("() => true")
    faults = watch.faults()
    assert any("deliberate" in fault for fault in faults)
    assert any("Content Security Policy" in fault for fault in faults)
    watch.events.clear()
