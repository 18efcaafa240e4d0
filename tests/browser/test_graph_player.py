"""The graph player by itself, in a real browser, on computations whose numbers are worked out by hand.

The neuron: s = x1·w1 + x2·w2 + b = 2·(−3) + 0·1 + 6.88 = 0.88 and L = tanh(s) = 0.7064, so that
∂L/∂s = 1 − L² = 0.501. The diamond: L = x·x + 3·x at 1.5, so that ∂L/∂x = 3 + 1.5 + 1.5 = 6.
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from scripts.watch import Watch
from tests.browser.harness.server import serve

MINUS = "−"
NEURON_STEPS = 16

Open = Callable[..., "Player"]


class Player:
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".unroll")
        self.stage = page.locator("svg.stage")

    @property
    def step(self) -> int:
        return int(self.root.get_attribute("data-step") or -1)

    def press(self, *keys: str) -> None:
        self.stage.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, action: str) -> Locator:
        return self.root.locator(f'[data-action="{action}"]')

    def node(self, id_: str) -> Locator:
        return self.stage.locator(f'.node[data-node="{id_}"]')

    def text(self, id_: str, part: str) -> str:
        return self.node(id_).locator(f"text.{part}").text_content() or ""

    def figure(self, name: str, method: str) -> Locator:
        return self.root.locator(f'td[data-input="{name}"][data-method="{method}"]')

    def handle(self, name: str) -> Locator:
        return self.root.get_by_role("spinbutton", name=f"value of {name}")

    def formulas(self) -> list[str]:
        return [re.sub(r"\s", "", row) for row in self.root.locator(".formula .row").all_text_contents()]

    def transform(self) -> str:
        return self.stage.locator(".world").get_attribute("transform") or ""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve() as running:
        yield running


@pytest.fixture(scope="module")
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        yield context


@pytest.fixture
def open_player(browser: Browser, desktop: BrowserContext, address: str) -> Iterator[Open]:
    """Opens the player on a program; a page that logs an error fails its test. Options: a browser's own."""
    watches: list[Watch] = []

    def open_(query: str, **options: Any) -> Player:
        page = browser.new_page(**options) if options else desktop.new_page()
        page.set_default_timeout(10_000)
        watches.append(Watch(page, address))
        page.goto(f"{address}/?{query}")
        page.locator('.unroll[data-ready="true"]').wait_for()
        return Player(page)

    yield open_
    faults = [fault for watch in watches for fault in watch.faults()]
    for watch in watches:
        watch.page.close()
    assert faults == []


def test_forward_steps_fill_values_and_leave_the_rest_uncomputed(open_player: Open) -> None:
    player = open_player("program=neuron")
    assert player.step == 0
    assert player.text("x1", "value") == "2"
    assert player.text("t", "value") == ""  # not computed is never shown as 0
    expect(player.node("t")).to_have_class(re.compile("waiting"))
    player.press(*["ArrowRight"] * 9)
    assert player.text("p", "value") == f"{MINUS}6"
    assert player.text("s", "value") == "0.88"
    assert player.text("t", "value") == "0.7064"
    assert player.text("t", "gradient") == ""
    expect(player.node("t")).not_to_have_class(re.compile("waiting"))
    assert player.formulas() == ["v5=tanh(s)=tanh(0.88)=0.7064"]


def test_backward_steps_show_each_product_of_the_chain_rule(open_player: Open) -> None:
    player = open_player("program=neuron")
    player.press("End")
    assert player.step == NEURON_STEPS - 1
    expected = {"x1": f"{MINUS}1.503", "w1": "1.002", "x2": "0.501", "w2": "0", "b": "0.501"}
    for name, gradient in expected.items():
        assert player.text(name, "gradient") == f"∂ {gradient}"
        assert player.figure(name, "backprop").locator("span").first.text_content() == gradient
    product = float(player.figure("x1", "backprop").get_attribute("data-value") or "nan")
    assert product == pytest.approx(-3 * (1 - math.tanh(0.88) ** 2), rel=1e-12)
    left, right = player.formulas()
    assert left == f"∂L∂x1+=∂L∂v1·∂v1∂x1=0.501×w1=0.501×({MINUS}3)={MINUS}1.503"
    assert right == "∂L∂w1+=∂L∂v1·∂v1∂w1=0.501×x1=0.501×2=1.002"
    assert sorted(player.stage.locator(".amount text").all_text_contents()) == ["1.002", f"{MINUS}1.503"]
    assert player.stage.locator(".stream.backward").count() == 2


