"""The convolution page in a real browser: steps, links in both directions, live sums, weights by hand."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from scripts.watch import wait_until_idle
from tests.browser.harness.visit import BoardVisit

STRIDED = "?v=1&padding=1&stride=2"
MINUS = "−"
PHONE = {"width": 390, "height": 844}


class Board(BoardVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = STRIDED) -> None:
        super().__init__(page, f"/convolutions{query}")

    def cell(self, part: str, index: str) -> Locator:
        return self.root.locator(f'[class~="{part}"] [data-index="{index}"]')

    def lit(self, part: str) -> set[str]:
        return set(
            self.root.locator(f'[class~="{part}"] .cell.lit').evaluate_all(
                "(cells) => cells.map((cell) => cell.dataset.index)"
            )
        )

    def numbers(self, part: str) -> list[float]:
        """The numbers of all cells that are inside."""
        texts = self.root.locator(f'[class~="{part}"] .cell:not(.outside)').evaluate_all(
            "(cells) => cells.map((cell) => cell.querySelector('input')?.value ?? cell.textContent)"
        )
        return [float(text.replace(MINUS, "-")) for text in texts]

    def by_torch(self) -> np.ndarray:
        """The output that belongs to the input and the kernel on screen, 5 × 5 and 3 × 3 as in STRIDED."""
        x = torch.tensor(self.numbers("x")).reshape(1, 1, 5, 5)
        w = torch.tensor(self.numbers("w")).reshape(1, 1, 3, 3)
        return torch.nn.functional.conv2d(x, w, stride=2, padding=1).reshape(-1).numpy()


def square(rows: range, columns: range) -> set[str]:
    return {f"0,{row},{column}" for row in rows for column in columns}


def test_the_cells_are_those_that_torch_finds(page: Page) -> None:
    board = Board(page)
    assert np.array_equal(board.numbers("y"), board.by_torch())
    expect(page.get_by_text(re.compile("7 of 7 figures agree with torch"))).to_be_visible()
    expect(board.root.locator(".lengths")).to_contain_text("⌊(5 + 2·1 − 1·(3 − 1) − 1) / 2⌋ + 1 = 3")


def test_the_window_goes_over_the_input_step_by_step(page: Page) -> None:
    board = Board(page)
    assert board.lit("x") == square(range(-1, 2), range(-1, 2))
    assert (board.lit("y"), len(board.lit("w"))) == ({"0,0,0"}, 9)
    forward = board.root.get_by_role("button", name="the next element")
    for _ in range(4):
        forward.click()
    assert (board.lit("y"), board.lit("x")) == ({"0,1,1"}, square(range(1, 4), range(1, 4)))
    assert f"={board.numbers('y')[4]:g}".replace("-", MINUS) in board.formula()
    expect(page).to_have_url(re.compile(r"[?&]step=4(&|$)"))
    slider = board.root.get_by_role("slider", name="element of the output")
    slider.fill("8")
    assert board.lit("x") == square(range(3, 6), range(3, 6))


def test_products_and_their_sum_are_written_out(page: Page) -> None:
    board = Board(page)
    board.cell("y", "0,1,1").hover()
    x = np.array(board.numbers("x")).reshape(5, 5)[1:4, 1:4].reshape(-1)
    signed = [f"({n:g})" if n < 0 else f"{n:g}" for n in (*x, *board.numbers("w"))]
    products = "+".join(f"{a}·{b}" for a, b in zip(signed[:9], signed[9:], strict=True))
    assert f"[0,1,1]={products}={board.by_torch()[4]:g}".replace("-", MINUS) in board.formula()


def test_an_input_lights_the_outputs_that_read_it(page: Page) -> None:
    board = Board(page)
    board.cell("x", "0,1,1").hover()
    assert board.lit("y") == square(range(2), range(2))
    assert board.lit("w") == {"0,0,2,2", "0,0,2,0", "0,0,0,2", "0,0,0,0"}
    assert board.lit("x") == board.lit("x.grad") == {"0,1,1"}
    assert "readby4elementsofy" in board.formula()


def test_a_weight_lights_the_pairs_it_joins(page: Page) -> None:
    board = Board(page)
    board.cell("w", "0,0,0,1").hover()
    assert board.lit("x") == {f"0,{row},{column}" for row in (-1, 1, 3) for column in (0, 2, 4)}
    assert board.lit("y") == square(range(3), range(3))
    assert board.lit("w.grad") == {"0,0,0,1"}
    assert "joins9pairs" in board.formula()


def test_a_gradient_lights_the_cells_that_add_up_to_it(page: Page) -> None:
    board = Board(page)
    board.cell("x.grad", "0,1,1").hover()
    assert board.lit("y.grad") == square(range(2), range(2))
    weights, back = board.numbers("w"), np.array(board.numbers("y.grad")).reshape(3, 3)
    total = (
        weights[8] * back[0, 0] + weights[6] * back[0, 1] + weights[2] * back[1, 0] + weights[0] * back[1, 1]
    )
    assert f"={total:g}".replace("-", MINUS) in board.formula()
    board.cell("w.grad", "0,0,1,1").hover()
    assert board.lit("y.grad") == square(range(3), range(3))
    assert board.lit("x") == {f"0,{row},{column}" for row in (0, 2, 4) for column in (0, 2, 4)}


def test_a_max_pooling_sends_the_gradient_to_the_largest_alone(page: Page) -> None:
    board = Board(page, "?v=1&operation=max pooling&size=4&kernel=2&stride=2&seed=5")
    x = torch.tensor(board.numbers("x")).reshape(1, 4, 4)
    _, chosen = torch.nn.functional.max_pool2d(x, 2, return_indices=True)
    row, column = divmod(int(chosen[0, 1, 0]), 4)
    board.cell("y.grad", "0,1,0").hover()
    assert board.lit("x.grad") == {f"0,{row},{column}"}
    assert "goesinto1elementof∂L/∂x" in board.formula()
    board.cell("y", "0,1,0").hover()
    assert board.lit("x") == square(range(2, 4), range(2))


def test_a_weight_is_typed_and_dragged(page: Page) -> None:
    board = Board(page)
    handle = board.root.get_by_role("spinbutton", name="value of w(0, 0, 1, 1)")
    handle.fill("-7")
    handle.press("Enter")
    expect(page).to_have_url(re.compile("weights=own"))
    wait_until_idle(page)
    assert board.numbers("w")[4] == -7
    assert np.array_equal(board.numbers("y"), board.by_torch())
    box = board.cell("w", "0,0,0,0").bounding_box()
    assert box is not None
    before = board.numbers("w")[0]
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 50, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    wait_until_idle(page)
    assert board.numbers("w")[0] == pytest.approx(before + 0.5, abs=0.02)
    expect(page.get_by_text(re.compile("7 of 7 figures agree"))).to_be_visible()
    shown = board.by_torch()
    assert np.allclose(board.numbers("y"), shown, atol=0.05)  # three digits are drawn


def test_what_is_no_number_is_refused_beside_the_handle(page: Page) -> None:
    board = Board(page)
    handle = board.root.get_by_role("spinbutton", name="value of w(0, 0, 1, 1)")
    kept = handle.input_value()
    handle.fill("much")
    handle.press("Enter")
    expect(board.root.get_by_role("alert").filter(has_text="is not a number")).to_be_visible()
    assert handle.input_value() == kept


def test_pins_stay_and_steps_let_go(page: Page) -> None:
    board = Board(page)
    board.cell("x", "0,0,0").click()
    page.mouse.move(5, 5)
    assert board.lit("x") == {"0,0,0"}
    board.root.get_by_role("button", name="the next element").click()
    page.mouse.move(5, 5)
    assert board.lit("y") == {"0,0,1"}


def test_sizes_that_do_not_fit_say_so_and_keep_the_last_picture(page: Page) -> None:
    board = Board(page)
    field = page.get_by_role("textbox", name="Kernel")
    field.fill("8")
    field.press("Enter")
    expect(
        page.get_by_text("along the height it spans 8 elements and the padded input has 7")
    ).to_be_visible()
    expect(board.root.locator('[class~="y"] .cell')).to_have_count(9)


def test_the_output_is_hidden_until_its_size_is_predicted(page: Page) -> None:
    page.goto(f"/convolutions{STRIDED}")
    wait_until_idle(page)
    expect(page.locator('[class~="y"] .panels')).to_be_hidden()
    expect(page.locator(".lengths")).to_be_hidden()
    page.get_by_label(re.compile("How many columns")).fill("3")
    page.get_by_role("button", name="Commit").click()
    expect(page.get_by_text("Right.")).to_be_visible()
    expect(page.locator('[class~="y"] .panels')).to_be_visible()


def test_presenter_keys_step_through_the_output(page: Page) -> None:
    board = Board(page, f"{STRIDED}&present=1")
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
    expect(board.root).to_have_attribute("data-step", "2")
    board.root.get_by_role("button", name="pause").click()
    expect(board.root.get_by_role("button", name="play")).to_be_visible()


def test_a_photograph_is_drawn_as_pixels_and_a_phone_shows_all(page: Page) -> None:
    board = Board(page, "?v=1&source=photograph&padding=1&weights=outline")
    expect(board.root.locator('[class~="y"].pixels .cell')).to_have_count(400)
    board.cell("y", "0,4,4").hover()
    assert board.lit("x") == square(range(3, 6), range(3, 6))
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
