"""The operators page in a real browser: handles, keys, figures, links, messages, and the stability section.

Expected figures are worked out here with `math`: tanh'(x) = 1 − tanh²(x).
"""

import math
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from app.theme import DARK, LIGHT
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import BoardVisit, rgb

MINUS = "−"
PHONE = {"width": 390, "height": 844}


class Explorer(BoardVisit):
    """What a reader sees of the component and does to it."""

    skips = False

    def __init__(self, page: Page, query: str = "") -> None:
        super().__init__(page, f"/operators{query}")

    def plot(self, side: str) -> Locator:
        return self.root.locator(f".{side} svg.plot")

    def grip(self, name: str) -> Locator:
        return self.root.locator(f".grip.{name}")

    def figure(self, name: str) -> float:
        """A figure once it is the exact one for where the handles are."""
        expect(self.root).to_have_attribute("data-exact", "true")
        text = self.root.locator(f'[data-figure="{name}"]').inner_text()
        return float(text.replace(MINUS, "-").replace("∞", "inf"))

    def x(self) -> float:
        return float(self.grip("x").get_attribute("aria-valuenow") or "nan")

    def exponent(self) -> float:
        return float(self.grip("h").get_attribute("aria-valuenow") or "nan")

    def handle(self, name: str) -> Locator:
        return self.root.get_by_role("spinbutton", name=f"value of {name}")

    def drag(self, side: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag between two places given as shares of the plot's width and height."""
        box = self.plot(side).bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=8)
        self.page.mouse.up()


def test_figures_at_the_start(page: Page) -> None:
    explorer = Explorer(page)
    x, h = 0.8, 10**-0.5
    slope = 1 - math.tanh(x) ** 2
    central = (math.tanh(x + h) - math.tanh(x - h)) / (2 * h)
    assert explorer.figure("value") == pytest.approx(math.tanh(x), abs=1e-11)
    assert explorer.figure("slope") == pytest.approx(slope, abs=1e-11)
    assert explorer.figure("central") == pytest.approx(central, abs=1e-11)
    assert explorer.figure("error") == pytest.approx(abs(central - slope), rel=1e-2)
    expect(page.get_by_text("2 of 2 figures agree with torch")).to_be_visible()


def test_dragging_x_brings_exact_figures_and_a_link(page: Page) -> None:
    explorer = Explorer(page)
    explorer.drag("left", (0.3, 0.4), (0.4, 0.4))
    value = explorer.figure("value")
    assert explorer.x() != 0.8
    assert value == pytest.approx(math.tanh(explorer.x()), abs=1e-11)
    expect(page).to_have_url(re.compile(rf"[?&]x={re.escape(str(explorer.x()))}(&|$)"))


def test_a_ring_of_the_secant_and_the_v_curve_move_the_same_h(page: Page) -> None:
    explorer = Explorer(page)
    ring = explorer.root.locator(".end").nth(1).bounding_box()
    box = explorer.plot("left").bounding_box()
    assert ring is not None
    assert box is not None
    across = (ring["x"] + ring["width"] / 2 - box["x"]) / box["width"]
    down = (ring["y"] + ring["height"] / 2 - box["y"]) / box["height"]
    explorer.drag("left", (across, down), (across + 0.06, down))
    assert explorer.x() == 0.8
    assert explorer.exponent() > -0.5
    explorer.drag("right", (0.8, 0.5), (0.6, 0.5))
    exponent, h = explorer.exponent(), 10 ** explorer.exponent()
    assert -12 < exponent < -3
    central = (math.tanh(0.8 + h) - math.tanh(0.8 - h)) / ((0.8 + h) - (0.8 - h))
    assert explorer.figure("central") == pytest.approx(central, rel=1e-11)
    assert explorer.handle("log₁₀ h").input_value() == f"{exponent:g}".replace("-", MINUS)


def test_keys_move_both_handles(page: Page) -> None:
    explorer = Explorer(page)
    explorer.grip("x").focus()
    page.keyboard.press("ArrowRight")
    expect(explorer.grip("x")).to_have_attribute("aria-valuenow", "0.85")
    explorer.grip("h").focus()
    page.keyboard.press("ArrowLeft")
    expect(explorer.grip("h")).to_have_attribute("aria-valuenow", "-0.625")
    page.keyboard.press("Home")
    expect(explorer.grip("h")).to_have_attribute("aria-valuenow", "-16")
    assert math.isnan(explorer.figure("error")) or explorer.figure("error") > 1e-3
    wait_until_idle(page)
    expect(explorer.root.locator("[aria-live]")).to_contain_text("At x 0.85")


def test_a_value_out_of_bounds_is_refused_and_nothing_is_lost(page: Page) -> None:
    explorer = Explorer(page)
    explorer.handle("x").click()
    explorer.handle("x").fill("5000")
    explorer.handle("x").press("Enter")
    expect(page.get_by_test_id("stAlert")).to_contain_text("less than or equal to 1000")
    expect(explorer.handle("x")).to_have_value("0.8")
    assert explorer.figure("value") == pytest.approx(math.tanh(0.8), abs=1e-11)


def test_outside_the_domain_figures_are_nan_and_the_curve_is_open(page: Page) -> None:
    explorer = Explorer(page, "?v=1&operator=log&x=-1")
    assert math.isnan(explorer.figure("value"))
    assert math.isnan(explorer.figure("central"))
    expect(explorer.root.locator(".at-x")).to_be_hidden()
    path = explorer.root.locator(".curve.value").get_attribute("d") or ""
    assert path.count("M") == 1
    assert "NaN" not in path
    expect(explorer.root.locator(".right .caption")).to_contain_text("no h works")


