"""What a browser page must never do: log an error, lose a request, leave the server, show a traceback."""

import itertools
import re

from playwright.sync_api import ConsoleMessage, Page, Request

# Opened at a page's own address, Streamlit's browser code first asks whether that is the server's root.
PROBE = re.compile(r"/[^/]+/_stcore/(health|host-config)$")
IDLE_TIMEOUT = 60_000  # ms
WAITS = itertools.count()

# When a page last sent something to the server's script, and when it last heard from it.
TRAFFIC = """(() => {
  const traffic = (window.unrollTraffic = { sent: 0, heard: 0 });
  const isStream = (socket) => socket.url.includes("/_stcore/stream");
  window.WebSocket = class extends WebSocket {
    constructor(...options) {
      super(...options);
      if (isStream(this)) this.addEventListener("message", () => { traffic.heard = performance.now(); });
    }
    send(data) {
      if (isStream(this)) traffic.sent = performance.now();
      super.send(data);
    }
  };
})()"""

# Whether the script has ended, what was sent is answered, and nothing has been sent, heard or loaded for a
# while and some frames, in which charts and components draw. A page that never rests is taken as it is.
IDLE = """(wait) => {
  const [QUIET, RESTLESS, UNWATCHED, LOST, FRAMES] = [150, 400, 300, 2000, 5];  // ms, ms, ms, ms, frames
  const now = performance.now();
  if (window.unrollWait?.wait !== wait) window.unrollWait = { wait, first: Infinity, since: now, frames: 0 };
  const state = window.unrollWait;
  const app = document.querySelector('[data-testid="stApp"]');
  const idle = app?.dataset.testScriptState === "notRunning"
    && app.dataset.testConnectionState === "CONNECTED"
    && document.fonts.status === "loaded"
    && !document.querySelector('[data-stale="true"], [data-testid="stSkeleton"]');
  if (!idle) {
    Object.assign(state, { since: now, frames: 0 });
    return false;
  }
  state.first = Math.min(state.first, now);
  state.frames += 1;
  const traffic = window.unrollTraffic;
  if (!traffic) return now - state.since >= UNWATCHED;
  if (traffic.sent > traffic.heard && now - traffic.sent < LOST) return false;
  const loaded = performance.getEntriesByType("resource").at(-1)?.responseEnd ?? 0;
  const last = Math.max(traffic.sent, traffic.heard, loaded, state.since);
  return (now - last >= QUIET && state.frames >= FRAMES) || now - state.first >= RESTLESS;
}"""


class Watch:
    """Collects the faults of one page from the moment it is created."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.events: list[str] = []
        page.add_init_script(TRAFFIC)
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
    page.wait_for_function(IDLE, arg=next(WAITS), timeout=IDLE_TIMEOUT)
