"""The graph page as a visitor uses it: step, read, drag, type, link, err, go back."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from scripts.live_server import LiveServer
from scripts.watch import wait_until_idle

WRONG_ORDER = {"program": "u = x*x\nv = sin(u)\nu*v + u", "values": '{"x":1.5}', "order": "breadth first"}


def open_graph(page: Page, **query: str) -> None:
    page.goto(f"/graph?{urlencode(query)}" if query else "/graph")
    page.locator(".unroll[data-ready]").wait_for()
    wait_until_idle(page)


def press(page: Page, *keys: str) -> None:
    page.locator("svg.stage").focus()
    for key in keys:
        page.keyboard.press(key)


def figure(page: Page, name: str, method: str) -> float:
    """A derivative as the table of inputs shows it, to all its digits."""
    cell = page.locator(f'td[data-input="{name}"][data-method="{method}"]')
    expect(cell).not_to_have_attribute("data-value", "")
    return float(cell.get_attribute("data-value") or "nan")


def type_program(page: Page, text: str) -> None:
    editor = page.get_by_role("textbox", name="Program", exact=True)
    editor.fill(text)
    editor.press("Control+Enter")
    wait_until_idle(page)


def address(page: Page) -> dict[str, str]:
    return {key: value[0] for key, value in parse_qs(urlsplit(page.url).query).items()}


def test_step_with_the_keyboard_and_read_the_gradient(page: Page) -> None:
    open_graph(page)
    root = page.locator(".unroll[data-ready]")
    cells = page.locator("td[data-input]")
    assert cells.count() == 20
    for cell in cells.all():  # no gradient is shown before its step
        expect(cell).to_have_attribute("data-value", "")
    press(page, "ArrowRight", "ArrowRight", "ArrowLeft")
    expect(root).to_have_attribute("data-step", "1")
    press(page, "End")
    leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (-3.0, 2.0, 1.0, 0.0, 6.88)]
    w1, x1, w2, x2, b = leaves
    torch.tanh(w1 * x1 + w2 * x2 + b).backward()
    for name, leaf in zip(("w1", "x1", "w2", "x2", "b"), leaves, strict=True):
        for method in ("backprop", "forward mode", "torch"):
            assert figure(page, name, method) == pytest.approx(leaf.grad.item(), rel=1e-9)
        assert figure(page, name, "finite difference") == pytest.approx(leaf.grad.item(), rel=1e-5)


def test_a_typed_program_is_differentiated_and_linked(
    page: Page, browser: Browser, server: LiveServer
) -> None:
    open_graph(page)
    type_program(page, "y = 3\nx = 2\nx**2*y + y")
    press(page, "End")
    assert figure(page, "x", "backprop") == 12.0
    assert figure(page, "y", "backprop") == 5.0
    link = page.url
    with browser.new_context(base_url=server.url) as context:
        other = context.new_page()
        other.goto(link)
        other.locator(".unroll[data-ready]").wait_for()
        press(other, "End")
        assert figure(other, "x", "backprop") == 12.0


@pytest.mark.parametrize("place", ["input.handle", "g.node.input"], ids=["in the table", "in the drawing"])
def test_dragging_an_input_recomputes_on_the_server(page: Page, place: str) -> None:
    open_graph(page, v="1", program="x*x", values='{"x":3.0}')
    press(page, "End")
    assert figure(page, "x", "backprop") == 6.0
    box = page.locator(place).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 70, box["y"] + box["height"] / 2, steps=8)
    page.mouse.up()
    expect(page).not_to_have_url(re.compile(r"x%22%3A3.0"))
    value = float(re.search(r'"x":([-0-9.e]+)', address(page)["values"]).group(1))  # type: ignore[union-attr]
    shown = page.locator('td[data-input="x"][data-method="torch"]')
    expect(shown).to_have_attribute("data-value", f"{2 * value:g}")
    assert figure(page, "x", "backprop") == pytest.approx(2 * value)
    expect(page.locator(".inspector h3")).to_have_count(0)  # a drag is not a click


def test_clicking_a_leaf_of_the_drawing_inspects_it(page: Page) -> None:
    open_graph(page, v="1", program="x*x", values='{"x":3.0}')
    page.locator("g.node.input").click()
    expect(page.locator(".inspector h3")).to_have_text("x")


def test_an_error_is_explained_and_nothing_is_lost(page: Page) -> None:
    open_graph(page)
    for text, said in (
        ("tanh(w1*x1", "never closed"),
        ("foo(x)", "no function “foo”"),
        ("__import__('os').system('id')", "underscore"),
        ("+".join(["x"] * 10_000), "19,999 characters"),
    ):
        type_program(page, text)
        expect(page.get_by_test_id("stAlert")).to_contain_text(said)
        expect(page.get_by_role("textbox", name="Program", exact=True)).to_have_value(text)
        expect(page.locator(".unroll[data-ready]")).to_be_visible()
        type_program(page, "x*y")
        expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_a_bad_link_restores_defaults_and_says_so(page: Page) -> None:
    open_graph(page, v="1", mode="sideways", step="-3", program="x*y")
    alerts = page.get_by_test_id("stAlert")
    expect(alerts).to_have_count(2)
    expect(alerts.first).to_contain_text("Mode cannot be")
    expect(page.get_by_role("textbox", name="Program", exact=True)).to_have_value("x*y")


def test_the_wrong_order_is_shown_to_be_wrong(page: Page) -> None:
    open_graph(page, **WRONG_ORDER)
    press(page, "End")
    x = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    u = x * x
    (u * torch.sin(u) + u).backward()
    assert figure(page, "x", "torch") == pytest.approx(x.grad.item())
    assert figure(page, "x", "breadth first") != pytest.approx(x.grad.item(), rel=1e-3)
    expect(page.locator('td[data-input="x"][data-method="breadth first"] .differs')).to_be_visible()


def test_back_and_reload_keep_what_was_on_screen(page: Page) -> None:
    open_graph(page)
    start = page.get_by_role("textbox", name="Program", exact=True).input_value()
    page.get_by_test_id("stMain").get_by_text("Rosenbrock").click()
    wait_until_idle(page)
    rosenbrock = page.get_by_role("textbox", name="Program", exact=True).input_value()
    assert rosenbrock != start
    page.reload()
    wait_until_idle(page)
    expect(page.get_by_role("textbox", name="Program", exact=True)).to_have_value(rosenbrock)
    page.go_back()
    expect(page.get_by_role("textbox", name="Program", exact=True)).to_have_value(start)


def test_two_tabs_do_not_share_a_program(page: Page) -> None:
    open_graph(page)
    second = page.context.new_page()
    open_graph(second)
    type_program(second, "p*q")
    type_program(page, "r*s")
    expect(second.get_by_role("textbox", name="Program", exact=True)).to_have_value("p*q")
    assert address(second)["program"] == "p*q"
    second.close()


def test_presenter_steps_with_a_clicker_anywhere_on_the_page(page: Page) -> None:
    open_graph(page, v="1", program="x*y", present="1")
    root = page.locator(".unroll[data-ready]")
    page.locator("h1").click()
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowRight")
    expect(root).to_have_attribute("data-step", "2")
    page.keyboard.press("Home")
    expect(root).to_have_attribute("data-step", "0")
    expect(page.get_by_role("textbox", name="Program", exact=True)).to_have_count(0)
    page.get_by_text("Leave presenter mode").click()
    expect(page.get_by_role("textbox", name="Program", exact=True)).to_be_visible()


def test_presenter_keeps_the_controls_that_the_link_names(page: Page) -> None:
    open_graph(page, v="1", program="x*y", present="1", show="program")
    expect(page.get_by_role("textbox", name="Program", exact=True)).to_be_visible()
    expect(page.get_by_text("topological", exact=True)).to_have_count(0)


def test_phone_width_has_no_sideways_scroll(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_graph(page)
    for element in ("document.documentElement", "document.querySelector('[data-testid=stMain]')"):
        assert page.evaluate(f"{element}.scrollWidth - {element}.clientWidth") == 0
    press(page, "ArrowRight")
    expect(page.locator(".unroll[data-ready]")).to_have_attribute("data-step", "1")


def test_prediction_is_compared(page: Page) -> None:
    open_graph(page, v="1", program="x*x", values='{"x":3.0}')
    page.get_by_placeholder("e.g. 0.5").fill("5")
    page.get_by_role("button", name="Commit").click()
    expect(page.get_by_text("You said 5; it is 6: off by 1.")).to_be_visible()


def test_downloads_are_made_when_asked_for(page: Page) -> None:
    open_graph(page, v="1", program="x*x", values='{"x":3.0}')
    page.get_by_role("button", name="Download", exact=True).click()
    for label, expected in (
        ("Notebook", '"nbformat": 4'),
        ("Data as CSV", "node,name,operator"),
        ("Settings and figures", '"output": 9.0'),
        ("Graph as DOT", "digraph"),
        ("Graph as JSON", '"unroll-graph"'),
    ):
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        assert expected in download.value.path().read_text("utf-8")


def test_the_presenter_link_opens_with_the_controls_that_were_kept(page: Page) -> None:
    open_graph(page, v="1", program="x*x", values='{"x":3.0}')
    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_test_id("stPopoverBody").get_by_text("Program", exact=True).click()
    link = page.get_by_test_id("stPopoverBody").get_by_text("show=program")
    expect(link).to_be_visible()
    page.goto(link.inner_text().strip())
    wait_until_idle(page)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Program", exact=True)).to_have_value("x*x")
    expect(page.get_by_text("topological", exact=True)).to_have_count(0)
    expect(page.get_by_text("Leave presenter mode")).to_be_visible()


def test_the_link_and_the_code_can_be_copied_from_the_page(page: Page) -> None:
    open_graph(page, v="1", program="x*x", values='{"x":3.0}')
    page.get_by_role("button", name="Link", exact=True).click()
    expect(page.get_by_text("present=1").first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Code", exact=True).click()
    expect(page.get_by_text("torch.tensor").first).to_be_visible()
