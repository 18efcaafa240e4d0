"""The broadcasting page in a real browser: linked cells forward and backward, live sums, steps."""

import re

import numpy as np
from playwright.sync_api import Locator, Page, expect

from app.theme import DARK, LIGHT
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import BoardVisit, rgb

BIAS = "?v=1&shapes=(4, 3) and (3,)"
MINUS = "−"
PHONE = {"width": 390, "height": 844}


class Board(BoardVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = BIAS) -> None:
        super().__init__(page, f"/broadcasting{query}")

    def cell(self, part: str, index: str) -> Locator:
        return self.root.locator(f'[class~="{part}"] [data-index="{index}"]')

    def lit(self, part: str) -> list[str]:
        return self.root.locator(f'[class~="{part}"] .cell.lit').evaluate_all(
            "(cells) => cells.map((cell) => cell.dataset.index)"
        )

    def numbers(self, part: str) -> list[float]:
        texts = self.root.locator(f'[class~="{part}"] .cell').all_inner_texts()
        return [float(text.replace(MINUS, "-")) for text in texts]


def test_the_cells_are_those_of_the_definition(page: Page) -> None:
    board = Board(page)
    a, b = np.array(board.numbers("a")).reshape(4, 3), np.array(board.numbers("b"))
    upstream = np.array(board.numbers("upstream")).reshape(4, 3)
    assert np.array_equal(board.numbers("result"), (a + b).reshape(-1))
    assert np.array_equal(board.numbers("b.grad"), upstream.sum(axis=0))
    assert np.array_equal(board.numbers("a.grad"), upstream.reshape(-1))
    expect(page.get_by_text(re.compile("6 of 6 figures agree"))).to_be_visible()


def test_an_operand_lights_all_that_read_it_forward_and_backward(page: Page) -> None:
    board = Board(page)
    board.cell("b", "1").hover()
    column = ["0,1", "1,1", "2,1", "3,1"]
    assert (board.lit("b"), board.lit("result"), board.lit("upstream")) == (["1"], column, column)
    assert board.lit("b.grad") == ["1"]
    total = sum(board.numbers("upstream")[1::3])
    assert f"={total:g}".replace("-", MINUS) in board.formula()
    assert "summedoverdimension0" in board.formula()


def test_an_element_of_the_result_lights_what_it_reads(page: Page) -> None:
    board = Board(page)
    board.cell("result", "2,0").hover()
    assert (board.lit("a"), board.lit("b"), board.lit("result")) == (["2,0"], ["0"], ["2,0"])
    assert (board.lit("a.grad"), board.lit("b.grad"), board.lit("upstream")) == (["2,0"], ["0"], ["2,0"])
    assert "b:2·0+0·1=position0" in board.formula()


def test_a_gradient_lights_exactly_the_terms_of_its_sum(page: Page) -> None:
    board = Board(page, "?v=1&shapes=(2, 3, 2) and (3, 1)&operation=multiply")
    board.cell("b.grad", "2,0").hover()
    assert board.lit("upstream") == ["0,2,0", "0,2,1", "1,2,0", "1,2,1"]
    a = np.array(board.numbers("a")).reshape(2, 3, 2)
    upstream = np.array(board.numbers("upstream")).reshape(2, 3, 2)
    expected = (a * upstream).sum(axis=(0, 2))[2]
    assert f"={expected:g}".replace("-", MINUS) in board.formula()


def test_repeats_are_drawn_when_asked(page: Page) -> None:
    board = Board(page)
    expect(board.root.locator('[class~="b"] .cell')).to_have_count(3)
    page.get_by_text("Show repeats").click()
    expect(board.root.locator('[class~="b"] .cell')).to_have_count(12)
    expect(board.root.locator('[class~="b"] .cell.repeat')).to_have_count(9)
    board.cell("b", "2,1").hover()
    assert board.lit("b") == ["0,1", "1,1", "2,1", "3,1"]


def test_dimensions_are_compared_one_by_one(page: Page) -> None:
    board = Board(page, f"{BIAS}&step=0")
    result = board.root.locator("tr.result td")
    assert result.all_inner_texts() == ["·", "·"]
    board.root.get_by_role("button", name="compare the next dimension").click()
    expect(board.root.locator(".said")).to_have_text("Dimension −1: a has 3, b has 3. They agree.")
    assert result.all_inner_texts() == ["·", "3"]
    board.root.get_by_role("button", name="compare the next dimension").click()
    expect(board.root.locator(".said")).to_contain_text("b is repeated 4 times, with stride 0")
    assert result.all_inner_texts() == ["4", "3"]
    expect(page).to_have_url(re.compile(r"[?&]step=2(&|$)"))


def test_shapes_that_do_not_fit_show_where(page: Page) -> None:
    board = Board(page, "?v=1&shapes=(4, 3) and (4,)")
    expect(board.root.locator("td.fault")).to_have_count(3)
    expect(board.root.locator(".said")).to_contain_text("do not broadcast")
    card = page.locator(".st-key-clinic")
    expect(card).to_contain_text("dimension 1 of (4, 3) is 3 and dimension 0 of (4,) is 4")
    expect(card).to_contain_text("at non-singleton dimension 1")
    field = page.get_by_role("textbox", name="Shapes")
    field.fill("(4, 3) and (4, 1)")
    field.press("Enter")
    expect(card).to_have_count(0)
    expect(board.root.locator('[class~="result"] .cell')).to_have_count(12)


def test_presenter_keys_compare_dimensions(page: Page) -> None:
    board = Board(page, f"{BIAS}&step=0&present=1")
    page.keyboard.press("ArrowRight")
    expect(board.root).to_have_attribute("data-step", "1")
    page.keyboard.press("PageDown")
    expect(board.root).to_have_attribute("data-step", "2")
    page.keyboard.press("ArrowLeft")
    expect(board.root).to_have_attribute("data-step", "1")


def test_the_gradients_are_hidden_until_they_are_predicted(page: Page) -> None:
    page.goto(f"/broadcasting{BIAS}")
    wait_until_idle(page)
    expect(page.locator('[class~="b.grad"] .panels')).to_be_hidden()
    page.get_by_label(re.compile("How many numbers")).fill("4")
    page.get_by_role("button", name="Commit").click()
    expect(page.get_by_text("Right.")).to_be_visible()
    expect(page.locator('[class~="b.grad"] .panels')).to_be_visible()


def test_a_phone_reads_it_without_a_sideways_page_in_both_themes(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    board = Board(page)
    expect(board.root.locator(".said")).to_be_visible()
    heading = board.root.locator('[class~="b.grad"] h3')
    expect(heading).to_have_css("color", rgb(DARK.gradient))
    page.emulate_media(color_scheme="light")
    expect(heading).to_have_css("color", rgb(LIGHT.gradient))
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
