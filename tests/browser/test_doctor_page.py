"""The doctor in a real browser: through the run, a diagnosis, the laboratories, a phone, a clicker."""

import re

from playwright.sync_api import Browser, Page, expect

from scripts.live_server import LiveServer
from scripts.watch import wait_until_idle

FIRST = 120_000  # ms: the server may still be loading its kernels
PHONE = {"width": 390, "height": 844}
CASE = "?v=1&seed=3&step=0"  # what is hidden there: dropout at test time


def opened(page: Page, query: str = CASE) -> None:
    page.goto(f"/doctor{query}")
    expect(page.locator('.unroll[data-ready="true"]').first).to_be_visible(timeout=FIRST)
    wait_until_idle(page)


def at_step(page: Page, step: int) -> None:
    expect(page.locator(f'.unroll[data-step="{step}"]')).to_be_visible()
    expect(page).to_have_url(re.compile(rf"[?&]step={step}(&|$)"))
    wait_until_idle(page)


def test_through_the_run_and_back_by_its_link(page: Page, browser: Browser, server: LiveServer) -> None:
    opened(page)
    expect(page.locator(".gradients p").first).to_have_text("not computed before the first step")
    page.get_by_role("button", name="the next moment").click()
    at_step(page, 1)
    expect(page.locator(".gradients p").first).to_contain_text("std")
    box = page.locator(".lines.scrubbed").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 14, box["y"] + 60)
    at_step(page, 200)
    shown = page.locator(".layers p, .transport output, .reading").all_inner_texts()
    with browser.new_context(base_url=server.url) as context:
        other = context.new_page()
        opened(other, f"?{page.url.partition('?')[2]}")
        assert other.locator(".layers p, .transport output, .reading").all_inner_texts() == shown


def test_a_diagnosis_opens_the_verdict_and_nothing_below_it_moves(page: Page) -> None:
    opened(page)
    board = page.locator(".doctor")
    before = board.bounding_box()
    page.get_by_role("radio", name="view bug", exact=True).click()
    expect(page.get_by_text("You said view bug. It is: train/eval mix-up")).to_be_visible()
    wait_until_idle(page)
    assert board.bounding_box() == before
    page.get_by_role("button", name="Code").click()
    expect(page.get_by_text("# <-- the fault: this line is missing: net.eval()")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Next patient").click()
    expect(page).to_have_url(re.compile(r"[?&]seed=4&answer=false"))
    expect(page.get_by_text("What is wrong?")).to_be_visible()


def test_the_laboratories(page: Page) -> None:
    opened(page, "?v=1&room=Depth&nets=1&depth=6")
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_text("The law.", exact=True)).to_be_visible()
    wait_until_idle(page)
    page.get_by_role("slider", name="depth").first.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"[?&]depth=7(&|$)"))
    wait_until_idle(page)
    page.get_by_role("radio", name="Threads").click()
    expect(page.locator(".word")).to_have_count(4)
    assert page.locator(".row").first.locator("i.differs").count() == 0
    for row in page.locator(".row").all()[1:]:
        assert row.locator("i.differs").count() == int(row.get_attribute("data-differing") or "0")


def test_a_presenter_steps_with_a_clicker(page: Page) -> None:
    opened(page, f"{CASE}&present=1")
    page.keyboard.press("PageDown")
    at_step(page, 1)
    page.keyboard.press("Home")
    at_step(page, 0)
    expect(page.get_by_role("button", name="Show the verdict")).to_be_visible()


def test_it_fits_a_phone_in_both_themes(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    opened(page)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        wait_until_idle(page)
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
        edges = page.locator(".card, .lines, .histogram").evaluate_all(
            "(parts) => parts.map((part) => part.getBoundingClientRect().right)"
        )
        assert max(edges) <= PHONE["width"]
