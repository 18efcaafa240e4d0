"""The matmul ladder in a real browser: measured, stopped, queued, given up; pictures and keys. No timings."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.theme import DARK, LIGHT, Palette
from scripts.live_server import LiveServer, live_server
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import Visit

PHONE = {"width": 390, "height": 844}
LONG = "Working set"  # takes seconds to measure
SHORT = "&real_side=16"  # of the cache: measured in a moment


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server on which nothing has been measured."""
    folder: Path = tmp_path_factory.mktemp("measured")
    with live_server({"UNROLL_MEASURED": str(folder)}) as running:
        yield running


class Experiment(Visit):
    """What a reader sees of the page and does to it."""

    def __init__(self, page: Page, experiment: str, query: str = "") -> None:
        super().__init__(page, f"/ladder?v=1&experiment={quote(experiment)}{query}")

    @property
    def measure(self) -> Locator:
        return self.page.get_by_role("button", name="Measure", exact=True)

    @property
    def stop(self) -> Locator:
        return self.page.get_by_role("button", name="Stop")

    def says(self, text: str) -> None:
        expect(self.page.get_by_text(re.compile(text)).first).to_be_visible()


def test_a_measurement_is_made_when_asked_for_and_kept(page: Page) -> None:
    visit = Experiment(page, "Cache", SHORT)
    visit.says("Nothing of this has been measured")
    visit.measure.click()
    visit.says("Measured on this machine")
    expect(page.get_by_role("cell", name="not measured")).to_have_count(0)
    page.reload()
    wait_until_idle(page)
    visit.says("Measured on this machine")


def test_a_measurement_is_stopped_and_keeps_what_was_reached(page: Page) -> None:
    visit = Experiment(page, LONG)
    visit.measure.click()
    visit.says(r"[1-9]\d* of 45 done")
    visit.stop.click()
    visit.says(r"of 45 were measured")
    visit.says("stopped before the end")
    expect(visit.measure).to_be_visible()
    expect(page.locator(".series.line").first).to_be_attached()


def test_one_waits_for_the_other_and_a_closed_page_gives_up(
    page: Page, browser: Browser, server: LiveServer
) -> None:
    with browser.new_context(base_url=server.url) as context:
        other = Experiment(context.new_page(), "Sizes")
        visit = Experiment(page, "Cache", "&real_side=17")
        other.measure.click()
        other.says("of 68 done|of 62 done")
        visit.measure.click()
        visit.says("1 measurement before yours")
        other.page.close()
    visit.says("Measured on this machine")  # at the latest when nobody has renewed the other for a while


def test_the_picture_is_stepped(page: Page) -> None:
    visit = Experiment(page, "Cache", "&order=ikj&small=6&present=1")
    picture = page.locator(".picture")
    expect(picture).to_contain_text("product 1 of 216")
    expect(picture).to_contain_text("out from memory, a from memory, b from memory")
    for product in (2, 3):
        page.keyboard.press("ArrowRight")
        expect(picture).to_contain_text(f"product {product} of 216")
    expect(picture).to_contain_text("out[0, 2] += a[0, 0] · b[0, 2]: out from L1, a from L1, b from L1")
    expect(page).to_have_url(re.compile(r"[?&]step=2(&|$)"))
    assert visit.measure.count() == 0


def test_the_batch_is_moved_up_the_slope(page: Page) -> None:
    Experiment(page, "Batch", "&batch=16")
    marker = page.locator(".chart .grip")
    expect(marker).to_contain_text("batch 16")
    marker.focus()
    page.keyboard.press("ArrowRight")
    expect(marker).to_contain_text("batch 32")
    expect(page).to_have_url(re.compile(r"[?&]batch=32(&|$)"))


def test_a_presenter_reveals_the_rungs(page: Page) -> None:
    Experiment(page, "Ladder", "&side=16&present=1")
    hidden = page.locator(".bars .row[data-hidden]")
    expect(hidden).to_have_count(7)
    page.keyboard.press("ArrowRight")
    expect(hidden).to_have_count(6)
    page.keyboard.press("r")
    expect(hidden).to_have_count(7)


def test_an_impossible_cache_is_explained(page: Page) -> None:
    Experiment(page, "Cache", f"{SHORT}&line=64&l1_ways=64")
    expect(page.get_by_test_id("stAlert")).to_contain_text("cannot be made of sets of 64 lines")
    expect(page.locator(".bars .row")).to_have_count(8)  # the page's own example


@pytest.mark.parametrize(("scheme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_colours_follow_the_theme(page: Page, scheme: str, palette: Palette) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    Experiment(page, "Cache", SHORT)
    red, green, blue = (int(palette.positive[i : i + 2], 16) for i in (1, 3, 5))
    expect(page.locator(".level-0 i")).to_have_css("background-color", f"rgb({red}, {green}, {blue})")


@pytest.mark.parametrize("experiment", ["Ladder", "Cache"])
def test_a_phone_shows_all_of_it(page: Page, experiment: str) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    Experiment(page, experiment, SHORT)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
