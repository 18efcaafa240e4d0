"""What a browser page must never do: log an error, lose a request, leave the server, show a traceback."""

import re

from playwright.sync_api import ConsoleMessage, Page, Request

# Opened at a page's own address, Streamlit's browser code first asks whether that is the server's root.
PROBE = re.compile(r"/[^/]+/_stcore/(health|host-config)$")
IDLE_TIMEOUT = 30_000  # ms
IDLE = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  return app?.dataset.testScriptState === "notRunning"
    && app.dataset.testConnectionState === "CONNECTED"
    && !document.querySelector('[data-stale="true"], [data-testid="stSkeleton"]');
}"""


class Watch:
    """Collects the faults of one page from the moment it is created."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.events: list[str] = []
        page.on("console", self.on_console)
        page.on("pageerror", lambda error: self.events.append(f"page error: {error}"))
        page.on("request", self.on_request)
        page.on("requestfailed", self.on_failure)
        page.on("response", lambda response: self.on_status(response.status, response.url))

    def on_console(self, message: ConsoleMessage) -> None:
        source = message.location.get("url", "")
        if message.type == "error" and not self.is_probe(source):
            self.events.append(f"console: {message.text} ({source})")

    def on_request(self, request: Request) -> None:
        local = request.url.startswith((self.origin, self.origin.replace("http", "ws", 1), "data:", "blob:"))
        if not local:
            self.events.append(f"request to elsewhere: {request.url}")

    def on_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left while it was still loading
            self.events.append(f"failed request: {request.url} ({request.failure})")

    def on_status(self, status: int, url: str) -> None:
        if status >= 400 and not self.is_probe(url):
            self.events.append(f"status {status}: {url}")

    def is_probe(self, url: str) -> bool:
        return bool(PROBE.fullmatch(url.removeprefix(self.origin)))

    def faults(self) -> list[str]:
        """Everything that went wrong so far, including exceptions shown in the page now."""
        boxes = self.page.locator('[data-testid="stException"]').all_inner_texts()
        return [*self.events, *(f"exception in the page: {text}" for text in boxes)]


def wait_until_idle(page: Page) -> None:
    """Wait until Streamlit has run the page and nothing on it is stale, and it has been painted."""
    page.wait_for_function(IDLE, timeout=IDLE_TIMEOUT)
    page.evaluate("() => document.fonts.ready.then(() => undefined)")
    page.wait_for_timeout(300)  # charts and components draw in the frames after
    page.wait_for_function(IDLE, timeout=IDLE_TIMEOUT)
