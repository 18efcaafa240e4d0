"""Parallel speed-ups in a real browser: threads stepped by hand, measured, on a phone. No timings."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from scripts.live_server import LiveServer, live_server
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import Visit

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server on which nothing has been measured, nor is by a visitor who came before."""
    folder: Path = tmp_path_factory.mktemp("measured")
    with live_server({"UNROLL_MEASURED": str(folder)}) as running:
        yield running


def visit(page: Page, experiment: str, query: str = "") -> None:
    Visit(page, f"/speedups?v=1&experiment={quote(experiment)}{query}")


def step(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^{name} steps"))


def test_an_update_is_lost_by_hand(page: Page) -> None:
    visit(page, "Race")
    hazard = page.locator(".hazard")
    for name in "ABAAB":
        step(page, name).click()
    expect(hazard).to_have_attribute("data-kind", "")
    step(page, "B").click()
    expect(hazard).to_have_attribute("data-kind", "lost")
    expect(hazard).to_contain_text("1 of 2 are counted")
    expect(step(page, "A")).to_be_disabled()
    expect(page).to_have_url(re.compile(r"[?&]order=ABAABB(&|$)"))
    page.get_by_role("button", name="one step back").click()
    expect(hazard).to_have_attribute("data-kind", "")
    expect(page).to_have_url(re.compile(r"[?&]order=ABAAB(&|$)"))


def test_a_presenter_steps_with_a_clicker(page: Page) -> None:
    visit(page, "Race", "&order=AAABBB&present=1")
    board = page.locator(".unroll[data-ready]").first
    expect(board).to_have_attribute("data-order", "AAABBB")
    page.keyboard.press("r")
    expect(board).to_have_attribute("data-order", "")
    for order in ("A", "AA", "AAA", "AAAB"):
        page.keyboard.press("PageDown")
        expect(board).to_have_attribute("data-order", order)
    expect(page.locator(".hazard")).to_contain_text("data race with step 3")
    page.keyboard.press("ArrowLeft")
    expect(board).to_have_attribute("data-order", "AAA")


def test_the_race_is_run_for_real_when_asked_for(page: Page) -> None:
    visit(page, "Race", "&cells=2")
    expect(page.locator(".run").first).to_contain_text("not measured")
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.get_by_text("Measured on this machine")).to_be_visible(timeout=60_000)
    expect(page.locator(".strip i")).to_have_count(180)
    page.reload()
    wait_until_idle(page)
    expect(page.get_by_text("Measured on this machine")).to_be_visible()


def test_vectors_are_marked_and_revealed(page: Page) -> None:
    visit(page, "SIMD", "&present=1")
    marked = page.locator(".pane code[style]")
    expect(page.locator(".pane")).to_have_count(2)
    expect(marked).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(marked.first).to_be_visible()
    expect(page.locator(".pane").nth(1)).to_contain_text("numbers an instruction")


def test_a_phone_shows_all_of_it(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for experiment in ("Race", "False sharing"):
        visit(page, experiment)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
