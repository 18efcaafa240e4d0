"""The words page in a real browser: training watched, a word typed, a mistake looked at, sentences read."""

import re

from playwright.sync_api import Page, expect

from scripts.watch import wait_until_idle
from tests.browser.harness.visit import LiveVisit
from tests.engine.text.labelled import labelled

SMALL = "?v=1&filters=6&embedding=4&batch=500"
PHONE = {"width": 390, "height": 844}


class Board(LiveVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = SMALL) -> None:
        super().__init__(page, f"/text{query}")

    def train_an_epoch(self) -> None:
        self.press("one epoch")
        expect(self.root.locator("output.epoch")).to_have_text("1")

    def bring(self, content: bytes) -> None:
        """Choose a file of sentences, where the choice is open."""
        file = {"name": "mine.tsv", "mimeType": "text/plain", "buffer": content}
        self.page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]


def test_it_learns_and_a_word_is_typed(page: Page) -> None:
    board = Board(page)
    before = board.root.locator(".figures").inner_text()
    board.train_an_epoch()
    assert board.root.locator(".figures").inner_text() != before
    field = board.root.get_by_role("textbox", name="word")
    field.fill("Dreadful")
    field.press("Enter")
    expect(board.root.locator(".token")).to_have_count(8)
    expect(page).to_have_url(re.compile(r"word=dreadful"))
    expect(page).to_have_url(re.compile(r"[?&]past=(&|$)"))
    expect(board.root.locator("output.epoch")).to_have_text("1")
    expect(board.root.locator("mark").nth(1)).to_be_visible()


def test_what_is_no_word_says_so_and_nothing_is_lost(page: Page) -> None:
    board = Board(page)
    field = board.root.get_by_role("textbox", name="word")
    field.fill("42")
    field.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_contain_text("the letters a to z")
    expect(board.root.locator(".token")).to_have_count(len("wonderful"))


def test_a_mistake_is_looked_at(page: Page) -> None:
    board = Board(page)
    board.train_an_epoch()
    mistake = board.root.locator(".mistakes button").first
    word = mistake.evaluate("(button) => button.firstChild.textContent")
    mistake.click()
    expect(page).to_have_url(re.compile(f"word={word}"))
    expect(board.root.locator(".token")).to_have_count(len(word[:18]))


def test_sentences_are_brought_and_one_is_typed(page: Page) -> None:
    board = Board(page)
    page.get_by_role("button", name="From a file").click()
    board.bring(b"text,label\nlovely,1\n")
    expect(page.get_by_test_id("stAlert")).to_contain_text("The first line should name two columns")
    expect(board.root.locator(".token")).to_have_count(len("wonderful"))
    board.bring(labelled())
    expect(page).to_have_url(re.compile(r"data=own(\+|%20)file"))
    wait_until_idle(page)
    field = board.root.get_by_role("textbox", name="sentence")
    field.fill("A superb zorgly film")
    field.press("Enter")
    expect(board.root.locator(".token")).to_have_text(
        [re.compile(word) for word in ("a", "superb", "zorgly", "film")]
    )
    expect(board.root.locator(".token.unknown")).to_contain_text("zorgly")


def test_a_phone_shows_all_of_it(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    board = Board(page)
    expect(board.root.locator(".tokens")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