def test_a_local_partial_that_is_a_sum_wears_parentheses_in_a_product(open_player: Open) -> None:
    player = open_player("program=neuron&start=11")
    assert player.formulas() == [f"∂L∂s+=∂L∂v5·∂v5∂s=1×(1{MINUS}v52)=1×0.501=0.501"]


def test_contributions_to_a_value_used_more_than_once_add_up(open_player: Open) -> None:
    player = open_player("program=diamond&start=7")
    assert player.text("x", "gradient") == "∂ 3 …"  # a partial sum, marked as one
    assert player.stage.locator(".sum").count() == 0
    player.press("ArrowRight")
    assert player.text("x", "gradient") == "∂ 6"
    assert player.stage.locator(".sum text").all_text_contents() == ["Σ 3 + 1.5 + 1.5"]
    assert [row.partition("Σ")[2] for row in player.formulas()] == ["3+1.5=4.5", "4.5+1.5=6"]


def test_forward_mode_carries_tangents_along(open_player: Open) -> None:
    player = open_player("program=diamond&mode=forward&seed=x&start=4")
    assert player.text("u", "gradient").endswith(" 3")  # d(x·x)/dx = 2·1.5
    assert player.text("y", "gradient").endswith(" 6")
    value, tangent = player.formulas()
    assert value == "v3=v1+v2=2.25+4.5=6.75"
    assert tangent.endswith("=1×3+1×3=6")
    assert player.stage.locator(".stream.tangent").count() == 2


def test_the_other_methods_stay_hidden_until_the_last_step(open_player: Open) -> None:
    player = open_player("program=neuron&start=14")
    methods = ("forward mode", "finite difference", "torch")
    for method in methods:
        assert player.figure("b", method).text_content() == "·"
    assert player.figure("x1", "backprop").text_content() == "·"
    assert player.figure("b", "backprop").text_content() == "0.501"
    player.press("End")
    for method in methods:
        assert player.figure("b", method).locator("span").first.text_content() == "0.501"
        assert player.figure("b", method).get_by_role("img", name="agrees").count() == 1


def test_keys_buttons_and_slider_move_one_and_the_same_step(open_player: Open) -> None:
    player = open_player("program=neuron")
    player.press("End", "ArrowLeft")
    assert player.step == NEURON_STEPS - 2
    player.press("Home", "ArrowRight", "ArrowRight")
    assert player.step == 2
    player.button("next").click()
    assert player.step == 3
    player.button("last").click()
    player.button("previous").click()
    assert player.step == NEURON_STEPS - 2
    player.root.get_by_role("slider", name="step").fill("5")
    assert player.step == 5
    assert player.root.locator(".count").text_content() == "step 6 / 16"
    player.press("+")
    assert player.transform() != ""


def test_play_runs_to_the_end_and_stops(open_player: Open) -> None:
    player = open_player("program=diamond")
    player.root.get_by_label("speed").select_option("8")
    player.press(" ")
    expect(player.root).to_have_attribute("data-step", "8", timeout=5000)
    expect(player.button("play")).to_have_attribute("aria-label", "play")


def test_hovering_text_or_node_lights_the_other(open_player: Open) -> None:
    player = open_player("program=neuron&start=9")
    player.node("p").hover()
    assert player.root.locator(".source .lit").all_text_contents() == ["x1*w1"]
    player.root.locator('.source [data-node="x2"]').first.hover()
    expect(player.node("x2")).to_have_class(re.compile("lit"))
    expect(player.node("p")).not_to_have_class(re.compile("lit"))
    player.root.locator('.formula [data-node="s"]').first.hover()
    assert player.root.locator(".source .lit").count() == 3  # the name, what it stands for, and its use


