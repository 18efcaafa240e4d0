"""The Playground in a real browser: training watched, taken back, edited by hand, on points of one's own."""

import json
import re
import time
import urllib.request

import numpy as np
from playwright.sync_api import Browser, Page, expect

import engine
from app.theme import LIGHT
from engine.playground.run import Run
from engine.playground.setup import PlaygroundSetup
from scripts.live_server import LiveServer
from scripts.watch import wait_until_idle
from tests.browser.harness.visit import LiveVisit

SMALL = "?v=1&data=gauss&hidden=3+tanh&samples=100&rate=0.1"
PHONE = {"width": 390, "height": 844}


class Board(LiveVisit):
    """What a reader sees of the component and does to it."""

    def __init__(self, page: Page, query: str = SMALL) -> None:
        super().__init__(page, f"/playground{query}")

    def figures(self) -> str:
        return self.root.locator(".figures").inner_text()

    def pictures(self) -> int:
        return int(self.root.get_attribute("data-pictures") or 0)

    def train_until(self, epoch: int) -> None:
        self.press("train")
        self.page.wait_for_function(
            "([output, epoch]) => Number(output.textContent.replace(',', '').split(' ')[0]) >= epoch",
            arg=[self.root.locator("output.epoch").element_handle(), epoch],
        )
        self.press("pause")
        expect(self.root.get_by_role("button", name="train", exact=True)).to_be_visible()
        wait_until_idle(self.page)


def test_it_trains_and_is_paused_where_the_link_says(page: Page) -> None:
    board = Board(page)
    before = board.figures()
    board.train_until(20)
    assert board.figures() != before
    board.reach(board.epoch())
    pictures = -1
    for _ in range(20):  # what is still under way
        if pictures == (pictures := board.pictures()):
            break
        page.wait_for_timeout(500)
    page.wait_for_timeout(1000)
    assert board.pictures() == pictures  # nothing is drawn while nothing happens


def test_steps_go_both_ways_and_the_curve_leads_back(page: Page) -> None:
    board = Board(page)
    start = board.figures()
    for epoch in (1, 2):
        board.press("one epoch")
        board.reach(epoch)
    board.root.get_by_text("1 batch").click()
    expect(page).to_have_url(re.compile(r"[?&]epoch=2\.10(&|$)"))
    board.press("one epoch back")
    board.reach(2)
    plot = board.root.get_by_role("slider", name="moment of the run")
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 3, box["y"] + 20, steps=5)
    expect(board.root.locator("output.epoch")).to_have_text("0")
    assert board.figures() == start
    page.mouse.up()
    board.reach(0)


def test_a_batch_is_stepped_sample_by_sample(page: Page, browser: Browser, server: LiveServer) -> None:
    board = Board(page)
    told = board.root.get_by_role("region", name="sample by sample")
    for seen in (1, 2):
        board.press("1 sample")
        expect(told).to_contain_text(f"Sample {seen} of 10")
        wait_until_idle(page)
    expect(page).to_have_url(re.compile(r"[?&]epoch=0\.0\.2(&|$)"))
    expect(board.root.locator(".ring")).to_have_count(2)
    expect(board.root.locator(".unit[data-value]")).to_have_count(2 + 3 + 1)
    with browser.new_context(base_url=server.url) as context:
        other = Board(context.new_page(), f"?{page.url.partition('?')[2]}")
        again = other.root.get_by_role("region", name="sample by sample")
        expect(again).to_have_text(told.text_content() or "")
    board.press("1 batch")
    expect(board.root.locator("output.epoch")).to_have_text("0 + 10 samples")
    expect(told).to_be_hidden()
    expect(board.root.locator(".unit[data-value]")).to_have_count(0)


def test_a_weight_is_set_by_hand_and_the_link_brings_it_back(
    page: Page, browser: Browser, server: LiveServer
) -> None:
    board = Board(page)
    board.train_until(5)
    reached = board.epoch()
    board.root.locator('.bias[data-name="bias.0.1"]').click()
    field = board.root.get_by_role("textbox", name="value")
    field.fill("two")
    field.press("Enter")
    expect(board.root.locator(".card .problem")).to_have_text("write a number, as in −0.5")
    field.fill("-1.5")
    field.press("Enter")
    expect(page).to_have_url(re.compile("bias.0.1"))
    board.press("layer 1: one unit more")
    expect(page).to_have_url(re.compile(r"hidden=4\+tanh"))
    wait_until_idle(page)
    board.press("one epoch")
    board.reach(reached + 1)
    with browser.new_context(base_url=server.url) as context:
        other = Board(context.new_page(), f"?{page.url.partition('?')[2]}")
        expect(other.root.locator("output.epoch")).to_have_text(
            board.root.locator("output.epoch").inner_text()
        )
        expect(other.root.locator(".figures")).to_have_text(
            board.root.locator(".figures").inner_text().replace("\n", "")
        )


