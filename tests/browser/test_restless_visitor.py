"""A visitor who presses, drags and types anything, anywhere, as fast as a browser takes it."""

import random

import pytest
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import expect

from app.catalog import Page, pages
from scripts.watch import wait_until_idle

ACTIONS, MOST = 3, 150  # for every control that is on the page at the start; on any page
CONTROLS = ":is(button, input, select, textarea, [tabindex='0']):visible"
KEYS = ("ArrowRight", "ArrowLeft", "Home", "End", " ", "+", "-", "0", "Escape", "Enter", "Tab", "PageDown")
TYPED = ("1", "x", "(", "sin(x)", "-3", "\\", "é")
LEFT, TOP, RIGHT, BOTTOM = 310, 90, 1420, 890  # the page without its navigation


def open_page(page: BrowserPage, entry: Page) -> None:
    page.goto(f"/{entry.url_path}")
    page.locator(".unroll[data-ready]").first.wait_for()
    wait_until_idle(page)


def act(page: BrowserPage, choice: random.Random) -> None:
    x, y = choice.randint(LEFT, RIGHT), choice.randint(TOP, BOTTOM)
    match choice.choices(("key", "click", "drag", "wheel", "type", "choose"), (6, 5, 4, 2, 2, 2))[0]:
        case "key":
            page.keyboard.press(choice.choice(KEYS))
        case "click":
            page.mouse.click(x, y)
        case "drag":
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + choice.randint(-120, 120), y + choice.randint(-40, 40), steps=3)
            page.mouse.up()
        case "wheel":
            page.mouse.wheel(0, choice.choice((-200, 200)))
        case "type":
            page.keyboard.type(choice.choice(TYPED))
        case "choose":
            options = page.get_by_test_id("stMain").get_by_role("button", disabled=False).all()
            if options:
                choice.choice(options).click(timeout=300)


@pytest.mark.parametrize("entry", [page for page in pages() if page.study], ids=lambda entry: entry.file)
def test_no_haste_breaks_a_page(page: BrowserPage, entry: Page) -> None:
    choice = random.Random(entry.url_path)
    open_page(page, entry)
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    expect(page).to_have_title(f"{entry.title} · Unroll")
    controls = page.get_by_test_id("stMain").locator(CONTROLS).count()
    for _ in range(min(ACTIONS * controls, MOST)):
        try:
            act(page, choice)
        except PlaywrightTimeoutError:
            continue  # what was to be clicked had moved away: so would a visitor have missed it
        if f"/{entry.url_path}" not in page.url:
            page.goto(f"/{entry.url_path}")
    page.keyboard.press("Escape")
    wait_until_idle(page)
    open_page(page, entry)