def test_a_node_can_be_inspected_and_left(open_player: Open) -> None:
    player = open_player("program=neuron&start=9")
    player.node("p").click()
    inspector = player.root.locator(".inspector")
    assert "v1=x1×w1" in re.sub(r"\s", "", inspector.text_content() or "")
    assert inspector.locator(".number.value").get_attribute("data-value") == "-6"
    expect(inspector).to_contain_text("not computed yet")  # its gradient
    inspector.locator(".links button", has_text="x1").click()
    expect(inspector.locator("h3")).to_have_text("x1")
    player.press("Escape")
    expect(inspector.locator("h3")).to_have_count(0)
    player.press("Enter")  # the current step's node
    expect(inspector.locator("h3")).to_have_text("v5")


def test_dragging_an_input_recomputes_in_place(open_player: Open) -> None:
    player = open_player("program=neuron")
    player.press("End", "+")
    player.node("s").click()
    before = player.transform()
    box = player.handle("b").bounding_box()
    assert box is not None
    player.page.mouse.move(box["x"] + 20, box["y"] + 10)
    player.page.mouse.down()
    player.page.mouse.move(box["x"] + 120, box["y"] + 10, steps=20)
    player.page.mouse.up()
    expect(player.handle("b")).to_have_value("7.88")  # a hundredth a pixel
    expect(player.node("s").locator(".value")).to_have_text("1.88")
    expected = f"∂ {1 - math.tanh(1.88) ** 2:.4g}"
    expect(player.node("s").locator(".gradient")).to_have_text(expected)
    assert player.step == NEURON_STEPS - 1
    assert player.transform() == before
    expect(player.root.locator(".inspector h3")).to_have_text("s")
    expect(player.page.get_by_test_id("stJson")).to_contain_text('"final":true')


def test_typing_an_input_takes_numbers_and_refuses_the_rest(open_player: Open) -> None:
    player = open_player("program=neuron&start=9")
    handle = player.handle("b")
    handle.click()
    player.page.keyboard.type("six")
    player.page.keyboard.press("Enter")
    expect(player.root.get_by_role("alert").filter(has_text="is not a number")).to_be_visible()
    expect(handle).to_have_value("6.88")
    handle.fill("-1.5e0")
    player.page.keyboard.press("Enter")
    expect(player.node("s").locator(".value")).to_have_text(f"{MINUS}7.5")
    expect(handle).to_have_value(f"{MINUS}1.5")
    player.page.keyboard.press("ArrowUp")
    expect(handle).to_have_value(f"{MINUS}1.4")
    player.page.keyboard.press("Shift+ArrowUp")
    expect(handle).to_have_value(f"{MINUS}0.4")
    player.page.keyboard.press("Alt+ArrowDown")
    expect(handle).to_have_value(f"{MINUS}0.41")
    expect(player.node("s").locator(".value")).to_have_text(f"{MINUS}6.41")
    assert player.step == 9  # arrow keys on a handle do not step


def test_what_is_not_a_number_is_hatched_and_named(open_player: Open) -> None:
    player = open_player("program=broken&start=3")
    assert player.text("l", "value") == f"{MINUS}∞"
    assert player.text("y", "value") == "NaN"
    for id_ in ("l", "y"):
        expect(player.node(id_)).to_have_class(re.compile("invalid"))
        expect(player.node(id_).locator(".hatch")).to_be_visible()
    expect(player.node("x")).not_to_have_class(re.compile("invalid"))


def test_a_new_program_starts_afresh(open_player: Open) -> None:
    player = open_player("program=neuron")
    player.press("End")
    player.page.get_by_text("another program").click()
    expect(player.node("u")).to_be_visible()
    assert player.step == 0
    assert player.handle("x").input_value() == "1.5"


