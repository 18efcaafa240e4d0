"""The page of the nets of 1986 in a real browser: a run, a pattern, a weight set by hand, a question."""

import re

from playwright.sync_api import Page, expect

from scripts.watch import wait_until_idle
from tests.browser.harness.visit import LiveVisit

PHONE = {"width": 390, "height": 844}
FAMILY = "?v=1&task=family+trees&seed=1&spread=1&rate=0.05&warm_up=100"


class Board(LiveVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = "?v=1&warm_up=100") -> None:
        super().__init__(page, f"/historic{query}")


def test_a_net_trained_to_the_end_has_the_weights_of_the_paper(page: Page) -> None:
    board = Board(page, "?v=1&seed=0&warm_up=100&epoch=700")
    expect(board.root.locator("output.epoch")).to_have_text("700", timeout=30_000)
    expect(board.root.locator(".told").first).to_contain_text("1 : 2 : 4")
    expect(board.root.locator(".patterns")).to_contain_text("64 right")
    board.root.get_by_role("button", name="bit 1: 1").click()
    expect(page).to_have_url(re.compile(r"pattern=000001"))
    expect(board.root.locator(".verdict").first).to_contain_text("should be 0: right")
    board.root.locator("[data-bits='010010']").click()
    expect(page).to_have_url(re.compile(r"pattern=010010"))
    expect(board.root.locator(".verdict").first).to_contain_text("should be 1: right")


def test_a_weight_is_set_by_hand_and_the_link_keeps_it(page: Page) -> None:
    board = Board(page)
    board.press("one epoch")
    board.reach(1)
    board.root.locator("[data-name='weight.0.1.2']").click()
    field = board.root.locator(".card input")
    field.fill("-3.5")
    field.press("Enter")
    expect(board.root.locator("[data-name='weight.0.1.2'] b")).to_have_text("\N{MINUS SIGN}3.5")
    expect(page).to_have_url(re.compile(r"past=1%3A%7B%22weight.0.1.2%22%3A-3.5%7D"))


def test_a_question_is_asked_of_the_family(page: Page) -> None:
    board = Board(page, FAMILY)
    board.press("one epoch")
    board.reach(1)
    board.root.get_by_role("combobox", name="relationship").select_option("father")
    expect(page).to_have_url(re.compile(r"relation=father"))
    expect(board.root.locator(".ask .verdict")).to_contain_text("In the tree: James")
    wait_until_idle(page)
    board.root.get_by_title(re.compile("^Sophia to unit 1")).click()
    expect(page).to_have_url(re.compile(r"person=Sophia"))
    expect(board.root.locator(".ask .verdict")).to_contain_text("In the tree: Marco")
    expect(board.root.locator(".held tr")).to_have_count(4)


def test_a_phone_shows_all_of_it(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for query in ("?v=1", FAMILY):
        board = Board(page, query)
        expect(board.root.locator(".transport")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
