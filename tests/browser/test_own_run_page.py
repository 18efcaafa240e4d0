"""The page of one's own run in a real browser: a file opened, a wrong derivative found, calls folded."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from engine.studies.own_run_examples import recorded
from scripts.watch import wait_until_idle

COLD = 90_000  # milliseconds that the first visit of a busy machine may take: examples are recorded then
PHONE = {"width": 390, "height": 844}


class Visit:
    """What a reader sees of the page and does to it."""

    def __init__(self, page: Page, query: str = "") -> None:
        self.page = page
        page.goto(f"/own_run{query}")
        self.player = page.locator(".unroll[data-ready]", has=page.locator(".frame"))
        self.history = page.locator(".unroll[data-ready]", has=page.locator(".board"))
        expect(self.player).to_be_visible(timeout=COLD)
        expect(self.history).to_be_visible(timeout=COLD)
        wait_until_idle(page)


def test_a_file_is_opened_and_its_wrong_derivative_pointed_at(page: Page, tmp_path: Path) -> None:
    visit = Visit(page)
    expect(visit.player.locator(".stamp.failed")).to_have_count(0)
    path = tmp_path / "mine.unroll"
    path.write_bytes(recorded("wrong derivative"))
    page.get_by_role("button", name="Open a file").click()
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("The derivative of swish")).to_be_visible()
    expect(visit.player.locator(".stamp.failed")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"trace=[0-9a-f]{32}"))
    expect(visit.player.locator(".formula")).to_contain_text("differences")
    expect(visit.player.locator(".formula .verdict.failed")).to_be_visible()
    expect(visit.player.locator(".panel .total")).to_contain_text("15 of 17")


def test_a_bad_file_is_refused_and_nothing_is_lost(page: Page, tmp_path: Path) -> None:
    visit = Visit(page)
    path = tmp_path / "evil.unroll"
    path.write_bytes(b"not a trace at all")
    page.get_by_role("button", name="Open a file").click()
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("this is not a trace, or not all of it")).to_be_visible()
    expect(visit.player.locator(".panel .total")).to_contain_text("17 of 17")


def test_a_node_is_opened_and_a_call_folded(page: Page) -> None:
    visit = Visit(page, "?v=1&trace=healthy&node=t3")
    inspector = visit.player.locator(".inspector")
    expect(inspector.locator("canvas")).to_have_count(2)
    expect(inspector).to_contain_text("matmul")
    nodes = visit.player.locator(".node")
    before = nodes.count()
    inspector.get_by_role("button", name="Fold 0").click()
    expect(nodes).not_to_have_count(before)
    expect(page).to_have_url(re.compile(r"toggled=g\d+"))
    expect(visit.player.locator(".node.folded")).to_have_count(1)


def test_another_tensor_over_time_and_a_failed_step(page: Page) -> None:
    visit = Visit(page, "?v=1&trace=failed%20forward&graph=3")
    expect(visit.player.locator(".formula")).to_contain_text("reshaping keeps the number")
    expect(visit.player.locator(".stamp.failed")).to_have_count(1)
    visit.history.get_by_role("button", name="3.bias").click()
    expect(visit.history.locator(".spread figcaption b")).to_have_text("3.bias")
    expect(page).to_have_url(re.compile(r"series=3\.bias"))


def test_a_phone_shows_all_of_it(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    visit = Visit(page, "?v=1&trace=wrong%20derivative")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for part in (".stage", ".panel", ".formula"):
        box = visit.player.locator(part).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
