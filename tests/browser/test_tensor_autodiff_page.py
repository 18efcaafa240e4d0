"""The tensor autodiff page as a visitor uses it: step, read memory, open a node, fold, type, present."""

import json
import re
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from engine.studies.tensor_autodiff_gallery import RESIDUAL
from scripts.watch import wait_until_idle

MINUS = "−"
PRODUCT = "x = parameter(2, 3)\nw = parameter(3, 2)\nz = x @ w\nsum(square(z))"


class Player:
    """What a reader sees of the component, past the prediction."""

    def __init__(self, page: Page, **query: str) -> None:
        self.page = page
        page.goto(f"/tensor_autodiff?{urlencode({'v': '1', **query})}")
        self.root = page.locator(".unroll[data-ready]")
        self.root.wait_for()
        if query.get("present") != "1":
            page.get_by_role("button", name="Skip").click()
            expect(page.get_by_role("button", name="Skip")).to_have_count(0)
        wait_until_idle(page)

    def press(self, *keys: str) -> None:
        self.page.locator("svg.stage").focus()
        for key in keys:
            self.page.keyboard.press(key)

    def node(self, id_: str) -> Locator:
        return self.page.locator(f'svg.stage .node[data-node="{id_}"]')

    def text(self, id_: str, part: str) -> str:
        return self.node(id_).locator(f"text.{part}").text_content() or ""

    def look(self, zoom: str) -> None:
        self.page.locator(f'.zooms [data-zoom="{zoom}"]').click()
        wait_until_idle(self.page)

    @property
    def live(self) -> str:
        return re.sub(r"\s", "", self.root.locator(".live").text_content() or "")


def product_by_torch(seed: int = 0) -> tuple[torch.Tensor, ...]:
    """x, w and z of PRODUCT in float64, with gradients."""
    draw = np.random.default_rng(seed)
    x = torch.tensor(np.round(draw.normal(0, 3**0 * 2**-0.5, (2, 3)), 2), requires_grad=True)
    w = torch.tensor(np.round(draw.normal(0, 3**-0.5, (3, 2)), 2), requires_grad=True)
    z = x @ w
    z.retain_grad()
    z.square().sum().backward()
    return x, w, z


def test_steps_show_figures_gradients_and_what_is_kept(page: Page) -> None:
    player = Player(page, program=PRODUCT, dtype="float64", fold="every operator")
    x, w, _ = product_by_torch()
    assert player.text("t0", "shape") == "(2, 3)"
    assert player.text("t2", "value") == ""  # not computed is never shown as 0
    expect(player.root.locator(".total")).to_have_attribute("data-kept", "0")
    player.press("ArrowRight", "ArrowRight", "ArrowRight")
    expect(player.root.locator(".total")).to_have_attribute("data-kept", str(8 * 4))  # z, for the square
    assert player.root.locator(".entry:visible").count() == 3  # x, w and z
    player.press("End")
    expect(player.root.locator(".total")).to_have_attribute("data-kept", "0")
    for name, leaf in (("x", x), ("w", w)):
        assert leaf.grad is not None
        shown = player.root.locator(f'td[data-input="{name}"]').get_attribute("data-value")
        assert float(shown or "nan") == pytest.approx(float(leaf.grad.norm()), rel=1e-12)
    expect(player.root.get_by_role("img", name="agrees", exact=True)).to_have_count(2)
    assert player.text("t1", "gradient").startswith("∂ ")


def test_a_click_on_the_timeline_goes_to_its_step(page: Page) -> None:
    player = Player(page)
    picture = page.locator(".timeline svg")
    box = picture.bounding_box()
    assert box is not None
    picture.click(position={"x": box["width"] * 0.62, "y": box["height"] / 2})
    expect(player.root).to_have_attribute("data-step", "11")  # the eleventh nineteenth
    expect(player.root.locator(".total")).to_have_attribute("data-kept", "244")


