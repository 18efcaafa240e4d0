"""The images page in a real browser: training watched, a digit drawn, a mistake looked at."""

import re

from playwright.sync_api import Page, expect

from scripts.watch import wait_until_idle
from tests.browser.harness.visit import LiveVisit

SMALL = "?v=1&channels=3&hidden=16&batch=100"
PHONE = {"width": 390, "height": 844}


class Board(LiveVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = SMALL) -> None:
        super().__init__(page, f"/images{query}")

    def epochs(self, count: int) -> None:
        for epoch in range(1, count + 1):
            self.press("one epoch")
            expect(self.root.locator("output.epoch")).to_have_text(str(epoch))


def test_it_learns_and_the_link_brings_it_back(page: Page) -> None:
    board = Board(page)
    before = board.root.locator(".figures").inner_text()
    board.epochs(2)
    after = board.root.locator(".figures").inner_text()
    assert after != before
    expect(page).to_have_url(re.compile(r"[?&]epoch=2(&|$)"))
    page.reload()
    wait_until_idle(page)
    expect(board.root.locator(".figures")).to_have_text(after.replace("\n", ""))


def test_a_digit_is_drawn(page: Page) -> None:
    board = Board(page)
    board.epochs(1)
    board.root.get_by_role("button", name="clear").click()
    expect(page).to_have_url(re.compile(r"probe=0{64}"))
    wait_until_idle(page)
    box = board.root.locator("canvas.probe").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(middle, box["y"] + box["height"] - 8, steps=10)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"probe=[0-9a-f]*[c-f][0-9a-f]*"))
    expect(board.root.locator(".told")).to_contain_text("Drawn: taken for a")
    expect(board.root.locator("output.epoch")).to_have_text("1")


def test_a_mistake_is_looked_at(page: Page) -> None:
    board = Board(page)
    board.epochs(1)
    mistake = board.root.locator(".mistake").first
    number = mistake.get_attribute("data-number")
    mistake.click()
    expect(board.root.locator(".told")).to_contain_text(f"Test image {number}: taken for a")
    expect(board.root.locator(".told")).to_have_class(re.compile("wrong"))


def test_convolutions_are_all_shown(page: Page) -> None:
    board = Board(page, "?v=1&channels=2,+3&hidden=0")
    expect(board.root.locator(".stage")).to_have_count(2)
    expect(board.root.locator(".stage").nth(1).locator(".map")).to_have_count(3)
    expect(board.root.locator(".stage").nth(1).locator(".kernel")).to_have_count(6)
    expect(board.root.locator(".confusion td")).to_have_count(100)


def test_a_phone_shows_all_of_it(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    board = Board(page)
    expect(board.root.locator("canvas.probe")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
