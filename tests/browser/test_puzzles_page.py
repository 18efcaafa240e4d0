"""The puzzles page in a real browser: one solved, one failed, bad input, progress, hints, phone, theme."""

import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
from playwright.sync_api import Locator, Page, expect

from scripts.watch import wait_until_idle
from tests.browser.harness.visit import BoardVisit
from tests.studies.puzzle_answers import SOLUTIONS

MINUS = "−"
PHONE = {"width": 390, "height": 844}
EDGE = "a - a[arange(a.shape[0]) - 1]"


class Board(BoardVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, **fields: str) -> None:
        super().__init__(page, f"/puzzles?{urlencode({'v': '1', **fields})}")
        self.lines = self.root.get_by_role("textbox")
        self.message = self.root.locator(".message")
        self.count = self.root.locator(".count")

    def write(self, text: str, line: int = 0) -> None:
        self.lines.nth(line).fill(text)
        self.lines.nth(line).press("Enter")
        wait_until_idle(self.page)

    def choose(self, name: str) -> None:
        self.root.locator(f'[data-puzzle="{name}"]').click()
        wait_until_idle(self.page)

    def part(self, part: str, example: int = 0) -> Locator:
        return self.root.locator(f'.examples .example >> nth={example} >> [class~="{part}"]')

    def numbers(self, part: str, example: int = 0) -> np.ndarray:
        texts = self.part(part, example).locator(".cell").all_inner_texts()
        return np.array([float(text.replace(MINUS, "-")) for text in texts])

    def query(self) -> dict[str, Any]:
        return {key: values[0] for key, values in parse_qs(urlsplit(self.page.url).query).items()}


def test_a_puzzle_is_solved_and_the_next_one_opens(page: Page) -> None:
    board = Board(page, puzzle="ones")
    board.write("arange(n) >= 0")
    expect(board.message).to_have_text("Right, on 24 of 24 inputs. 14 characters.")
    expect(board.count).to_have_text("1 of 41 solved")
    expect(board.root.get_by_role("button", name="puzzle 1, ones, solved")).to_be_visible()
    assert board.numbers("yours:0").tolist() == board.numbers("wanted:0").tolist()
    assert board.query()["solved"] == "ones: arange(n) >= 0"
    board.lines.press("Enter")
    wait_until_idle(page)
    expect(board.root).to_have_attribute("data-puzzle", "sum")
    expect(board.lines).to_be_focused()
    board.write("(ones(a.shape[0]) @ a)[None]")
    expect(board.count).to_have_text("2 of 41 solved")
    assert board.numbers("wanted:0").tolist() == [board.numbers("a").sum()]


def test_a_wrong_answer_shows_where_and_the_simplest_input(page: Page) -> None:
    board = Board(page, puzzle="diff")
    board.write(EDGE)
    expect(board.message).to_contain_text("Not yet")
    a = board.numbers("a")
    assert board.numbers("wanted:0").tolist() == np.diff(a, prepend=0).tolist()
    assert board.numbers("yours:0").tolist() == (a - np.roll(a, 1)).tolist()
    wrong = board.part("yours:0").locator(".cell.wrong")
    assert wrong.evaluate_all("(cells) => cells.map((cell) => cell.dataset.index)") == ["0"]
    failing = board.root.locator("main > .example")
    expect(failing).to_be_visible()
    assert failing.locator(".cell").all_inner_texts() == ["1", "1", "0"]
    expect(board.count).to_have_text("0 of 41 solved")
    expect(board.root.get_by_role("button", name="Next unsolved")).to_be_hidden()


def test_bad_input_says_so_beside_the_line_and_keeps_the_last_picture(page: Page) -> None:
    board = Board(page, puzzle="ones", answer="arange(n)")
    before = board.numbers("yours:0").tolist()
    for line, said in (
        ("arange(n", "'(' was never closed"),
        ("arange(n) + m", "There is no “m” here"),
        ("9" * 161, "The line has 161 characters; at most 160 are read"),
        ("arange(n + 9999)", "elements. At most 4,096 are made"),
    ):
        board.write(line)
        expect(board.message).to_contain_text(said)
        expect(board.lines).to_have_value(line)
        assert board.numbers("yours:0").tolist() == before
        expect(board.part("yours:0")).to_contain_text("the last one that worked")
    board.write("arange(n) * 2")
    assert board.numbers("yours:0").tolist() == [2 * number for number in before]
    expect(board.part("yours:0")).not_to_contain_text("the last one that worked")


def test_a_line_is_judged_while_it_is_written(page: Page) -> None:
    board = Board(page, puzzle="ones")
    board.lines.press_sequentially("arange(n) - arange(n) + 1")
    expect(board.message).to_contain_text("Right")
    expect(board.count).to_have_text("1 of 41 solved")
    expect(board.lines).to_be_focused()
    expect(page).to_have_url(re.compile("solved=ones"))  # once the line has rested