def test_a_weights_gradient_is_shown_point_by_point(page: Page) -> None:
    board = Board(page)
    board.root.locator('.bias[data-name="bias.0.1"]').click()
    pull = board.root.get_by_role("region", name="gradient of one weight")
    expect(pull).to_contain_text("bias of unit 2 in layer 1")
    expect(pull.locator("rect")).to_have_count(10)
    total, numeric = pull.locator("b").all_inner_texts()
    assert total == numeric
    expect(page).to_have_url(re.compile(r"weight=bias\.0\.1"))


def test_why_it_stopped_is_said(page: Page) -> None:
    board = Board(page, "?v=1&data=xor&samples=100&init=zeros&hidden=3+tanh&loss=logistic&rate=0.3")
    board.train_until(30)
    expect(board.root.locator(".remark")).to_contain_text(re.compile("equal|same", re.IGNORECASE))


def test_other_seeds_are_trained_and_one_is_taken(page: Page) -> None:
    board = Board(page, f"{SMALL}&epoch=2")
    page.get_by_role("button", name="Train 20 seeds to here").click()
    strip = board.root.get_by_role("region", name="other seeds")
    expect(strip.get_by_role("button")).to_have_count(20)
    expect(strip).to_contain_text("20 seeds, epoch 2: test loss")
    wait_until_idle(page)
    strip.get_by_title("seed 3: take it").click()
    expect(page).to_have_url(re.compile(r"[?&]seed=3(&|$)"))


def test_a_unit_shows_what_the_engine_computes(page: Page) -> None:
    setup = PlaygroundSetup(
        data="xor", hidden="4 relu, 3 sin", samples=100, epoch="7", batch_norm=True, residual=True
    )
    fields = "&".join(f"{name}={value}" for name, value in setup.model_dump().items() if name in (
        "data", "hidden", "samples", "epoch"))  # fmt: skip
    board = Board(page, f"?v=1&{fields}&batch_norm=true&residual=true".replace(", ", ",+").replace(" ", "+"))
    board.reach(7)
    size, pixels = page.evaluate(
        """(root) => {
          const map = root.querySelector('.map');
          return [map.width, [...map.getContext('2d').getImageData(0, 0, map.width, map.width).data]];
        }""",
        board.root.element_handle(),
    )
    found = np.array(pixels).reshape(size, size, 4)[:, :, :3]
    low, high = setup.reach
    places = low + (np.arange(size) + 0.5) / size * (high - low)
    points = np.stack(np.meshgrid(places, places[::-1]), -1).reshape(-1, 2).astype(np.float32)
    net = Run(setup).still().net
    output = net(engine.from_numpy(points)).tanh().detach().numpy().reshape(size, size)

    def rgb(colour: str) -> np.ndarray:
        return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], float)

    end = np.where(output[:, :, None] < 0, rgb(LIGHT.negative), rgb(LIGHT.positive))
    expected = rgb(LIGHT.zero) + (end - rgb(LIGHT.zero)) * np.abs(output)[:, :, None]
    assert np.abs(found - expected).max() < 4  # of 255: there are 255 tones


def test_a_hidden_layer_shows_the_plane_as_it_sees_it(page: Page) -> None:
    """The last training point, which no other covers, is where its values in two units put it."""
    setup = PlaygroundSetup(data="gauss", hidden="3 tanh", samples=100, rate=0.1, epoch="3")
    board = Board(page, f"{SMALL}&epoch=3")
    board.reach(3)
    board.root.get_by_label("where the points are shown").select_option("1")
    board.press("units 1 and 2")
    expect(board.root.get_by_text("Layer 1: unit 1 across, unit 3 up")).to_be_visible()
    size, pixels = page.evaluate(
        """(root) => {
          const space = root.querySelector('.space');
          return [space.width, [...space.getContext('2d').getImageData(0, 0, space.width, space.width).data]];
        }""",
        board.root.element_handle(),
    )
    still = Run(setup).still()
    hidden = still.net.blocks[0].linear
    weight, bias = (part.detach().numpy()[[0, 2]] for part in (hidden.weight, hidden.bias))
    mesh = -6 + (np.arange(28) + 0.5) / 28 * 12
    places = np.concatenate([np.stack(np.meshgrid(mesh, mesh), -1).reshape(-1, 2), still.train.points])
    values = np.tanh(places @ weight.T + bias)
    low, high = values.min(0), values.max(0)
    across, up = size * (0.06 + 0.88 * (values[-1] - low) / (high - low))
    colour = np.array(pixels).reshape(size, size, 4)[round(size - up), round(across), :3]
    expected = LIGHT.negative if still.train.targets[-1, 0] < 0 else LIGHT.positive
    assert abs(colour - [int(expected[k : k + 2], 16) for k in (1, 3, 5)]).max() <= 2


