"""The strides page in a real browser: linked cells, keys, handles, break-it mode, the clinic, a timed walk.

Expected positions are worked out by hand: offset + Σ index · stride.
"""

import re

from playwright.sync_api import Locator, Page, expect

from app.theme import DARK, LIGHT
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import BoardVisit, rgb

PHONE = {"width": 390, "height": 844}
TRANSPOSED = "?v=1&shape=6, 8&chain=x.transpose(0, 1)"
STRIDES = "?v=1&shape=3, 4&edit=strides&size=4, 3&stride=1, 4&offset=0"


class Board(BoardVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = "") -> None:
        super().__init__(page, f"/strides{query}")

    def cell(self, part: str, index: str) -> Locator:
        return self.root.locator(f'.part.{part} [data-index="{index}"]')

    def slot(self, number: int) -> Locator:
        return self.root.locator(f'[data-slot="{number}"]')

    def lit(self, part: str) -> list[str]:
        return self.root.locator(f".part.{part} .cell.lit").evaluate_all(
            "(cells) => cells.map((cell) => cell.dataset.index ?? cell.dataset.slot)"
        )

    def formula(self) -> str:
        return self.root.locator(".formula").inner_text().replace("\n", " ")

    def handle(self, name: str) -> Locator:
        return self.root.get_by_role("spinbutton", name=f"value of {name}")

    def type(self, name: str, text: str) -> None:
        self.handle(name).click()
        self.handle(name).fill(text)
        self.handle(name).press("Enter")


def chain(page: Page, text: str) -> None:
    field = page.get_by_role("textbox", name="Chain")
    field.fill(text)
    field.press("Enter")


def test_hover_lights_partners_in_every_direction(page: Page) -> None:
    board = Board(page, TRANSPOSED)
    board.cell("view", "2,5").hover()
    assert (board.lit("view"), board.lit("x"), board.lit("storage")) == (["2,5"], ["5,2"], ["42"])
    board.cell("x", "1,3").hover()
    assert (board.lit("view"), board.lit("x"), board.lit("storage")) == (["3,1"], ["1,3"], ["11"])
    board.slot(20).hover()
    assert (board.lit("view"), board.lit("x"), board.lit("storage")) == (["4,2"], ["2,4"], ["20"])
    page.mouse.move(2, 2)
    assert board.lit("view") == []


def test_the_formula_has_live_numbers(page: Page) -> None:
    board = Board(page, TRANSPOSED)
    assert "offset" in board.formula()
    board.cell("view", "2,5").hover()
    assert re.sub(r"\s+", "", board.formula()).endswith("=0+2·1+5·8=42slot42holds42")


def test_cells_that_read_one_slot_light_together(page: Page) -> None:
    board = Board(page, "?v=1&shape=8&chain=x.as_strided((6, 3), (1, 1))")
    board.slot(4).hover()
    assert board.lit("view") == ["2,2", "3,1", "4,0"]
    assert "read by 3 cells" in board.formula()


def test_a_pin_stays_until_it_is_let_go(page: Page) -> None:
    board = Board(page, TRANSPOSED)
    board.cell("view", "1,0").click()
    page.mouse.move(2, 2)
    assert board.lit("storage") == ["1"]
    board.cell("view", "7,5").hover()
    assert board.lit("storage") == ["47"]
    page.mouse.move(2, 2)
    assert board.lit("storage") == ["1"]
    board.cell("view", "1,0").press("Escape")
    board.cell("view", "1,0").blur()
    assert board.lit("storage") == []


def test_arrow_keys_walk_over_cells_and_slots(page: Page) -> None:
    board = Board(page, TRANSPOSED)
    board.cell("view", "0,0").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert board.lit("storage") == ["9"]
    board.slot(0).focus()
    page.keyboard.press("ArrowDown")
    assert board.lit("storage") == ["16"]


def test_the_walk_counts_line_changes(page: Page) -> None:
    board = Board(page, TRANSPOSED)
    walk = board.root.get_by_role("slider", name="element of the row-major walk")
    expect(board.root.locator(".walk output")).to_have_text("element 1 of 48, 1 line change")
    walk.focus()
    for _ in range(5):  # down the first column: positions 0, 8, 16, 24, 32, 40 in lines 0 0 1 1 2 2
        page.keyboard.press("ArrowRight")
    expect(board.root.locator(".walk output")).to_have_text("element 6 of 48, 3 line changes")
    assert board.lit("storage") == ["40"]
    walk.press("End")
    expect(board.root.locator(".walk output")).to_have_text("element 48 of 48, 24 line changes")


