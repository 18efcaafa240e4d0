"""The page of GPUs in a real browser: steps light lines, lanes and cells; links, costs, mistakes, keys."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from scripts.watch import wait_until_idle
from tests.browser.harness.visit import BoardVisit

SUM = "?v=1&elements=128&threads=64&blocks=2"
MATMUL = "?v=1&kernel=matmul&n=8&tile=4"
PHONE = {"width": 390, "height": 844}


class Board(BoardVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = SUM) -> None:
        super().__init__(page, f"/gpu{query}")
        self.slider = self.root.get_by_role("slider", name="step of the block")
        self.next = self.root.get_by_role("button", name="the next step")

    def cell(self, array: str, element: int) -> Locator:
        return self.root.locator(f'[data-array="{array}"][data-element="{element}"]')

    def lane(self, thread: int) -> Locator:
        return self.root.locator(f'[data-thread="{thread}"]')

    def lanes(self, state: str) -> list[int]:
        return [int(thread) for thread in self.attributes(f".lane.{state}", "thread")]

    def cells(self, array: str, state: str) -> list[int]:
        return [int(element) for element in self.attributes(f'[data-array="{array}"].{state}', "element")]

    def numbers(self, array: str) -> list[float]:
        texts = self.root.locator(f'[data-array="{array}"]').all_inner_texts()
        return [float(text.replace("−", "-")) if text else float("nan") for text in texts]

    def line(self) -> str:
        return self.root.locator(".code code.current .text").inner_text().strip()

    def said(self) -> str:
        return self.root.locator(".terms").inner_text()

    def count(self, name: str) -> list[str]:
        return self.root.locator(f'[data-count="{name}"] td').all_inner_texts()


def test_steps_light_line_lanes_and_cells(page: Page) -> None:
    board = Board(page)
    assert board.line() == "v = x_[p]"
    assert board.lanes("read") == board.cells("x", "read") == list(range(32))
    board.next.click()
    assert board.lanes("read") == board.cells("x", "read") == list(range(32, 64))  # the second warp
    expect(page).to_have_url(re.compile(r"[?&]step=1(&|$)"))
    board.slider.fill("4")
    assert board.line() == "cuda.syncthreads()"
    assert board.lanes("waiting") == list(range(64))
    board.slider.fill("9")
    assert (board.line(), board.lanes("read"), board.lanes("idle")) == (
        "totals[t] += totals[far]",
        list(range(16)),
        list(range(16, 32)),
    )
    assert board.cells("totals", "read") == list(range(16))
    x = np.array(board.numbers("x"))[:64]
    assert board.numbers("totals")[:32] == (x[:32] + x[32:]).tolist()


def test_the_last_step_leaves_the_sum(page: Page) -> None:
    board = Board(page)
    board.slider.fill(board.slider.get_attribute("max") or "")
    total = sum(board.numbers("x")[:64])
    assert board.numbers("out") == [total, 0]
    board.root.get_by_role("button", name="block 1").click()
    wait_until_idle(page)
    assert board.numbers("out")[0] == total  # block 0 has run before
    expect(page.get_by_text(re.compile(r"9 of 9 figures agree with closed forms"))).to_be_visible()


def test_cells_and_threads_light_each_other(page: Page) -> None:
    board = Board(page, MATMUL)
    board.cell("a_strip", 9).hover()  # k 1, row 1: written by one thread, read by a row of four
    assert sorted(board.lanes("lit")) == [4, 5, 6, 7, 9]
    assert "a_strip[1, 1], bank 9: thread 9 writes it" in board.said()
    board.lane(5).hover()
    assert set(board.cells("b_strip", "lit")) == {8 * k + 1 for k in range(8)} | {8 * k + 1 for k in (1, 5)}
    assert board.cells("out", "lit") == [9]  # row 1, column 1
    board.lane(5).click()
    page.mouse.move(5, 5)
    assert board.cells("out", "lit") == [9]
    board.next.click()
    page.mouse.move(5, 5)
    assert board.cells("out", "lit") == []


def test_a_result_leads_to_the_thread_that_writes_it(page: Page) -> None:
    """Tiles of 4 × 4: element (1, 2) is thread 6's of block 0; to its right, another block begins."""
    board = Board(page, MATMUL)
    owners = board.root.locator(".owners .cell")
    assert owners.all_inner_texts()[8:16] == ["4", "5", "6", "7"] * 2
    owners.nth(10).hover()
    expect(board.lane(6)).to_have_class(re.compile(r"\blit\b"))
    expect(board.cell("out", 10)).to_have_class(re.compile(r"\blit\b"))
    owners.nth(12).click()
    expect(board.root.get_by_role("button", name="block 1", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_counts_stand_beside_their_closed_forms_and_are_swept(page: Page) -> None:
    board = Board(page, MATMUL)
    assert board.count("global reads") == ["2·N³ / tile", "256", "256", "✓"]
    board.root.get_by_role("button", name="tile 1: 1,024").click()
    wait_until_idle(page)
    assert board.count("global reads") == ["2·N³", "1,024", "1,024", "✓"]
    expect(page).to_have_url(re.compile(r"tile=1(&|$)"))


def test_banks_and_sectors_show_what_is_lost(page: Page) -> None:
    board = Board(page, "?v=1&kernel=shared memory&stride=8&step=3")
    assert "8 passes, as 8 different words lie in one bank" in board.said()
    assert len(board.cells("shared", "conflict")) == 28
    board = Board(page, "?v=1&kernel=map&elements=32&threads=32&blocks=1&stride=2")
    assert "2 segments of 128 bytes, 8 sectors of 32, 50 %" in board.said()
    assert board.cells("a", "moved") == list(range(1, 64, 2))


@pytest.mark.parametrize(
    ("query", "kind", "line"),
    [
        ("kernel=sum&mistake=missing barrier", "race", "totals[t] += totals[far]"),
        ("kernel=shared memory&mistake=divergent barrier", "divergent barrier", "cuda.syncthreads()"),
        ("kernel=matmul&n=6&tile=4&mistake=out of bounds", "out of bounds", "a_strip["),
    ],
)
def test_mistakes_are_pointed_at(page: Page, query: str, kind: str, line: str) -> None:
    board = Board(page, f"?v=1&{query}")
    expect(board.root.locator(".found b")).to_have_text(f"Found: {kind}.")
    board.root.get_by_role("button", name=re.compile("^Show step")).click()
    wait_until_idle(page)
    assert board.line().startswith(line)
    assert board.root.locator(".lane:is(.faulty, .waiting)").count()
    assert board.root.locator("code.planted").count()


def test_a_mistake_without_a_place_keeps_the_last_picture(page: Page) -> None:
    board = Board(page, "?v=1&kernel=map&elements=64")
    page.get_by_role("combobox", name=re.compile("Mistake")).click()
    page.get_by_role("option", name="missing barrier").click()
    expect(page.get_by_text("waits at no barrier")).to_be_visible()
    assert board.line() == "a = a_[a_p]"


def test_counts_are_hidden_until_one_is_predicted(page: Page) -> None:
    page.goto(f"/gpu{MATMUL}")
    wait_until_idle(page)
    expect(page.locator(".costs")).to_be_hidden()
    page.get_by_label(re.compile("How many numbers")).fill("256")
    page.get_by_role("button", name="Commit").click()
    expect(page.get_by_text("Right.")).to_be_visible()
    expect(page.locator(".costs")).to_be_visible()


def test_presenter_keys_and_play(page: Page) -> None:
    board = Board(page, f"{SUM}&present=1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    expect(board.root).to_have_attribute("data-step", "2")
    page.keyboard.press("Home")
    expect(board.root).to_have_attribute("data-step", "0")
    board.root.get_by_role("button", name="play").click()
    expect(board.root).to_have_attribute("data-step", "2")
    board.root.get_by_role("button", name="pause").click()


@pytest.mark.parametrize("query", ["?v=1&kernel=matmul&n=32&tile=32", "?v=1&kernel=convolution&n=12"])
def test_large_launches_and_phones_keep_to_the_page(page: Page, query: str) -> None:
    board = Board(page, query)
    page.set_viewport_size(PHONE)
    expect(board.root.locator('[data-name="out"]')).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
