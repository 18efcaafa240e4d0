"""The page on laws in a real browser: an example followed step by step, the way to it, its surroundings."""

import re
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

from app.theme import DARK
from scripts.watch import wait_until_idle

PHONE = {"width": 390, "height": 844}
DIVISION = {"law": "(a/b)*b == a", "domain": "positive"}


class Visit:
    """What a reader sees of the board and does to it."""

    def __init__(self, page: Page, **fields: str) -> None:
        self.page = page
        page.goto("/laws?" + urlencode({"v": "1", "examples": "100", **DIVISION, **fields}))
        self.board = page.locator(".law-board")
        expect(self.board).to_be_visible()
        wait_until_idle(page)
        skip = page.get_by_role("button", name="Skip")
        if skip.count():
            skip.click()
        expect(self.board.locator(".example")).to_be_visible()
        wait_until_idle(page)

    @property
    def given(self) -> Locator:
        return self.board.locator(".given output")

    @property
    def entries(self) -> Locator:
        return self.board.locator(".path .entry")


def test_the_way_to_the_example_is_walked_back(page: Page) -> None:
    visit = Visit(page)
    expect(visit.board.locator(".relation")).to_have_text("≠")
    last = visit.entries.count() - 1
    assert last > 0
    expect(visit.entries.nth(last)).to_have_attribute("aria-selected", "true")
    simplest = visit.given.all_inner_texts()
    visit.entries.nth(0).click()
    expect(page).to_have_url(re.compile(rf"[?&]back={last}(&|$)"))
    expect(visit.given.first).not_to_have_text(simplest[0])
    visit.board.get_by_role("slider").focus()
    page.keyboard.press("End")
    expect(visit.given.first).to_have_text(simplest[0])


def test_steps_light_what_they_are_computed_from_and_the_picture_names_numbers(page: Page) -> None:
    visit = Visit(page)
    visit.board.locator(".side.left .step[data-number='2']").hover()
    expect(visit.board.locator(".step.lit")).to_have_count(2)
    canvas = visit.board.locator(".picture canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(visit.board.locator(".caption")).to_contain_text(re.compile(r"a = .*, b = .*: (the sides|\d)"))
    visit.board.get_by_role("button", name="closer").click()
    expect(page).to_have_url(re.compile(r"[?&]zoom=-1(&|$)"))


def test_an_own_law_a_bad_one_and_one_that_holds(page: Page) -> None:
    visit = Visit(page)
    field = page.get_by_role("textbox", name="Law")
    field.fill("a*b = ")
    field.press("Control+Enter")
    expect(page.get_by_test_id("stAlert")).to_contain_text("A side is missing after")
    expect(page.get_by_text("Below is the last one that worked")).to_be_visible()
    wait_until_idle(page)
    expect(visit.board.locator(".statement code").first).to_have_text("(a/b)*b")
    field.fill("a*b = b*a")
    field.press("Control+Enter")
    expect(visit.board.locator(".statement code").first).to_have_text("a*b")
    expect(visit.board.locator(".relation")).to_have_text("=")
    expect(page.get_by_text("tried, not proved")).to_be_visible()
    skip = page.get_by_role("button", name="Skip")
    assert skip.count() == 0


def test_presenter_keys_step_and_colours_follow_the_theme(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    visit = Visit(page, present="1")
    red, green, blue = (int(DARK.error[i : i + 2], 16) for i in (1, 3, 5))
    expect(visit.board.locator(".relation")).to_have_css("color", f"rgb({red}, {green}, {blue})")
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"[?&]back=1(&|$)"))


def test_a_phone_shows_all_of_it(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    Visit(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