def test_an_x_beyond_the_plot_is_pointed_to(page: Page) -> None:
    explorer = Explorer(page, "?v=1&operator=tanh&x=1000")
    expect(explorer.grip("x")).to_have_attribute("aria-valuetext", "x = 1000 ▸")
    assert explorer.figure("value") == 1.0


def test_a_link_restores_everything_and_the_second_operand_is_a_handle(page: Page) -> None:
    explorer = Explorer(page, "?v=1&operator=pow&x=2&other=3&step_exponent=0&width=10")
    figures = [explorer.figure(name) for name in ("value", "slope", "central")]
    assert figures == [8.0, 12.0, 13.0]
    explorer.handle("b").focus()
    page.keyboard.press("ArrowUp")
    expect(explorer.handle("b")).to_have_value("3.1")
    assert explorer.figure("value") == pytest.approx(2**3.1, abs=1e-10)


def test_choosing_an_operator_keeps_x(page: Page) -> None:
    explorer = Explorer(page, "?v=1&operator=tanh&x=2")
    page.get_by_role("combobox", name=re.compile("Operator")).fill("sigmoid")
    page.get_by_role("option", name="σ(x) · sigmoid").click()
    expect(page).to_have_url(re.compile("operator=sigmoid"))
    assert explorer.figure("value") == pytest.approx(1 / (1 + math.exp(-2)), abs=1e-11)


def test_a_prediction_is_answered_with_the_measured_step(page: Page) -> None:
    explorer = Explorer(page)
    errors = explorer.root.locator(".right .layer").first
    expect(errors).to_be_hidden()  # nothing to copy from before the guess
    page.get_by_label(re.compile("most accurate in float64")).fill("-8")
    page.get_by_role("button", name="Commit").click()
    verdict = page.get_by_text("You said")
    expect(verdict).to_contain_text("-8")
    expect(errors).to_be_visible()
    best = re.search(r"best h = (\S+),", explorer.root.locator(".right .caption .float64").inner_text())
    assert best is not None
    found = float(re.search(r"it is (-?[\d.]+\d)", verdict.inner_text()).group(1))  # type: ignore[union-attr]
    assert found == pytest.approx(math.log10(float(best.group(1).replace(MINUS, "-"))), abs=0.02)


def test_a_skipped_prediction_shows_the_errors(page: Page) -> None:
    explorer = Explorer(page)
    page.get_by_role("button", name="Skip").click()
    expect(explorer.root.locator(".right .layer").first).to_be_visible()


def test_hover_shows_sampled_figures_and_the_legend_hides(page: Page) -> None:
    explorer = Explorer(page)
    box = explorer.plot("left").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    expect(explorer.root.locator(".left .caption")).to_contain_text("f′")
    explorer.root.get_by_role("button", name="central difference").click()
    expect(explorer.root.locator(".curve.central")).to_be_hidden()


def test_presenter_keys_work_anywhere(page: Page) -> None:
    explorer = Explorer(page, "?present=1")
    page.keyboard.press("ArrowRight")
    expect(explorer.grip("x")).to_have_attribute("aria-valuenow", "0.85")
    page.keyboard.press("ArrowDown")
    expect(explorer.grip("h")).to_have_attribute("aria-valuenow", "-0.625")
    expect(page.get_by_text("Predict first")).to_have_count(0)


def test_a_phone_shows_one_plot_above_the_other_in_both_themes(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    explorer = Explorer(page)
    expect(explorer.root).to_have_attribute("data-theme", "dark")
    expect(explorer.root.locator(".curve.value")).to_have_css("stroke", rgb(DARK.value))
    page.emulate_media(color_scheme="light")
    expect(explorer.root).to_have_attribute("data-theme", "light")
    expect(explorer.root.locator(".curve.value")).to_have_css("stroke", rgb(LIGHT.value))
    wait_until_idle(page)
    left, right = explorer.plot("left").bounding_box(), explorer.plot("right").bounding_box()
    assert left is not None
    assert right is not None
    assert right["y"] > left["y"] + left["height"]
    assert min(left["height"], right["height"]) > 150
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_two_formulas_are_told_apart_and_open_as_graphs(page: Page) -> None:
    Explorer(page)
    cards = page.locator("[data-testid=stMain]").get_by_role("table")
    expect(cards).to_have_count(5)
    expect(cards.nth(0)).to_contain_text("NaN ✗")
    expect(cards.nth(2)).not_to_contain_text("✗")
    expect(page.get_by_text("at 1000: exp gives ∞")).to_have_count(2)
    slider = page.get_by_role("slider", name=re.compile("At"))
    slider.focus()
    slider.press("Home")
    expect(page.get_by_text("✓ right on both sides")).to_have_count(5)
    slider.press("End")
    expect(page.get_by_text("at 10000: exp gives ∞")).to_have_count(2)
    page.get_by_role("link", name="Step through it").nth(0).click()
    expect(page).to_have_url(re.compile(r"/graph\?"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("derivative travel")
    wait_until_idle(page)
    expect(page.get_by_text("1 / (1 + exp(-x))").first).to_be_visible()
    page.get_by_role("link", name="Operators and slopes").click()
    expect(page.get_by_text("at 10000: exp gives ∞")).to_have_count(2)