def test_a_derivative_of_two_variables_has_two_lines(page: Page) -> None:
    board = Board(page, puzzle="d_multiplication")
    board.write("(o == i) * y[i]")
    expect(board.message.first).to_contain_text("Right")
    expect(board.count).to_have_text("0 of 41 solved")
    board.write("(o == i) * x[o]", line=1)
    expect(board.count).to_have_text("1 of 41 solved")
    x = board.numbers("x")
    assert np.array_equal(board.numbers("yours:1").reshape(len(x), len(x)), np.diag(x))
    expect(page.get_by_text(re.compile(r"15 of 15 figures agree with .*torch"))).to_be_visible()


def test_cells_of_a_jacobian_light_what_they_join(page: Page) -> None:
    board = Board(page, puzzle="d_cumsum", answer="i <= o")
    board.part("wanted:0").locator('[data-index="2,1"]').hover()
    for part, lit in (("yours:0", ["2,1"]), ("f", ["2"]), ("x", ["1"])):
        cells = board.part(part).locator(".cell.lit")
        assert cells.evaluate_all("(cells) => cells.map((cell) => cell.dataset.index)") == lit
    board.part("x").locator('[data-index="0"]').hover()
    expect(board.part("wanted:0").locator('.cell.lit[data-index$=",0"]')).to_have_count(
        len(board.numbers("x"))
    )


def test_progress_and_drafts_are_kept_in_the_browser(page: Page) -> None:
    board = Board(page, puzzle="ones")
    board.write(SOLUTIONS["ones"])
    board.choose("flip")
    board.write("a[0]")
    board = Board(page, puzzle="eye")
    expect(board.count).to_have_text("1 of 41 solved")
    board.choose("flip")
    expect(board.lines).to_have_value("a[0]")
    board.choose("ones")
    expect(board.lines).to_have_value(SOLUTIONS["ones"])
    board.root.get_by_role("button", name="Start over").click()
    board.root.get_by_role("button", name="Forget all answers?").click()
    wait_until_idle(page)
    expect(board.count).to_have_text("0 of 41 solved")
    expect(board.lines).to_have_value("")
    board = Board(page, puzzle="flip")
    expect(board.lines).to_have_value("")


def test_a_link_of_somebody_else_does_not_become_ones_own_progress(page: Page) -> None:
    board = Board(page, puzzle="eye", solved=f"ones: {SOLUTIONS['ones']}\nsum: nonsense")
    expect(board.count).to_have_text("1 of 41 solved")
    board = Board(page, puzzle="eye")
    expect(board.count).to_have_text("0 of 41 solved")


def test_hints_open_one_after_another(page: Page) -> None:
    board = Board(page, puzzle="flip")
    hints = board.root.locator(".hints li")
    for count in (1, 2):
        board.root.get_by_role("button", name=re.compile("hint")).click()
        expect(hints).to_have_count(count)
    expect(board.root.get_by_role("button", name=re.compile("hint"))).to_be_hidden()
    board.root.get_by_role("button", name="next puzzle").click()
    wait_until_idle(page)
    expect(board.root).to_have_attribute("data-puzzle", "compress")
    expect(hints).to_have_count(0)


def test_keys_walk_the_chips_and_other_examples_can_be_had(page: Page) -> None:
    board = Board(page, puzzle="ones")
    board.root.locator('[data-puzzle="ones"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    wait_until_idle(page)
    expect(board.root).to_have_attribute("data-puzzle", "sum")
    before = board.numbers("a").tolist()
    board.root.get_by_role("button", name="Other examples").click()
    wait_until_idle(page)
    assert board.numbers("a").tolist() != before
    assert board.query()["seed"] == "1"


def test_presenter_keys_go_from_puzzle_to_puzzle(page: Page) -> None:
    board = Board(page, puzzle="ones", present="1")
    for key, puzzle in (("ArrowRight", "sum"), ("PageDown", "outer"), ("ArrowLeft", "sum"), ("Home", "ones")):
        page.keyboard.press(key)
        expect(board.root).to_have_attribute("data-puzzle", puzzle)
        wait_until_idle(page)


def test_a_phone_shows_all_and_the_theme_is_followed(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    board = Board(page, puzzle="d_convolution_2d", answer=SOLUTIONS["d_convolution_2d"])
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(board.root).to_have_attribute("data-theme", "dark")
    chip = board.root.locator('[data-puzzle="d_convolution_2d"]').bounding_box()
    assert chip is not None
    assert chip["x"] + chip["width"] <= PHONE["width"]
    box = board.lines.first.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= PHONE["width"]
