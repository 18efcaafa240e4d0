"""The backend race in a real browser: raced, watched, stopped, queued; the moment, keys, phone."""

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.theme import DARK
from engine.measure import Run, Store, Timing, this_machine
from engine.race.lanes import COMPILED, NAMES, OBJECTS, TORCH
from engine.studies.race_plans import race_plan
from engine.studies.race_setup import RaceSetup
from scripts.live_server import LiveServer
from scripts.watch import wait_until_idle

STORED = RaceSetup(hidden=4, epochs=10)
PACES = {OBJECTS: 1.0, TORCH: 0.1, COMPILED: 0.01}  # seconds an epoch, made up
SHORT = {"hidden": 2, "points": 10, "batch": 5, "epochs": 3}
PATIENCE = 90_000  # milliseconds for a race on a busy machine, torch and kernels loaded first
LONG = {"hidden": 16, "epochs": 1000, "budget": 5}


@pytest.fixture(scope="module", autouse=True)
def stored(measured: Path) -> None:
    """One race, whose figures are made up."""
    timings, curves = [], {}
    for name in NAMES:
        seconds = (PACES[name],) * 10 if name in PACES else ()
        timings.append(Timing(name, 0.0, 1.0, "epoch", 0.0, 0.0, seconds, None, "finished"))
        curves[f"{name}: loss"] = tuple(1 / (epoch + 1) for epoch in range(len(seconds)))
        curves[f"{name}: turns"] = (1.0,) * len(seconds)
    date = "2026-01-02T03:04:05+00:00"
    run = Run(race_plan(STORED).key, "m", date, None, tuple(timings), True, curves)
    Store(measured, this_machine()).keep(run)


class Visit:
    """What a reader sees of the page and does to it."""

    def __init__(self, page: Page, fields: dict[str, object], **frame: str) -> None:
        self.page = page
        page.goto(f"/race?{urlencode({'v': 1, **fields, **frame})}")
        wait_until_idle(page)
        skip = page.get_by_role("button", name="Skip")
        if skip.count():
            skip.click()
            wait_until_idle(page)

    @property
    def race(self) -> Locator:
        return self.page.get_by_role("button", name="Race", exact=True)

    @property
    def stop(self) -> Locator:
        return self.page.get_by_role("button", name="Stop")

    def lane(self, name: str) -> Locator:
        return self.page.locator(f'.lane[data-name="{name}"]')

    def says(self, text: str, milliseconds: int | None = None) -> None:
        expect(self.page.get_by_text(re.compile(text)).first).to_be_visible(timeout=milliseconds)


def test_a_race_is_run_when_asked_for_and_kept(page: Page) -> None:
    visit = Visit(page, SHORT)
    visit.says("Nothing of this has been measured")
    visit.race.click()
    visit.says("Measured on this machine", PATIENCE)
    expect(visit.lane(TORCH)).to_contain_text("epoch 3")
    expect(visit.lane(COMPILED)).to_contain_text("an epoch")
    page.reload()
    wait_until_idle(page)
    visit.says("Measured on this machine")


def test_a_race_is_watched_and_stopped_and_another_waits(
    page: Page, browser: Browser, server: LiveServer
) -> None:
    visit = Visit(page, LONG)
    visit.race.click()
    begun = re.compile(r"epoch [1-9]\d*")
    expect(visit.lane(COMPILED)).to_have_attribute("aria-label", begun, timeout=PATIENCE)
    with browser.new_context(base_url=server.url) as context:
        other = Visit(context.new_page(), {**SHORT, "hidden": 3})
        other.race.click()
        other.says("1 measurement before yours|Measured on this machine")
    if visit.stop.count():
        visit.stop.click()
    visit.says("Measured on this machine", PATIENCE)
    expect(visit.race).to_be_visible()
    expect(page.locator(".line path").first).to_be_attached()


def test_the_moment_is_moved_and_is_in_the_link(page: Page) -> None:
    visit = Visit(page, STORED.model_dump(include={"hidden", "epochs"}))
    expect(visit.lane(OBJECTS)).to_contain_text("epoch 10")
    slider = page.get_by_role("slider", name="seconds into the race")
    slider.fill("30")  # half way between 8 ms and 13 s
    expect(visit.lane(COMPILED)).to_contain_text("epoch 10")
    expect(visit.lane(TORCH)).to_contain_text(re.compile(r"epoch [34]"))
    expect(visit.lane(OBJECTS)).to_contain_text("epoch 0")
    expect(page).to_have_url(re.compile(r"[?&]moment=0\.3"))
    page.reload()
    wait_until_idle(page)
    expect(visit.lane(TORCH)).to_contain_text(re.compile(r"epoch [34]"))


def test_a_presenter_steps_through_the_race(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    visit = Visit(page, STORED.model_dump(include={"hidden", "epochs"}), present="1")
    assert visit.race.count() == 0
    expect(page.locator(".transport output")).to_have_text("the end")
    page.keyboard.press("r")
    expect(visit.lane(COMPILED)).to_contain_text("epoch 0")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    expect(visit.lane(COMPILED)).to_contain_text(re.compile(r"epoch [1-9]"))
    colour = "rgb({}, {}, {})".format(*(int(DARK.value[i : i + 2], 16) for i in (1, 3, 5)))
    expect(visit.lane(COMPILED).locator(".dot")).to_have_css("background-color", colour)


def test_a_phone_shows_all_of_it(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    visit = Visit(page, STORED.model_dump(include={"hidden", "epochs"}))
    expect(visit.lane(OBJECTS)).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
