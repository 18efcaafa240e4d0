"""A visitor on a page: past its prediction, with the component before their eyes."""

import re

from playwright.sync_api import Page, expect

from scripts.watch import wait_until_idle

READY = '.unroll[data-ready="true"]'


def rgb(colour: str) -> str:
    """A colour of the palette, "#rrggbb", as a browser gives it."""
    return "rgb({}, {}, {})".format(*(int(colour[start : start + 2], 16) for start in (1, 3, 5)))


class Visit:
    """A page that was opened at an address, and its component: `root`."""

    skips = True  # the question before the page's answer

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        page.goto(address)
        wait_until_idle(page)
        skip = page.locator(".st-key-prediction").get_by_role("button", name="Skip")
        if self.skips and skip.count():
            skip.click()
            wait_until_idle(page)
        self.root = page.locator(READY)

    def press(self, name: str) -> None:
        """Press the component's button of this name."""
        self.root.get_by_role("button", name=name, exact=True).click()

    def attributes(self, selector: str, name: str) -> list[str]:
        """A data attribute of everything that a selector finds."""
        return self.root.locator(selector).evaluate_all(f"(all) => all.map((one) => one.dataset.{name})")


class BoardVisit(Visit):
    """A page whose component is there at once."""

    def __init__(self, page: Page, address: str) -> None:
        super().__init__(page, address)
        expect(self.root).to_be_visible()

    def formula(self) -> str:
        """What the formula says, without spaces."""
        return re.sub(r"\s+", "", self.root.locator(".formula").inner_text())


class LiveVisit(Visit):
    """A page with a run of its own."""

    def __init__(self, page: Page, address: str) -> None:
        super().__init__(page, address)
        expect(self.root.locator("output.epoch")).not_to_have_text("–")

    def epoch(self) -> int:
        """Whole epochs that are shown."""
        return int(self.root.locator("output.epoch").inner_text().split(" ")[0].replace(",", ""))

    def reach(self, epoch: int) -> None:
        """The link of the page says that the run stands there."""
        expect(self.page).to_have_url(re.compile(rf"[?&]epoch={epoch}(&|$)"))
        wait_until_idle(self.page)
