"""The bits page in a real browser: bits flipped, values typed, the number dragged on the line, bad input."""

import re
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page, expect

from app.theme import DARK, LIGHT
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import BoardVisit, rgb

TENTH = "?v=1&number=0.1&formats=fp16, bf16, fp8_e4m3fn"
MINUS = "−"
PHONE = {"width": 390, "height": 844}


class Board(BoardVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = TENTH) -> None:
        super().__init__(page, f"/bits{query}")

    def row(self, name: str) -> Locator:
        return self.root.locator(f'.row[data-format="{name}"]')

    def bit(self, name: str, bit: int) -> Locator:
        return self.row(name).locator(f'[data-bit="{bit}"]')

    def value(self, name: str) -> Locator:
        return self.row(name).locator(".value")

    def bits(self, name: str) -> str:
        return "".join(self.row(name).locator(".bit").all_inner_texts())

    def handle(self) -> Locator:
        return self.root.get_by_role("slider", name="the number, on the line")


def half(code: int) -> str:
    """The exact decimal of a code of float16, by numpy."""
    return np.format_float_positional(np.uint16(code).view(np.float16), unique=False, trim="-", precision=40)


def type_number(page: Page, text: str) -> None:
    field = page.get_by_role("textbox", name="Number", exact=True)
    field.fill(text)
    field.press("Enter")
    wait_until_idle(page)


def centre(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_bit_is_flipped_and_the_value_read(page: Page) -> None:
    board = Board(page)
    assert board.bits("fp16") == f"{int(np.float16(0.1).view(np.uint16)):016b}"
    board.bit("fp16", 9).click()
    code = int(np.float16(0.1).view(np.uint16)) ^ (1 << 9)
    expect(board.value("fp16")).to_have_text(half(code))
    assert board.bits("fp16") == f"{code:016b}"
    expect(page.get_by_role("textbox", name="Number", exact=True)).to_have_value(f"fp16 {code:#x}")
    expect(page).to_have_url(re.compile(rf"number=fp16(\+|%20){code:#x}"))
    board.bit("fp16", 15).focus()
    page.keyboard.press("Space")
    expect(board.value("fp16")).to_have_text(f"{MINUS}{half(code)}")
    page.keyboard.press("ArrowRight")
    expect(board.bit("fp16", 14)).to_be_focused()


def test_bits_are_drawn_over(page: Page) -> None:
    board = Board(page, "?v=1&number=0&formats=fp16, bf16")
    start, end = centre(board.bit("fp16", 9)), centre(board.bit("fp16", 4))
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=12)
    page.mouse.up()
    expect(board.value("fp16")).to_have_text(half(0b11_1111_0000))
    expect(board.row("fp16").locator(".kind")).to_have_text("subnormal")


def test_a_value_is_typed(page: Page) -> None:
    board = Board(page)
    type_number(page, "-2.5")
    for name in ("fp16", "bf16", "fp8_e4m3fn"):
        expect(board.value(name)).to_have_text(f"{MINUS}2.5")
        expect(board.row(name).locator(".error")).to_have_text("exact")
    type_number(page, "1e9")
    expect(board.value("fp16")).to_have_text("inf")
    expect(board.value("fp8_e4m3fn")).to_have_text("nan")
    type_number(page, "1 + 2^-11 + 2^-40")
    expect(board.value("fp16")).to_have_text("1.0009765625")
    expect(page.get_by_text("Rounded twice on the way to fp16")).to_be_visible()


def test_a_code_is_typed_in_its_row(page: Page) -> None:
    board = Board(page)
    code = board.row("bf16").get_by_role("textbox", name="code of bf16")
    code.fill("0x4049")
    code.press("Enter")
    expect(board.value("bf16")).to_have_text("3.140625")
    expect(board.value("fp16")).to_have_text("3.140625")
    expect(board.value("fp8_e4m3fn")).to_have_text("3.25")


def test_neighbours_are_stepped_to(page: Page) -> None:
    board = Board(page)
    above = np.nextafter(np.float16(0.1), np.float16(1)).view(np.uint16)
    board.row("fp16").get_by_role("button", name="next number above").click()
    expect(board.value("fp16")).to_have_text(half(int(above)))


def test_the_number_is_dragged_on_the_line(page: Page) -> None:
    board = Board(page, "?v=1&number=1.3&formats=fp4_e2m1, fp6_e2m3&centre=0&scale=3")
    expect(board.value("fp4_e2m1")).to_have_text("1.5")
    view = board.root.locator(".view").bounding_box()
    assert view is not None
    x, y = centre(board.handle())
    page.mouse.move(x, y)
    page.mouse.down()
    wanted = view["x"] + view["width"] * (1 + -3.3 / 8) / 2  # the picture reaches from -8 to 8
    page.mouse.move(wanted, y, steps=8)
    page.mouse.up()
    expect(board.value("fp4_e2m1")).to_have_text(f"{MINUS}3")
    expect(page).to_have_url(re.compile(r"number=-3\.[23]\d*"))
    board.handle().press("ArrowRight")  # a fiftieth of half the width: to -3.14
    expect(page).to_have_url(re.compile(r"number=-3\.1\d*"))


