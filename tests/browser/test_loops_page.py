"""The page of loops in a real browser: steps and lit lines, links in both directions, orders and costs."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from scripts.watch import wait_until_idle
from tests.browser.harness.visit import BoardVisit

ZIP = "?v=1&a=3, 4&b=3, 1"
MATMUL = "?v=1&operation=matmul&a=4, 3&b=3, 4&nest=ikj"
SUM = "?v=1&operation=reduce&a=3, 16&dim=1&order=forward&contents=large and small&seed=24"
MINUS = "−"
PHONE = {"width": 390, "height": 844}


class Board(BoardVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = ZIP) -> None:
        super().__init__(page, f"/loops{query}")
        self.slider = self.root.get_by_role("slider", name="step of the loop")

    def cell(self, part: str, index: str) -> Locator:
        return self.root.locator(f'.part.{part} [data-index="{index}"]')

    def slot(self, part: str, slot: int) -> Locator:
        return self.root.locator(f'.part.{part} [data-slot="{slot}"]')

    def lit(self, part: str) -> set[str]:
        return set(self.attributes(f".part.{part} .panels .cell.lit", "index"))

    def lit_slots(self, part: str) -> set[int]:
        return {int(slot) for slot in self.attributes(f".part.{part} .stored .cell.lit", "slot")}

    def numbers(self, part: str) -> list[float | None]:
        """The numbers of all cells; None for what has not been computed."""
        texts = self.root.locator(f".part.{part} .panels .cell").all_inner_texts()
        return [float(text.replace(MINUS, "-")) if text.strip() else None for text in texts]

    def line(self) -> str:
        return self.root.locator(".code code.current").inner_text().strip()

    def formula(self) -> str:
        return re.sub(r"\s+", "", self.root.locator(".terms").inner_text())

    def last(self) -> None:
        self.slider.fill(self.slider.get_attribute("max") or "")

    def by_torch(self) -> np.ndarray:
        """The product of the matrices on screen, 4 × 3 and 3 × 4 as in MATMUL."""
        a, b = (torch.tensor(self.numbers(part)) for part in "ab")
        return (a.reshape(4, 3) @ b.reshape(3, 4)).reshape(-1).numpy()


def test_steps_light_the_line_and_the_positions(page: Page) -> None:
    board = Board(page)
    assert "x.buffer[position(index, strides, x.offset)]" in board.line()
    assert (board.lit("a"), board.lit("b"), board.lit("out")) == ({"0,0"}, {"0,0"}, set())
    forward = board.root.get_by_role("button", name="the next step")
    forward.click()
    assert board.line() == "self._store(target, index, formula.function(*values))"
    assert (board.lit("a"), board.lit("out"), board.lit_slots("out")) == (set(), {"0,0"}, {0})
    forward.click()
    assert (board.lit_slots("a"), board.lit_slots("b")) == ({1}, {0})
    expect(page).to_have_url(re.compile(r"[?&]step=2(&|$)"))
    board.slider.fill("12")
    assert (board.lit("a"), board.lit("b")) == ({"1,2"}, {"1,0"})
    rows = [re.sub(r"\s+", "", row) for row in board.root.locator(".flow tbody tr").all_inner_texts()]
    assert rows == ["out[1,2]0+1·4+2·16", "a[1,2]0+1·4+2·16", "b[1,0]0+1·1+2·01"]


def test_what_is_not_computed_yet_is_blank(page: Page) -> None:
    board = Board(page)
    board.slider.fill("9")
    shown = board.numbers("out")
    a, b = np.array(board.numbers("a")).reshape(3, 4), np.array(board.numbers("b")).reshape(3, 1)
    assert shown[:5] == (a * b).reshape(-1)[:5].tolist()
    assert shown[5:] == [None] * 7
    board.last()
    assert board.numbers("out") == (a * b).reshape(-1).tolist()
    expect(page.get_by_text(re.compile("8 of 8 figures agree with torch"))).to_be_visible()


def test_outputs_and_inputs_light_each_other(page: Page) -> None:
    board = Board(page)
    board.cell("out", "2,1").hover()
    assert (board.lit("a"), board.lit("b"), board.lit("out")) == ({"2,1"}, {"2,0"}, {"2,1"})
    assert (board.lit_slots("a"), board.lit_slots("b"), board.lit_slots("out")) == ({9}, {2}, {9})
    board.cell("b", "1,0").hover()
    assert board.lit("out") == {f"1,{column}" for column in range(4)}
    assert "feeds4elementsofout" in board.formula()
    board.slot("a", 7).hover()
    assert (board.lit("a"), board.lit("out")) == ({"1,3"}, {"1,3"})


def test_a_transposed_input_is_read_across_its_storage(page: Page) -> None:
    board = Board(page, "?v=1&operation=map&a=3, 4&a_layout=transposed&map_operator=neg")
    expect(board.root.locator(".part.a h3")).to_contain_text("strides (1, 3)")
    board.cell("out", "1,2").hover()
    assert board.lit_slots("a") == {1 + 2 * 3}
    assert "[1,2]:0+1·1+2·3=slot7" in board.formula()


def test_every_second_slot_is_skipped_and_says_so(page: Page) -> None:
    board = Board(page, "?v=1&operation=map&a=2, 3&a_layout=every second")
    board.slot("a", 4).hover()
    assert "noelementoftheview" in board.formula()
    board.slot("a", 5).hover()
    assert board.lit("a") == board.lit("out") == {"0,2"}


def test_a_sum_is_written_out_with_its_slots(page: Page) -> None:
    board = Board(page, "?v=1&operation=reduce&a=3, 4&dim=0")
    board.cell("out", "1").hover()
    assert board.lit("a") == {f"{row},1" for row in range(3)}
    column = np.array(board.numbers("a")).reshape(3, 4)[:, 1]
    terms = ",".join(f"({n:g})" if n < 0 else f"{n:g}" for n in column)
    assert f"sumof{terms}={column.sum():g}".replace("-", MINUS) in board.formula()
    assert "slots1,5,9ofa" in board.formula()


def test_orders_of_a_sum_are_run_by_a_click(page: Page) -> None:
    board = Board(page, SUM)
    expect(board.root.locator(".code h3")).to_contain_text("one_by_one")
    chosen = board.root.get_by_role("button", name=re.compile("^pairwise in float16"))
    shown = chosen.inner_text()
    chosen.click()
    wait_until_idle(page)
    expect(board.root.locator(".code h3")).to_contain_text("pairwise")
    expect(page).to_have_url(re.compile("order=pairwise"))
    board.last()
    assert board.numbers("out")[0] == float(shown)
    forward = board.root.get_by_role("button", name=re.compile("^forward in float16")).inner_text()
    assert forward != shown


def test_a_pairwise_step_lights_what_it_adds(page: Page) -> None:
    board = Board(page, "?v=1&operation=reduce&a=2, 4&dim=1&order=pairwise")
    board.slider.fill("6")  # four are read, two pairs added, then their sums
    assert board.lit("a") == {f"0,{column}" for column in range(4)}
    a = np.array(board.numbers("a"))
    left, right = (f"{n:g}".replace("-", MINUS) for n in (a[:2].sum(), a[2:4].sum()))
    assert f"{left}+{right}→" in board.formula()


def test_orders_of_a_matmul_and_what_they_fetch(page: Page) -> None:
    board = Board(page, MATMUL)
    for order in ("ikj", "jki", "tiles"):
        row = board.root.locator(f'tr[data-order="{order}"]')
        row.get_by_role("button").click()
        wait_until_idle(page)
        expect(board.root.locator(".code h3")).to_contain_text(f"loops_orders.{order}")
        board.last()
        assert np.array_equal(board.numbers("out"), board.by_torch())
        # counted in the browser step by step, and in the table by the study
        total = board.root.locator(".traffic").get_attribute("data-total")
        assert row.locator("td b").inner_text() == total


def test_a_matmul_in_place_shows_partial_results(page: Page) -> None:
    board = Board(page, MATMUL)
    board.slider.fill("3")
    a, b = (np.array(board.numbers(part)) for part in "ab")
    assert board.numbers("out")[:4] == (a[0] * b[:4]).tolist()
    assert board.lit("out") == {"0,3"}
    assert board.lit_slots("b") == {3}
    kept = board.attributes(".part.out .row.kept", "line")
    assert set(kept) == {"0"}


def test_pins_stay_and_steps_let_go(page: Page) -> None:
    board = Board(page)
    board.cell("a", "2,3").click()
    page.mouse.move(5, 5)
    assert board.lit("out") == {"2,3"}
    board.root.get_by_role("button", name="the next step").click()
    page.mouse.move(5, 5)
    assert board.lit("out") == {"0,0"}


def test_shapes_that_do_not_fit_say_so_and_keep_the_last_picture(page: Page) -> None:
    board = Board(page)
    field = page.get_by_role("textbox", name="Shape of b")
    for text, message in (
        ("3", "do not broadcast"),
        ("-3", "has length -3"),
        ("2.5", "is not a whole number"),
    ):
        field.fill(text)
        field.press("Enter")
        expect(page.get_by_text(message)).to_be_visible()
        expect(board.root.locator(".part.out .panels .cell")).to_have_count(12)


def test_positions_are_hidden_until_one_is_predicted(page: Page) -> None:
    page.goto(f"/loops{ZIP}")
    wait_until_idle(page)
    expect(page.locator(".part.b .stored")).to_be_hidden()
    page.get_by_label(re.compile("Which slot of b")).fill("1")
    page.get_by_role("button", name="Commit").click()
    expect(page.get_by_text("Right.")).to_be_visible()
    expect(page.locator(".part.b .stored")).to_be_visible()


def test_presenter_keys_step_through_the_loop(page: Page) -> None:
    board = Board(page, f"{ZIP}&present=1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    expect(board.root).to_have_attribute("data-step", "2")
    page.keyboard.press("ArrowLeft")
    expect(board.root).to_have_attribute("data-step", "1")
    page.keyboard.press("Home")
    expect(board.root).to_have_attribute("data-step", "0")


def test_play_goes_on_by_itself(page: Page) -> None:
    board = Board(page)
    board.root.get_by_role("button", name="play").click()
    expect(board.root).to_have_attribute("data-step", re.compile(r"^([2-9]|\d\d)$"))
    board.root.get_by_role("button", name="pause").click()
    expect(board.root.get_by_role("button", name="play")).to_be_visible()


@pytest.mark.parametrize("query", ["?v=1&a=25, 40&b=40", SUM])
def test_large_tensors_and_phones_keep_to_the_page(page: Page, query: str) -> None:
    board = Board(page, query)
    page.set_viewport_size(PHONE)
    expect(board.root.locator(".part.out")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
