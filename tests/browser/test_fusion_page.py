"""Fusion in a real browser: passes, linked graph and code, machine code, measuring, a phone. No timings."""

import json
import re
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.theme import DARK, LIGHT
from scripts.watch import wait_until_idle

PHONE = {"width": 390, "height": 844}
REPEATS = "x = data(n, d)\ny = exp(x) / (1 + exp(x))\nunused = sqrt(y + 1)\ny * (1 - y)"
COLD = 120_000  # milliseconds
TINY = quote(json.dumps({"n": 3, "d": 4}))


@pytest.fixture(scope="module", autouse=True)
def warm(context: BrowserContext) -> None:
    """The server has loaded torch, which may take long."""
    page = context.new_page()
    page.goto("/fusion")
    expect(page.get_by_text("figures agree")).to_be_visible(timeout=COLD)
    page.close()


def visit(page: Page, query: str = "") -> None:
    page.goto(f"/fusion?v=1{query}")
    wait_until_idle(page)
    skip = page.get_by_role("button", name="Skip")
    if skip.count():
        skip.click()
        expect(skip).to_have_count(0)
        wait_until_idle(page)
    expect(page.locator(".fusion .node").first).to_be_visible()


def test_passes_are_stepped_and_shown_as_differences(page: Page) -> None:
    visit(page, f"&program={quote(REPEATS)}&present=1")
    removed, changed = page.locator(".node.removed"), page.locator(".node.changed")
    expect(removed).to_have_count(0)
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(changed).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(removed).to_have_count(3)
    expect(page.locator(".said")).to_contain_text("3 nodes gone")
    page.keyboard.press("PageDown")
    expect(page.locator(".node.grouped")).to_have_count(5)
    expect(page.locator(".edge.register")).to_have_count(6)
    expect(page).to_have_url(re.compile(r"[?&]stage=fused(&|$)"))
    page.keyboard.press("r")
    expect(page.locator(".node.grouped")).to_have_count(0)


def test_graph_program_code_and_timeline_are_linked(page: Page) -> None:
    visit(page, "&stage=fused")
    page.locator(".node", has_text="exp").hover()
    expect(page.locator(".program .lit")).to_have_count(0)  # its line computes another operation, too
    expect(page.locator(".program .touched")).to_have_text("e = exp(x - m)")
    expect(page.locator(".code .lit")).to_have_text(["v2 = exp(v1)", "row2[i1] = v2"])
    expect(page.locator('[data-lane="eager"] .block.lit')).to_have_text("exp")
    page.locator(".code code", has_text="v3 += v2").click()
    expect(page.locator(".node.lit")).to_contain_text("Σ")
    page.locator(".said").hover()
    expect(page.locator(".node.lit")).to_contain_text("Σ")  # a click keeps it
    page.locator('[data-lane="fused"] .block').hover()
    expect(page.locator(".node.lit")).to_have_count(5)
    expect(page.locator(".facts")).to_contain_text("Kernel 1: 5 operations in one loop nest, 3 walks")


def test_machine_code_is_shown_where_the_vectors_are(page: Page) -> None:
    visit(page, "&stage=fused")
    page.get_by_role("tab", name="assembly").click()
    expect(page.locator(".code .loop").first).to_be_attached()
    expect(page).to_have_url(re.compile(r"[?&]code=assembly(&|$)"))
    page.get_by_role("tab", name="LLVM IR").click()
    expect(page.locator(".code code").first).to_contain_text("define")
    page.get_by_role("tab", name="kernel").click()
    expect(page.locator(".code code").first).to_have_text("def kernel(p):")


def test_a_measurement_is_made_when_asked_for_and_kept(page: Page) -> None:
    visit(page, f"&sizes={TINY}")
    scale = page.locator('[data-scale="time"]')
    expect(scale).to_be_disabled()
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.get_by_text("Measured on this machine").first).to_be_visible()
    expect(page.locator(".bars .row")).to_have_count(5)
    expect(scale).to_be_enabled()
    scale.click()
    expect(page.locator('[data-lane="eager"] .head')).to_contain_text("a call")
    expect(page).to_have_url(re.compile(r"[?&]scale=time(&|$)"))


def test_a_phone_shows_all_of_it_in_both_themes(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for scheme, palette in (("light", LIGHT), ("dark", DARK)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        visit(page, "&stage=fused")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        red, green, blue = (int(palette.value[i : i + 2], 16) for i in (1, 3, 5))
        expect(page.locator(".node.grouped rect").first).to_have_css("stroke", f"rgb({red}, {green}, {blue})")
