"""The matmul ladder in a real browser: measured, stopped, queued, given up; pictures and keys. No timings."""

import re
from urllib.parse import quote

from playwright.sync_api import Browser, Locator, Page, expect

from app.theme import DARK, LIGHT
from scripts.live_server import LiveServer
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import Visit, rgb

PHONE = {"width": 390, "height": 844}
LONG = "Working set"  # takes seconds to measure
SHORT = "&real_side=16"  # of the cache: measured in a moment


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


def test_a_presenter_moves_the_blocks_along_the_law(page: Page) -> None:
    Experiment(page, "Block size", "&l1=2048&block=3&present=1")
    marker = page.locator(".chart .grip").first
    expect(marker).to_contain_text("blocks of 3")
    page.keyboard.press("PageDown")
    expect(marker).to_contain_text("blocks of 6")
    expect(page).to_have_url(re.compile(r"[?&]block=6(&|$)"))
    wait_until_idle(page)
    page.keyboard.press("r")
    expect(marker).to_contain_text("blocks of 3")


def test_a_presenter_reveals_the_curves(page: Page) -> None:
    """Nothing is measured here: only the sizes of the caches are drawn."""
    Experiment(page, "Data layout", "&present=1")
    chart = page.locator("[data-present]").filter(has=page.locator(".chart"))
    page.keyboard.press("ArrowRight")
    expect(chart).to_have_attribute("data-revealed", "2")
    page.keyboard.press("r")
    expect(chart).to_have_attribute("data-revealed", "1")


def test_an_impossible_cache_is_explained(page: Page) -> None:
    Experiment(page, "Cache", f"{SHORT}&line=64&l1_ways=64")
    expect(page.get_by_test_id("stAlert")).to_contain_text("cannot be made of sets of 64 lines")
    expect(page.locator(".bars .row")).to_have_count(8)  # the page's own example


def test_a_phone_shows_all_of_it_in_both_themes(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    for experiment in ("Ladder", "Cache"):
        Experiment(page, experiment, SHORT)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator(".level-0 i")).to_have_css("background-color", rgb(DARK.positive))
    page.emulate_media(color_scheme="light")
    expect(page.locator(".level-0 i")).to_have_css("background-color", rgb(LIGHT.positive))