def test_steps_are_chosen_in_the_table_and_kept_in_the_address(page: Page) -> None:
    board = Board(page, "?v=1&shape=6, 8&chain=x.T[::2].reshape(6, 4)")
    expect(board.root).to_have_attribute("data-step", "3")
    expect(board.root.locator(".storage h3")).to_contain_text("24 slots")
    board.root.get_by_role("button", name="[::2]").click()
    expect(board.root).to_have_attribute("data-step", "2")
    expect(board.root.locator(".storage h3")).to_contain_text("48 slots")
    expect(page).to_have_url(re.compile(r"[?&]step=2(&|$)"))
    again = Board(page, page.url.partition("/strides")[2])
    expect(again.root).to_have_attribute("data-step", "2")


def test_any_rank_is_drawn_and_dimensions_change_places(page: Page) -> None:
    board = Board(page, "?v=1&shape=2, 3, 4&chain=x")
    expect(board.root.locator(".part.view .table")).to_have_count(2)
    board.root.get_by_label("dimension 0 is drawn as").select_option("rows")
    expect(board.root.locator(".part.view .table")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"[?&]axes=rrc(&|$)"))
    assert board.cell("view", "1,2,3").get_attribute("data-position") == "23"
    headings = board.root.locator(".dimension")
    headings.nth(0).drag_to(headings.nth(2))
    expect(page).to_have_url(re.compile(r"[?&]axes=crr(&|$)"))
    expect(board.root.get_by_label("dimension 0 is drawn as")).to_have_value("c")
    six = Board(page, "?v=1&shape=2, 2, 2, 2, 2, 2&chain=x.permute(5, 4, 3, 2, 1, 0)")
    expect(six.root.locator(".part.view .cell")).to_have_count(64)
    assert six.cell("view", "1,0,0,0,1,0").get_attribute("data-position") == str(1 + 16)


def test_a_large_tensor_says_what_it_leaves_out(page: Page) -> None:
    board = Board(page, "?v=1&shape=300, 300&chain=x.T")
    assert board.root.locator(".part.view .cell").count() <= 1200
    assert board.cell("view", "299,0").get_attribute("data-position") == "299"
    expect(board.root.locator(".part.view .figures")).to_contain_text("float32 (300, 300)")
    expect(board.root.locator(".part.view .figures")).to_contain_text("mean 45000")
    expect(board.root.locator(".storage .gap").first).to_contain_text("more lines")


def test_nan_is_hatched_and_counted(page: Page) -> None:
    board = Board(page, "?v=1&shape=2, 5&chain=x&contents=random with NaN")
    expect(board.cell("view", "0,4")).to_have_class(re.compile(r"\bnan\b"))
    expect(board.root.locator(".part.view .faulty")).to_have_text("2 NaN")
    assert {"positive", "negative"} <= set(" ".join(
        board.root.locator(".part.view .cell").evaluate_all("(cells) => cells.map((cell) => cell.className)")
    ).split())  # fmt: skip


def test_a_stride_is_a_handle_that_stays_inside_the_storage(page: Page) -> None:
    board = Board(page, STRIDES)
    board.handle("stride 0").focus()
    page.keyboard.press("ArrowDown")  # from 1 to 0
    expect(board.cell("view", "3,1")).to_have_attribute("data-position", "4")
    page.keyboard.press("ArrowDown")  # to −1, which would leave the storage
    expect(board.handle("stride 0")).to_have_attribute("aria-valuenow", "0")
    board.type("offset", "9")
    expect(board.root.get_by_role("alert").filter(has_text="would leave the storage")).to_be_visible()
    expect(board.handle("offset")).to_have_value("0")
    board.type("length 0", "2.5")
    expect(board.root.get_by_role("alert").filter(has_text="is not a whole number")).to_be_visible()
    expect(page).to_have_url(re.compile("stride=0%2C\\+4|stride=0,%204|stride=0%2C%204"))


