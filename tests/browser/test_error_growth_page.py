"""The page on error growth in a real browser: markers dragged, inputs typed, the guilty operator shown."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from app.theme import DARK, LIGHT
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import Visit, rgb

PHONE = {"width": 390, "height": 844}


class Experiment(Visit):
    """What a reader sees of the page and does to it."""

    def __init__(self, page: Page, experiment: str, query: str = "") -> None:
        super().__init__(page, f"/error_growth?v=1&experiment={quote(experiment)}{query}")
        expect(self.chart).to_be_visible()

    @property
    def chart(self) -> Locator:
        return self.page.locator(".chart svg.plot")

    @property
    def marker(self) -> Locator:
        return self.page.locator(".chart .grip")

    @property
    def tree(self) -> Locator:
        return self.page.locator(".tree")

    def drag_to(self, share: float) -> None:
        """Drag the marker to this share of the plotting area's width."""
        grip = self.marker.bounding_box()
        box = self.chart.bounding_box()
        assert grip is not None
        assert box is not None
        left, right = box["x"] + 56, box["x"] + box["width"] - 104
        height = box["y"] + box["height"] / 2
        self.page.mouse.move(grip["x"] + grip["width"] / 2, height)
        self.page.mouse.down()
        self.page.mouse.move(left + share * (right - left), height, steps=6)
        self.page.mouse.up()
        wait_until_idle(self.page)


def test_one_is_halved_step_by_step(page: Page) -> None:
    visit = Experiment(page, "Epsilon", "&format=fp16&step=9")
    caption = page.locator(".chart .caption")
    expect(caption).to_contain_text("is 1.001953125 in fp16: still above 1")
    visit.marker.focus()
    page.keyboard.press("ArrowRight")
    expect(caption).to_contain_text("is 1.0009765625 in fp16: still above 1")
    page.keyboard.press("ArrowRight")
    expect(caption).to_contain_text("is 1 in fp16: 1 again")
    expect(page).to_have_url(re.compile(r"[?&]step=11(&|$)"))
    visit.drag_to(0.0)
    expect(page).to_have_url(re.compile(r"[?&]step=0(&|$)"))


def test_algorithms_are_shown_and_hidden(page: Page) -> None:
    visit = Experiment(page, "Sums and dots", "&longest=10&runs=8")
    lines = visit.page.locator('.series.line[data-group="naive"]')
    expect(lines).to_have_count(1)
    expect(visit.page.locator('.series.line[data-group="Neumaier"]')).to_have_count(0)
    page.get_by_role("button", name="naive", exact=True).click()
    page.get_by_role("button", name="Neumaier", exact=True).click()
    expect(lines).to_have_count(0)
    expect(visit.page.locator('.series.line[data-group="Neumaier"]')).to_have_count(1)
    box = visit.chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".chart .caption")).to_contain_text(re.compile(r"n = \d+.*Kahan"))


def test_the_guilty_operator_is_pointed_at_and_an_input_typed(page: Page) -> None:
    visit = Experiment(page, "Cancellation")
    guilty = visit.tree.locator(".row[data-guilty]")
    expect(guilty).to_have_count(1)
    expect(guilty.locator("code")).to_have_text("-b + root")
    expect(visit.tree.get_by_text("23.7 of 24 bits lost")).to_be_visible()
    handle = visit.tree.get_by_role("spinbutton", name="value of b")
    handle.click()
    handle.fill("3")
    handle.press("Enter")
    expect(guilty).to_have_count(0)
    expect(visit.marker).to_contain_text("b = 3")
    expect(page).to_have_url(re.compile("values="))


def test_the_input_is_dragged_along_the_curves(page: Page) -> None:
    visit = Experiment(page, "Cancellation")
    visit.drag_to(0.25)  # from 10^4 to 10^2
    expect(visit.marker).to_contain_text(re.compile(r"b = (9\d|1\d\d)"))
    expect(visit.tree.get_by_role("spinbutton", name="value of b")).to_have_value(re.compile(r"9\d|1\d\d"))


def test_a_shared_part_lights_up_in_both_forms_and_rows_are_read_by_keys(page: Page) -> None:
    visit = Experiment(page, "Cancellation")
    rows = visit.tree.locator(".row", has_text="root = sqrt")
    rows.first.hover()
    expect(visit.tree.locator(".row.lit")).to_have_count(2)
    visit.tree.locator(".row").first.focus()
    page.keyboard.press("ArrowDown")
    expect(visit.tree.locator(".detail").first).to_contain_text("-b + root gives 0")


def test_an_own_expression_and_a_bad_one(page: Page) -> None:
    visit = Experiment(page, "Cancellation")
    field = page.get_by_role("textbox", name="Expression")
    field.fill("t = 1e-4\nlog(1 + t), log1p(t)")
    field.press("Control+Enter")
    wait_until_idle(page)
    expect(visit.tree.locator(".row[data-guilty] code")).to_have_text("log(1 + t)")
    field.fill("log(1 + t")
    field.press("Control+Enter")
    wait_until_idle(page)
    expect(page.get_by_test_id("stAlert")).to_contain_text("This bracket is never closed")
    expect(visit.tree.locator(".row[data-guilty] code")).to_have_text("log(1 + t)")


def test_threads_change_the_last_bits(page: Page) -> None:
    visit = Experiment(page, "Order and threads")
    expect(page.get_by_role("cell", name="pairwise")).to_be_visible()
    visit.marker.focus()
    page.keyboard.press("End")
    expect(page).to_have_url(re.compile(r"[?&]threads=64(&|$)"))
    expect(page.get_by_text("With 64 threads and their shares")).to_be_visible()


def test_a_number_is_rounded_a_thousand_times(page: Page) -> None:
    Experiment(page, "Stochastic rounding", "&format=bf16")
    expect(page.get_by_role("cell", name="0.333984375")).to_be_visible()
    field = page.get_by_role("textbox", name="Number", exact=True)
    field.fill("one third")
    field.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_contain_text("is not a number")
    expect(page.get_by_role("cell", name="0.333984375")).to_be_visible()


def test_presenter_keys_step(page: Page) -> None:
    Experiment(page, "Epsilon", "&format=fp16&step=0&present=1")
    for step in (1, 2):
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile(rf"[?&]step={step}(&|$)"))


def test_colours_follow_the_theme(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    visit = Experiment(page, "Stagnation", "&format=fp16&count=1000")
    stroke = visit.page.locator('.series.line[data-group="fp32"] .stroke')
    expect(stroke).to_have_css("stroke", rgb(DARK.value))
    page.emulate_media(color_scheme="light")
    expect(stroke).to_have_css("stroke", rgb(LIGHT.value))


@pytest.mark.parametrize("experiment", ["Sums and dots", "Cancellation"])
def test_a_phone_shows_all_of_it(page: Page, experiment: str) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    Experiment(page, experiment, "&longest=10&runs=8")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
