"""Training in few bits in a real browser: started and stopped, lanes edited, a link brings it all back."""

import re

from playwright.sync_api import Browser, Locator, Page, expect

from engine.studies.few_bits_run import Run
from engine.studies.few_bits_setup import FewBitsSetup
from scripts.live_server import LiveServer
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import LiveVisit

SMALL = "?v=1&lanes=fp32%3B+fp8_e4m3fn%3B+q8.8+rounding%3Dstochastic&hidden=8&batch=200"
PHONE = {"width": 390, "height": 844}


class Board(LiveVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = SMALL) -> None:
        super().__init__(page, f"/few_bits{query}")

    def lane(self, number: int) -> Locator:
        return self.root.locator(".lane").nth(number)

    def figures(self) -> list[str]:
        """Accuracies, losses, lost updates and gradients of all lanes, as they are written."""
        return self.root.locator(".lane :is(output, .zones)").all_inner_texts()


def test_it_is_started_and_stopped_and_its_link_brings_it_back(
    page: Page, browser: Browser, server: LiveServer
) -> None:
    board = Board(page)
    before = board.figures()
    board.press("train")
    expect(board.root.locator("output.epoch")).to_have_text(re.compile(r"^[3-9]|^\d\d"))
    board.press("pause")
    expect(board.root.get_by_role("button", name="train", exact=True)).to_be_visible()
    assert board.figures() != before
    paused = board.root.locator("output.epoch").inner_text()
    board.press("one epoch")
    expect(board.root.locator("output.epoch")).not_to_have_text(paused)
    board.reach(board.epoch())
    expect(page.get_by_text(re.compile(r"\d of \d figures agree with .*torch"))).to_be_visible()
    with browser.new_context(base_url=server.url) as context:
        other = Board(context.new_page(), f"?{page.url.partition('?')[2]}")
        assert other.epoch() == board.epoch()
        assert other.figures() == board.figures()


def test_back_along_the_curve(page: Page) -> None:
    board = Board(page)
    start = board.figures()
    for epoch in (1, 2):
        board.press("one epoch")
        board.reach(epoch)
    board.press("one epoch back")
    board.reach(1)
    plot = board.root.get_by_role("slider", name="Test accuracy: moment of the run")
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 42, box["y"] + 50, steps=4)
    page.mouse.up()
    board.reach(0)
    assert board.figures() == start


def test_a_lane_is_edited_and_what_cannot_be_is_said_beside_the_field(page: Page) -> None:
    board = Board(page)
    board.press("one epoch")
    board.reach(1)
    before = board.figures()
    lane = board.lane(1)
    lane.get_by_role("button", name="Edit").click()
    field = lane.locator('[data-field="gradients"]')
    field.get_by_role("combobox").select_option("other…")
    field.get_by_role("textbox").fill("e9m2")
    field.get_by_role("textbox").press("Enter")
    expect(field.get_by_role("alert")).to_contain_text("at most e8m23")
    expect(field.get_by_role("textbox")).to_have_value("e9m2")
    assert (board.epoch(), board.figures()) == (1, before)
    field.get_by_role("textbox").fill("e5m6")
    field.get_by_role("textbox").press("Enter")
    expect(lane.locator(".chips")).to_have_text("gradients e5m6")
    board.reach(0)
    lane.locator('[data-field="master"]').get_by_role("combobox").select_option("on")
    expect(page).to_have_url(re.compile(r"e5m6\+master%3Don"))
    wait_until_idle(page)
    board.root.get_by_label("add a lane").select_option("bf16")
    expect(board.root.locator(".lane")).to_have_count(4)
    board.lane(0).get_by_role("button", name="remove this lane").click()
    expect(board.root.locator(".lane")).to_have_count(3)
    expect(board.lane(2).locator("b")).to_have_text("bf16")
    board.press("one epoch")
    board.reach(1)


def test_a_prediction_is_answered_when_the_run_has_come_far_enough(page: Page) -> None:
    setup = FewBitsSetup(
        lanes="fp32; fp8_e4m3fn; q8.8 rounding=stochastic", hidden="8", batch=200, epoch="10"
    )
    accuracies = [float(figures.accuracy[1]) for figures in Run(setup).figures()]
    assert accuracies[1] == min(accuracies)
    board = Board(page)
    asked = board.root.locator(".prediction")
    expect(asked).to_contain_text("lowest test accuracy after 10 epochs")
    asked.get_by_role("button", name="fp32", exact=True).click()
    expect(asked).to_contain_text("You said fp32.")
    board.press("train")
    expect(asked).to_contain_text(f"fp32 had {100 * accuracies[0]:.1f} %; the lowest is fp8_e4m3fn")
    expect(asked).to_contain_text(f"{100 * accuracies[1]:.1f} %")
    board.press("pause")
    asked.get_by_role("button", name="Close").click()
    expect(asked).to_be_hidden()


def test_a_presenter_steps_with_keys(page: Page) -> None:
    board = Board(page, f"{SMALL}&present=1")
    expect(board.lane(0).get_by_role("button", name="Edit")).to_be_hidden()
    page.keyboard.press("PageDown")
    board.reach(1)
    page.keyboard.press("Home")
    board.reach(0)


def test_it_fits_a_phone_in_both_themes(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    board = Board(page)
    board.lane(0).get_by_role("button", name="Edit").click()
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        wait_until_idle(page)
        overflow = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0
        edges = board.root.locator(".lane, .lane-plot, .editor").evaluate_all(
            "(parts) => parts.map((part) => part.getBoundingClientRect().right)"
        )
        assert max(edges) <= PHONE["width"]