def test_break_it_mode_shows_which_element_falls_outside(page: Page) -> None:
    board = Board(page, STRIDES)
    page.get_by_text("Break it").click()
    wait_until_idle(page)
    board.type("offset", "2")
    problem = board.root.locator(".problem")
    expect(problem).to_contain_text(
        "Element [2, 2] would lie at position 2 + 2·1 + 2·4 = 12, past the last slot, 11"
    )
    expect(board.cell("view", "2,2")).to_have_class(re.compile("outside"))
    board.cell("view", "3,2").hover()
    assert board.lit("storage") == ["13"]
    assert "outside the storage" in board.formula()
    expect(page.get_by_text("1 of 1 figures agree with torch")).to_be_visible()
    page.get_by_text("Break it").click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("past the last slot")
    expect(board.cell("view", "3,2")).to_be_visible()  # the last good picture


def test_dimensions_are_added_and_removed(page: Page) -> None:
    board = Board(page, STRIDES)
    board.root.get_by_role("button", name="add a dimension").click()
    expect(board.handle("length 2")).to_be_visible()
    expect(board.cell("view", "3,2,0")).to_have_attribute("data-position", "11")
    board.root.get_by_role("button", name="remove the last dimension").click()
    expect(board.handle("length 2")).to_have_count(0)


def test_the_error_clinic_for_a_view(page: Page) -> None:
    board = Board(page, TRANSPOSED)
    chain(page, "x.transpose(0, 1).view(48)")
    card = page.locator(".st-key-clinic")
    expect(card).to_contain_text("dimension 0 of (48,) would run across dimensions 0 and 1 of (8, 6)")
    expect(card).to_contain_text("view size is not compatible with input tensor's size and stride")
    expect(card).to_contain_text("copies 192 bytes")
    expect(board.root.locator("tr.refused")).to_contain_text(".view(48)")
    chain(page, "x.transpose(0, 1).reshape(48)")
    expect(card).to_have_count(0)


def test_the_error_clinic_for_broadcasting(page: Page) -> None:
    Board(page)
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text("dimension 1 of (4, 3) is 3 and dimension 0 of (4,) is 4")
    expect(main).to_contain_text("at non-singleton dimension 1")
    field = page.get_by_role("textbox", name="Shapes", exact=True)
    field.fill("(2, 5) and (2, 1)")
    field.press("Enter")
    expect(main).to_contain_text("They broadcast to (2, 5)")


def test_a_chain_that_cannot_be_read_keeps_the_picture(page: Page) -> None:
    board = Board(page, TRANSPOSED)
    chain(page, "x.transpose(0, 1")
    expect(page.get_by_test_id("stAlert")).to_contain_text("never closed")
    expect(board.cell("view", "7,5")).to_be_visible()


def test_the_walk_is_timed_on_request(page: Page) -> None:
    Board(page, TRANSPOSED)
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text("as long as a contiguous one")).to_be_visible(timeout=20_000)


def test_presenter_keys_step_the_chain_and_the_walk(page: Page) -> None:
    board = Board(page, "?v=1&shape=6, 8&chain=x.T[::2]&step=0&present=1")
    page.keyboard.press("ArrowRight")
    expect(board.root).to_have_attribute("data-step", "1")
    page.keyboard.press("PageDown")
    expect(board.root).to_have_attribute("data-step", "2")
    page.keyboard.press("ArrowDown")
    assert board.lit("storage") == ["8"]
    page.keyboard.press("r")
    expect(board.root).to_have_attribute("data-step", "0")


def test_colours_follow_the_theme(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    board = Board(page, TRANSPOSED)
    board.cell("view", "2,5").hover()
    expect(board.slot(42)).to_have_css("outline-color", rgb(DARK.current))
    page.emulate_media(color_scheme="light")
    wait_until_idle(page)
    page.mouse.move(2, 2)
    board.cell("view", "2,5").hover()
    expect(board.slot(42)).to_have_css("outline-color", rgb(LIGHT.current))


def test_a_phone_shows_the_parts_below_each_other(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    board = Board(page)
    left, right = (board.root.locator(f".{side}").bounding_box() for side in ("left", "right"))
    assert left is not None
    assert right is not None
    assert right["y"] >= left["y"] + left["height"]
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