def test_presenter_keys_work_from_anywhere_but_not_while_typing(open_player: Open) -> None:
    player = open_player("program=neuron&present=1&start=4")
    assert not player.button("link").is_visible()
    assert not player.root.get_by_label("speed").is_visible()
    page = player.page
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowRight")
    assert player.step == 6
    page.keyboard.press("PageUp")
    assert player.step == 5
    page.keyboard.press("r")
    assert player.step == 4
    page.get_by_label("elsewhere").click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("r")
    assert player.step == 4


def test_without_presenter_mode_keys_elsewhere_are_left_alone(open_player: Open) -> None:
    player = open_player("program=neuron&start=4")
    player.page.keyboard.press("ArrowRight")
    assert player.step == 4


def test_a_graph_of_150_nodes_keeps_up_with_the_key(open_player: Open) -> None:
    player = open_player("program=large&start=140")
    assert player.stage.locator(".node").count() == 150
    player.press(*["ArrowRight"] * 40)
    expect(player.root).to_have_attribute("data-step", "180")


def test_a_wide_graph_is_followed_until_the_reader_looks_elsewhere(open_player: Open) -> None:
    player = open_player("program=large")
    follow = player.button("follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    player.press("End", "ArrowLeft")
    expect(player.stage.locator(".node.current")).to_be_in_viewport()
    box = player.stage.bounding_box()
    assert box is not None
    player.page.mouse.move(box["x"] + 300, box["y"] + 8)
    player.page.mouse.down()
    player.page.mouse.move(box["x"] + 200, box["y"] + 8, steps=5)
    player.page.mouse.up()
    expect(follow).to_have_attribute("aria-pressed", "false")
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "true")


def test_the_picture_can_be_taken_away(open_player: Open) -> None:
    player = open_player("program=neuron&start=9")
    with player.page.expect_download() as download:
        player.button("download").click()
    assert download.value.suggested_filename == "graph-step-10.svg"
    text = download.value.path().read_text(encoding="utf-8")
    picture = ElementTree.fromstring(text)
    labels = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "0.7064" in labels
    assert "var(" not in text
    assert "class=" not in text


def test_a_link_to_the_step_is_asked_for_and_copied(open_player: Open) -> None:
    player = open_player("program=neuron", permissions=["clipboard-read", "clipboard-write"])
    player.press("ArrowRight", "ArrowRight")
    player.button("link").click()
    player.page.wait_for_url(re.compile("start=2"))
    expect(player.button("link")).to_have_attribute("title", "link copied")
    assert "start=2" in player.page.evaluate("navigator.clipboard.readText()")


def test_the_theme_follows_the_page(open_player: Open) -> None:
    player = open_player("program=neuron", color_scheme="light")
    expect(player.root).to_have_attribute("data-theme", "light")
    player.press("ArrowRight")
    player.page.emulate_media(color_scheme="dark")
    expect(player.root).to_have_attribute("data-theme", "dark")
    assert player.step == 1


def test_a_phone_gets_the_panel_below_and_targets_for_fingers(open_player: Open) -> None:
    player = open_player("program=neuron", viewport={"width": 390, "height": 844}, has_touch=True)
    stage, panel = player.stage.bounding_box(), player.root.locator(".panel").bounding_box()
    assert stage is not None
    assert panel is not None
    assert panel["y"] >= stage["y"] + stage["height"]
    assert 0 <= stage["x"] <= 390 - stage["width"]
    for target in player.root.locator("button:visible, select:visible, input:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 36, target
    player.button("next").tap()
    assert player.step == 1


def test_a_screen_reader_hears_the_result_of_a_step(open_player: Open) -> None:
    player = open_player("program=neuron")
    player.press("End")
    heard = player.root.locator("[aria-live]").text_content() or ""
    assert heard == f"Step 16 of 16, backward. gradient of x1 is {MINUS}1.503; gradient of w1 is 1.002."