def test_points_are_drawn_and_taken_away(page: Page) -> None:
    board = Board(page, "?v=1&data=own+points")
    dots = board.root.locator(".dots .own")
    before = dots.count()
    board.root.get_by_role("radio", name="class 0").click()
    square = board.root.locator(".square")
    square.scroll_into_view_if_needed()
    box = square.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 250, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 120, steps=8)
    page.mouse.up()
    expect(page).to_have_url(re.compile("points=.*%3B"))
    wait_until_idle(page)
    drawn = dots.count()
    assert drawn > before + 2
    box = dots.last.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(dots).to_have_count(drawn - 1)


def test_a_bad_file_says_so_and_leaves_the_run_alone(page: Page) -> None:
    board = Board(page)
    board.press("one epoch")
    board.reach(1)
    before = board.figures()
    page.get_by_role("button", name="Points from a file").click()
    for name, content, said in (
        ("two columns", "1,0\n2,1\n3,0\n4,1\n", "2 columns, and 3 are needed"),
        ("words", "x,y,c\n1,2,0\n1,zwei,1\n", "Line 3"),
        ("one class", "1,2,0\n2,3,0\n3,4,0\n", "1 classes"),
    ):
        page.locator('input[type="file"]').set_input_files(
            {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": content.encode()}
        )
        expect(page.get_by_test_id("stAlert")).to_contain_text(said)
        wait_until_idle(page)
        assert board.figures() == before
        assert board.epoch() == 1


def test_points_come_from_a_file(page: Page) -> None:
    board = Board(page)
    rows = [f"{10 * k},{k % 7},{'ab'[k % 2]}" for k in range(30)]
    page.get_by_role("button", name="Points from a file").click()
    page.locator('input[type="file"]').set_input_files(
        {"name": "own.csv", "mimeType": "text/csv", "buffer": "\n".join(["left,right,kind", *rows]).encode()}
    )
    expect(board.root.locator(".dots .own")).to_have_count(30)


def test_a_closed_tab_stops_its_run_within_two_seconds(browser: Browser, server: LiveServer) -> None:
    with browser.new_context(base_url=server.url) as context:
        board = Board(context.new_page())
        board.press("train")
        expect(board.root.locator(".pace")).to_contain_text("epochs a second")
        assert training(server) == 1
    time.sleep(2)
    assert training(server) == 0


def test_a_page_that_was_left_stops_its_run(page: Page, server: LiveServer) -> None:
    board = Board(page)
    board.press("train")
    expect(board.root.locator(".pace")).to_contain_text("epochs a second")
    page.get_by_role("link", name="Broadcasting").click()
    wait_until_idle(page)
    time.sleep(2)
    assert training(server) == 0


def training(server: LiveServer) -> int:
    """How many runs the server trains right now."""
    with urllib.request.urlopen(f"{server.url}/healthz") as answer:
        return int(json.load(answer)["training"])


def test_a_broadcast_is_watched_and_taken_over(page: Page, browser: Browser, server: LiveServer) -> None:
    board = Board(page)
    page.get_by_role("button", name="Broadcast").click()
    link = page.get_by_test_id("stPopoverBody").locator("code").inner_text()
    page.keyboard.press("Escape")
    with browser.new_context(base_url=server.url) as context:
        other = context.new_page()
        other.goto(link)
        wait_until_idle(other)
        root = other.locator('.unroll[data-ready="true"]')
        expect(root.get_by_role("button", name="train", exact=True)).to_be_hidden()
        board.press("one epoch")
        expect(root.locator("output.epoch")).to_have_text("1")
        board.press("layer 1: one unit more")
        expect(root.locator('.unit[data-layer="1"]')).to_have_count(4)
        other.get_by_role("button", name="Make it mine").click()
        expect(root.get_by_role("button", name="train", exact=True)).to_be_visible()
        expect(root.locator("output.epoch")).to_have_text("1")
        root.get_by_role("button", name="one epoch", exact=True).click()
        expect(root.locator("output.epoch")).to_have_text("2")
    assert board.epoch() == 1


def test_presenter_keys_step_and_play(page: Page) -> None:
    board = Board(page, f"{SMALL}&present=1")
    for key, epoch in (("ArrowRight", "1"), ("PageDown", "2"), ("ArrowLeft", "1"), ("Home", "0")):
        page.keyboard.press(key)
        expect(board.root.locator("output.epoch")).to_have_text(epoch)


def test_a_phone_shows_all_of_it(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    board = Board(page)
    expect(board.root.locator(".square")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
