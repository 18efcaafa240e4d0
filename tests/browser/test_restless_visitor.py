"""A visitor who presses, drags and types anything, anywhere, as fast as a browser takes it."""

import random

import pytest
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from app.catalog import pages
from scripts.watch import wait_until_idle

ACTIONS = 250
KEYS = ("ArrowRight", "ArrowLeft", "Home", "End", " ", "+", "-", "0", "Escape", "Enter", "Tab", "PageDown")
TYPED = ("1", "x", "(", "sin(x)", "-3", "\\", "é")
LEFT, TOP, RIGHT, BOTTOM = 310, 90, 1420, 890  # the page without its navigation


def act(page: Page, choice: random.Random) -> None:
    x, y = choice.randint(LEFT, RIGHT), choice.randint(TOP, BOTTOM)
    match choice.choices(("key", "click", "drag", "wheel", "type", "choose"), (6, 5, 4, 2, 2, 2))[0]:
        case "key":
            page.keyboard.press(choice.choice(KEYS))
        case "click":
            page.mouse.click(x, y)
        case "drag":
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + choice.randint(-120, 120), y + choice.randint(-40, 40), steps=5)
            page.mouse.up()
        case "wheel":
            page.mouse.wheel(0, choice.choice((-200, 200)))
        case "type":
            page.keyboard.type(choice.choice(TYPED))
        case "choose":
            options = page.get_by_test_id("stMain").get_by_role("button").all()
            if options:
                choice.choice(options).click(timeout=300)


@pytest.mark.parametrize("address", [page.url_path for page in pages() if page.study])
def test_no_haste_breaks_a_page(page: Page, address: str) -> None:
    choice = random.Random(address)
    page.goto(f"/{address}")
    page.locator(".unroll[data-ready]").first.wait_for()
    for _ in range(ACTIONS):
        try:
            act(page, choice)
        except PlaywrightTimeoutError:
            continue  # what was to be clicked had moved away: so would a visitor have missed it
        if f"/{address}" not in page.url:
            page.goto(f"/{address}")
    page.keyboard.press("Escape")
    wait_until_idle(page)
    page.goto(f"/{address}")
    page.locator(".unroll[data-ready]").first.wait_for()
    wait_until_idle(page)
