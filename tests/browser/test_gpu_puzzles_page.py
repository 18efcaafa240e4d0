"""The page of GPU puzzles in a real browser: one typed and solved, faults shown, steps, progress, phone."""

import re
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Page, expect

from engine.gpu_puzzles.catalogue import PUZZLES
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import BoardVisit

PHONE = {"width": 390, "height": 844}
RACE = "if i < size:\n    shared[local_i] = a[i]\nif i < size:\n    out[i] = shared[local_i] + shared[0]"


class Board(BoardVisit):
    """What a reader sees of the component and does to it."""

    skips = False

    def __init__(self, page: Page, **fields: str) -> None:
        super().__init__(page, f"/gpu_puzzles?{urlencode({'v': '1', **fields})}")
        self.lines = self.root.get_by_role("textbox", name="lines of the kernel")
        self.found = self.root.locator(".found")
        self.count = self.root.locator(".count")
        self.slider = self.root.get_by_role("slider", name="step of the block")

    def write(self, text: str) -> None:
        self.lines.fill(text)
        self.lines.press("Control+Enter")
        wait_until_idle(self.page)

    def choose(self, name: str) -> None:
        self.root.locator(f'[data-puzzle="{name}"]').click()
        wait_until_idle(self.page)

    def numbers(self, array: str) -> list[float]:
        return [
            float(text or "nan") for text in self.root.locator(f'[data-array="{array}"]').all_inner_texts()
        ]

    def marked(self, selector: str, name: str) -> list[int]:
        script = f"(cells) => cells.map((cell) => Number(cell.dataset.{name}))"
        found: list[int] = self.root.locator(selector).evaluate_all(script)
        return found

    def line(self) -> int:
        """The number of the line that is lit; the head is 0."""
        script = "(rows) => rows.findIndex((row) => row.classList.contains('current'))"
        found: int = self.root.locator(".rows-of-code .row").evaluate_all(script)
        return found


def test_a_kernel_is_typed_judged_and_kept(page: Page) -> None:
    board = Board(page, puzzle="guard")
    board.lines.press_sequentially("if i < size:")
    board.lines.press("Enter")
    board.lines.press_sequentially("out[i] = a[i] + 10")
    expect(board.lines).to_have_value("if i < size:\n    out[i] = a[i] + 10")
    expect(board.found).to_contain_text("Right. 5 of 5 launches")
    expect(board.count).to_have_text("1 of 14 solved")
    expect(board.lines).to_be_focused()
    expect(page).to_have_url(re.compile("solved=%5Bguard"))  # once the lines have rested
    wait_until_idle(page)
    board.lines.press("Control+Enter")
    wait_until_idle(page)
    expect(board.root).to_have_attribute("data-puzzle", "map_2d")
    board.write("out[i, j] = q")
    expect(board.found).to_contain_text("Line 3. There is no “q” here.")
    expect(board.root.locator(".row.faulty span")).to_have_count(1)
    board = Board(page, puzzle="zip")
    expect(board.count).to_have_text("1 of 14 solved")
    board.choose("map_2d")
    expect(board.lines).to_have_value("out[i, j] = q")
    board.root.get_by_role("button", name="Start over").click()
    board.root.get_by_role("button", name="Forget all answers?").click()
    wait_until_idle(page)
    expect(board.count).to_have_text("0 of 14 solved")
    expect(board.lines).to_have_value("")


def test_steps_light_line_threads_and_cells(page: Page) -> None:
    board = Board(page, puzzle="shared", answer=PUZZLES["shared"].reference, step="0")
    assert board.line() == 5
    assert (
        board.marked(".lane.read", "thread")
        == board.marked('[data-array="a"].read', "element")
        == [0, 1, 2, 3]
    )
    board.slider.fill("2")
    assert board.line() == 6
    assert board.marked(".lane.waiting", "thread") == [0, 1, 2, 3]
    board.slider.fill("4")
    assert board.marked('[data-array="shared"].read', "element") == [0]
    expect(board.root.locator(".terms")).to_have_text("4 threads read the same shared[0].")
    wait_until_idle(page)
    board.root.get_by_role("button", name="show block 1").click()
    expect(board.root.locator('.block.here[data-block="1"]')).to_be_visible()
    wait_until_idle(page)
    board.slider.fill(board.slider.get_attribute("max") or "")
    a = np.array(board.numbers("a"))
    assert board.numbers("out") == [*(a[:4] + a[0]), *(a[4:] + a[4])]
    assert board.marked(".lane.idle", "thread") == [3]
    expect(page).to_have_url(re.compile(r"&block=1&step=5(&|$)"))


def test_a_race_and_a_wrong_number_are_shown_where_they_happen(page: Page) -> None:
    board = Board(page, puzzle="shared", answer=RACE)
    expect(board.found).to_contain_text("Race: thread 0 of block 0 writes shared[0] and thread 1")
    assert board.line() == 7
    assert board.marked(".lane.faulty", "thread") == [0, 1]
    assert len(board.root.locator(".row.faulty").all()) == 2
    board.slider.fill("0")
    board.root.get_by_role("button", name="Show the step").click()
    assert board.line() == 7
    wait_until_idle(page)
    board.choose("blocks")
    board.write("if i < size:\n    out[i] = a[cuda.threadIdx.x] + 10")
    expect(board.found).to_contain_text("Wrong value: out[2] is 11, and should be 15")
    assert board.marked(".goal.missed", "goal") == [2, 3, 4]
    board.write("out[i] = a[i] + 10")
    expect(board.found).to_contain_text("Out of bounds: thread 3 of block 0 reads a[3], and a ends at a[2]")
    assert board.marked(".lane.faulty", "thread") == [3]
    board.write("out[i] = (")
    expect(board.root.locator(".picture.stale")).to_be_visible()
    assert board.marked(".lane.faulty", "thread") == [3]


def test_hints_reference_prediction_and_launches(page: Page) -> None:
    board = Board(page, puzzle="pooling", answer=PUZZLES["pooling"].reference)
    score = board.root.locator('[data-score="global reads"] td')
    assert score.all_inner_texts() == ["1", "?", "1"]
    page.get_by_label(re.compile("How many numbers")).fill("1")
    page.get_by_role("button", name="Commit").click()
    expect(page.get_by_text("You said")).to_be_visible()
    expect(score).to_have_text(["1", "1", "1"])
    board.root.get_by_role("button", name=re.compile("hint")).click()
    expect(board.root.locator(".hints li")).to_have_count(1)
    board.root.get_by_role("button", name="Show the reference").click()
    expect(board.root.locator(".reference")).to_have_text(PUZZLES["pooling"].reference)
    board.root.get_by_role("button", name="a: 3, 1 block of 4").click()
    expect(board.root.locator('[data-array="a"]')).to_have_count(3)
    expect(page.get_by_text(re.compile(r"11 of 11 figures agree"))).to_be_visible()


def test_presenters_step_and_phones_keep_to_the_page(page: Page) -> None:
    board = Board(page, puzzle="matmul", answer=PUZZLES["matmul"].reference, present="1", step="0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    expect(board.root.locator(".picture")).to_have_attribute("data-step", "2")
    page.set_viewport_size(PHONE)
    for name in ("matmul", "convolution"):
        Board(page, puzzle=name, answer=PUZZLES[name].reference)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
