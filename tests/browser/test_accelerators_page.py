"""The accelerators page in a real browser: cycles, links in both directions, the batch dragged."""

import re

import numpy as np
from playwright.sync_api import Locator, Page, expect

from scripts.watch import wait_until_idle
from tests.browser.harness.visit import Visit

MINUS = "−"
PHONE = {"width": 390, "height": 844}
SUMS_STAY = "?v=1&dataflow=output-stationary&product=4, 6, 4"


class Board(Visit):
    """What a reader sees of the board and does to it."""

    def __init__(self, page: Page, query: str = "?v=1") -> None:
        super().__init__(page, f"/accelerators{query}")
        self.root = self.root.filter(has=page.locator(".systolic"))
        expect(self.root).to_be_visible()

    def cell(self, part: str, index: str) -> Locator:
        return self.root.locator(f'[class~="{part}"] [data-index="{index}"]')

    def element(self, place: str) -> Locator:
        return self.root.locator(f'[data-place="{place}"]')

    def marked(self, part: str, mark: str) -> set[str]:
        cells = self.root.locator(f'[class~="{part}"] .cell.{mark}')
        return set(cells.evaluate_all("(all) => all.map((one) => one.dataset.index ?? one.dataset.place)"))

    def matrix(self, part: str) -> np.ndarray:
        texts = self.root.locator(f'[class~="{part}"] .cell').all_text_contents()
        return np.array([float(text.replace(MINUS, "-")) for text in texts])

    def to_cycle(self, cycle: int) -> None:
        self.root.get_by_role("slider", name="cycle").fill(str(cycle - 1))

    def formula(self) -> str:
        return re.sub(r"\s+", "", self.root.locator(".formula").inner_text()).replace(MINUS, "-")


def test_the_last_cycle_leaves_the_product(page: Page) -> None:
    board = Board(page)
    expect(board.root.locator(".lengths")).to_contain_text("4 + 4 + 4 − 2 = 10 → predicted 10, counted 10")
    assert board.root.locator(".y .cell.pending").count() == 16
    board.to_cycle(10)
    x, w, y = (board.matrix(part).reshape(4, 4) for part in "xwy")
    assert np.array_equal(y, x @ w)
    expect(page.get_by_text(re.compile("6 of 6 figures agree"))).to_be_visible()


def test_a_cycle_lights_the_diagonals_that_meet_and_an_element_its_own(page: Page) -> None:
    board = Board(page)
    board.root.get_by_role("button", name="the next cycle").click()
    page.mouse.move(5, 5)
    assert board.root.locator(".pe:not(.idle)").count() == 3
    assert board.marked("x", "lit") == {"0,0", "0,1", "1,0"}
    assert board.marked("w", "lit") == {"0,0", "0,1", "1,0"}
    expect(page).to_have_url(re.compile(r"[?&]step=1(&|$)"))
    board.to_cycle(5)
    board.element("1,2").hover()
    assert board.marked("x", "lit") == {"1,1"}  # example 1 reaches row 1, column 2 in cycle 1 + 1 + 2 + 1
    assert board.marked("w", "lit") == {"1,2"}
    assert board.marked("y", "lit") == {"1,2"}
    assert board.marked("x", "touched") == {f"{row},1" for row in range(4)}
    x, w = (board.matrix(part).reshape(4, 4) for part in "xw")
    after = x[1, 0] * w[0, 2] + x[1, 1] * w[1, 2]
    assert board.formula().startswith(f"{after:g}=")


def test_an_output_lights_the_elements_it_passes_through_and_is_followed(page: Page) -> None:
    board = Board(page)
    board.to_cycle(5)
    board.cell("y", "1,2").hover()
    passed = board.marked("elements", "touched") | board.marked("elements", "lit")
    assert passed == {f"{row},2" for row in range(4)}
    assert board.marked("elements", "lit") == {"1,2"}
    assert board.marked("x", "touched") == {f"1,{k}" for k in range(4)}
    x, w = (board.matrix(part).reshape(4, 4) for part in "xw")
    assert f"={x[1] @ w[:, 2]:g}passesthrough(0,2)(1,2)(2,2)(3,2)incycles4to7" in board.formula()
    board.to_cycle(1)
    board.cell("y", "0,0").click()
    for row in range(4):
        page.mouse.move(5, 5)
        assert board.marked("elements", "lit") == {f"{row},0"}
        board.root.get_by_role("button", name="the next cycle").click()


def test_sums_that_stay_and_bad_sizes_that_lose_nothing(page: Page) -> None:
    board = Board(page, SUMS_STAY)
    board.to_cycle(12)
    x, w = board.matrix("x").reshape(4, 6), board.matrix("w").reshape(6, 4)
    assert np.array_equal(board.matrix("y").reshape(4, 4), x @ w)
    board.cell("y", "2,1").hover()
    assert board.marked("elements", "touched") == {"2,1"}
    field = page.get_by_role("textbox", name="Batch, in, out")
    field.fill("4, 40, 4")
    field.press("Enter")
    expect(page.get_by_text("is not a whole number from 1 to 16")).to_be_visible()
    expect(board.root.locator(".pe")).to_have_count(16)


def test_the_answer_is_hidden_until_it_is_predicted(page: Page) -> None:
    page.goto("/accelerators?v=1")
    wait_until_idle(page)
    expect(page.locator(".lengths")).to_be_hidden()
    page.get_by_label(re.compile("In how many cycles")).fill("10")
    page.get_by_role("button", name="Commit").click()
    expect(page.get_by_text("Right.")).to_be_visible()
    expect(page.locator(".lengths")).to_be_visible()
    expect(page.locator(".systolic output")).to_have_text("cycle 1 of 10")


def test_presenter_keys_step_through_the_cycles(page: Page) -> None:
    board = Board(page, "?v=1&present=1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    expect(board.root).to_have_attribute("data-step", "2")
    page.keyboard.press("ArrowLeft")
    expect(board.root).to_have_attribute("data-step", "1")
    page.keyboard.press("Home")
    expect(board.root).to_have_attribute("data-step", "0")


def test_the_batch_walks_up_the_roof(page: Page) -> None:
    page.goto("/accelerators?v=1&experiment=Roofline&examples=1")
    wait_until_idle(page)
    page.get_by_role("button", name="Skip").click()
    wait_until_idle(page)
    marker = page.locator(".grip.marker")
    marker.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"[?&]examples=2(&|$)"))
    expect(page.get_by_text("0.136 TOPS").first).to_be_visible()
    wait_until_idle(page)
    marker.press("End")
    expect(page.get_by_text(re.compile("91.8 TOPS")).first).to_be_visible()
    expect(page.get_by_text("4 of 4 figures agree with Jouppi et al. 2017")).to_be_visible()


def test_the_energy_ledger_on_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/accelerators?v=1&experiment=Energy")
    wait_until_idle(page)
    page.get_by_role("button", name="Skip").click()
    wait_until_idle(page)
    expect(page.get_by_text("An estimate: counts times prices.")).to_be_visible()
    expect(page.get_by_role("cell", name="no reuse").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