def test_a_node_opens_as_matrices_with_its_jacobian(page: Page) -> None:
    player = Player(page, program=PRODUCT, dtype="float64", fold="every operator", step="6")
    player.node("t2").click()
    wait_until_idle(page)
    player.look("matrix")
    expect(player.root.locator("[data-nonzeros]")).to_have_text(["12 of 24 not 0", "12 of 24 not 0"])
    wait_until_idle(page)
    _, w, z = product_by_torch()
    assert z.grad is not None
    picture = player.root.get_by_role("img", name="∂z/∂x: 4 × 6")
    box = picture.bounding_box()
    assert box is not None
    picture.hover(position={"x": box["width"] * 5.5 / 6, "y": box["height"] * 2.5 / 4})
    total = float(z[1, 0].detach())
    sent = float((z.grad @ w.detach().T)[1, 2])
    expect(player.root.locator(".live")).to_contain_text("x[1, 2]")
    assert "z[1,0]=" in player.live
    assert f"={total:.4g}".replace("-", MINUS) in player.live
    assert f"={sent:.4g}".replace("-", MINUS) in player.live
    expect(page).to_have_url(re.compile("zoom=matrix"))


def test_the_address_opens_the_formulas_of_a_node(page: Page) -> None:
    player = Player(page, program="x = parameter(3)\nsum(tanh(x))", node="t1", zoom="formula", step="4")
    expect(player.root.locator(".symbolic")).to_contain_text("tanh")
    assert "1−y2" in re.sub(r"\s", "", player.root.locator(".symbolic").text_content() or "")
    assert "[0]=tanh(0.13)=0.1293" in player.live
    page.locator('.zooms [data-zoom="graph"]').click()
    expect(player.root.locator(".lens")).to_be_hidden()
    player.press("Escape")
    expect(player.root.locator(".legend")).to_be_visible()


def test_a_function_unfolds_and_folds_where_one_is(page: Page) -> None:
    player = Player(page)
    before = page.locator("svg.stage .node").count()
    player.press("End", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft")
    page.locator("svg.stage .node.folded").click()
    page.locator('[data-action="unfold"]').click()
    wait_until_idle(page)
    assert page.locator("svg.stage .node").count() > before
    expect(page.locator(".phase")).to_have_text("backward")
    expect(page).to_have_url(re.compile("toggled=g"))
    player.press("0")  # the whole graph
    page.locator("svg.stage .node.output").click()
    page.locator('[data-action="fold"]').click()
    wait_until_idle(page)
    assert page.locator("svg.stage .node").count() == before


def test_what_is_hovered_is_lit_in_text_graph_and_memory(page: Page) -> None:
    player = Player(page, step="11")
    player.root.locator(".entry:visible").first.hover()
    expect(player.node("t0")).to_have_class(re.compile("lit"))
    player.node("t9").hover()
    assert "r @ W2" in player.root.locator(".source .lit").all_text_contents()


def test_five_hundred_nodes_keep_up_with_the_key(page: Page) -> None:
    sizes = json.dumps({"n": 2, "d": 3, "depth": 83})
    player = Player(page, program=RESIDUAL, sizes=sizes, fold="every operator")
    assert page.locator("svg.stage .node").count() > 500
    player.press(*["ArrowRight"] * 40)
    expect(player.root).to_have_attribute("data-step", "40")
    page.get_by_role("radio", name="loops").click()
    wait_until_idle(page)
    expect(page.locator("svg.stage .node")).to_have_count(86)


def test_a_mistake_keeps_the_last_picture(page: Page) -> None:
    player = Player(page)
    editor = page.get_by_role("textbox", name="Program", exact=True)
    editor.fill("x = parameter(4, 3)\nsum(x @ x)")
    editor.press("Control+Enter")
    expect(page.get_by_text("dimension 1 of the first is 3")).to_be_visible()
    assert player.root.locator(".source").text_content() != ""
    expect(page.locator("svg.stage .node")).to_have_count(12)


def test_the_bytes_are_hidden_until_they_are_predicted(page: Page) -> None:
    page.goto("/tensor_autodiff")
    page.locator(".unroll[data-ready]").wait_for()
    wait_until_idle(page)
    expect(page.locator(".timeline svg")).to_be_hidden()
    page.get_by_label(re.compile("How many bytes")).fill("244")
    page.get_by_role("button", name="Commit").click()
    expect(page.get_by_text("Right.")).to_be_visible()
    expect(page.locator(".timeline svg")).to_be_visible()


def test_presenter_keys_step(page: Page) -> None:
    player = Player(page, present="1", step="4")
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowRight")
    expect(player.root).to_have_attribute("data-step", "6")