def test_the_line_is_panned_zoomed_and_picked_from(page: Page) -> None:
    board = Board(page, "?v=1&number=1.3&formats=fp4_e2m1, fp6_e2m3&centre=0&scale=3")
    assert board.root.locator('.lane[data-format="fp4_e2m1"] path').count() == 1
    board.root.get_by_role("button", name="zoom in").click()
    expect(page).to_have_url(re.compile(r"[?&]scale=2(&|$)"))
    expect(board.root.locator(".told").first).to_have_text("8 wide")
    board.root.get_by_role("button", name="back to the number").click()
    expect(page).to_have_url(re.compile(r"[?&]centre=(&|$)"))
    wait_until_idle(page)  # the link changes before the lanes are drawn again
    x, y = centre(board.root.locator('.lane[data-format="fp6_e2m3"] .dot'))
    page.mouse.move(x + 120, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=6)
    page.mouse.up()
    expect(page).not_to_have_url(re.compile(r"[?&]centre=(&|$)"))
    wait_until_idle(page)
    lane = board.root.locator('.lane[data-format="fp4_e2m1"] .dot')
    x, y = centre(lane)
    page.mouse.click(x + 3, y)
    expect(page.get_by_role("textbox", name="Number", exact=True)).to_have_value("fp4_e2m1 0x3")


def test_a_bad_number_says_so_and_keeps_the_picture(page: Page) -> None:
    board = Board(page)
    before = board.bits("fp16")
    for text, said in (
        ("0,1", "Write the decimal point as a point"),
        ("abc", "is not a number"),
        ("0x2e66", "put the format in front"),
        ("fp16 0x12345", "has 16 bits, and 0x12345 needs 17"),
    ):
        type_number(page, text)
        expect(page.get_by_test_id("stAlert")).to_contain_text(said)
        assert board.bits("fp16") == before
    type_number(page, "1")
    expect(board.value("fp16")).to_have_text("1")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_a_million_digits_are_refused_beside_the_field(page: Page) -> None:
    board = Board(page)
    before = board.bits("fp16")
    type_number(page, "9" * 1_000_000)
    problem = board.root.locator(".problem")
    expect(problem).to_contain_text("1,000,000 characters; a number may have at most 1500")
    assert board.bits("fp16") == before
    type_number(page, "2")
    expect(board.value("fp16")).to_have_text("2")
    expect(problem).to_be_hidden()


def test_an_impossible_format_says_so(page: Page) -> None:
    board = Board(page)
    field = page.get_by_role("textbox", name="Formats", exact=True)
    field.fill("fp16, e11m60")
    field.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_contain_text("at most 64 bits")
    expect(board.row("fp8_e4m3fn")).to_be_visible()


def test_conventions_that_disagree_are_lit(page: Page) -> None:
    board = Board(page, "?v=1&number=465&formats=fp16, fp8_e4m3fn")
    expect(page.get_by_text(re.compile("6 of 6 figures agree"))).to_be_visible()
    rows = board.root.locator(".conventions tbody tr")
    lit: dict[str, Any] = {
        str(row.get_attribute("data-convention")).split()[0]: row.locator("td.lit").all_inner_texts()
        for row in rows.all()
    }
    assert lit["torch"] == ["448"]
    assert lit["ml_dtypes"] == []
    assert lit["saturating"] == ["448"]
    expect(page.get_by_text("Too large for fp8_e4m3fn")).to_be_visible()


def test_presenter_keys_step_through_the_numbers(page: Page) -> None:
    board = Board(page, "?v=1&number=1&formats=fp8_e4m3fn, fp16&present=1")
    page.keyboard.press("ArrowRight")
    expect(board.value("fp8_e4m3fn")).to_have_text("1.125")
    page.keyboard.press("PageUp")
    expect(board.value("fp8_e4m3fn")).to_have_text("1")
    page.keyboard.press("ArrowLeft")
    expect(board.value("fp8_e4m3fn")).to_have_text("0.9375")
    page.keyboard.press("r")
    expect(board.value("fp8_e4m3fn")).to_have_text("1")


def test_a_phone_shows_all_of_it_in_both_themes(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    board = Board(page)
    expect(board.bit("fp16", 0)).to_be_visible()
    expect(board.value("fp16")).to_have_css("color", rgb(DARK.value))
    page.emulate_media(color_scheme="light")
    expect(board.value("fp16")).to_have_css("color", rgb(LIGHT.value))
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
