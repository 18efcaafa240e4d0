"""Find a Chromium for tests and screenshots; as a command, install one where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# Of two such lists the last one counts, so what Playwright turns off is here, too.
OFF = (
    "WebUIOmniboxPopup",  # with the next: a hidden page of the browser's own for every page that is opened
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
FLAGS = (
    "--no-sandbox",  # containers forbid the sandbox; only our own pages are opened
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(OFF)}",
)


def candidates(playwright: Playwright) -> list[str]:
    """Where a Chromium may be: $UNROLL_CHROMIUM, on the path, or Playwright's own."""
    named = [os.environ.get("UNROLL_CHROMIUM"), *map(shutil.which, NAMES)]
    return [*filter(None, named), str(MAC), playwright.chromium.executable_path]


def works(executable: str) -> bool:
    """Whether it starts; some systems have a stub under the name that only points to a shop."""
    if not Path(executable).exists():
        return False
    try:
        return subprocess.run([executable, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find(playwright: Playwright) -> str | None:
    """The first Chromium that starts, or None."""
    return next(filter(works, candidates(playwright)), None)


def launch(playwright: Playwright) -> Browser:
    """A headless Chromium; RuntimeError where none is installed."""
    executable = find(playwright)
    if executable is None:
        raise RuntimeError("no Chromium found; run: python -m scripts.chromium")
    return playwright.chromium.launch(executable_path=executable, args=list(FLAGS))


def install() -> None:
    """Install the system's Chromium through apt where that is possible, otherwise Playwright's own."""
    root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    has_apt = bool(shutil.which("apt-get")) and (not root or bool(shutil.which("sudo")))
    if has_apt:
        subprocess.run([*root, "apt-get", "update", "-qq"], check=False)
        subprocess.run([*root, "apt-get", "install", "-y", "-qq", "chromium"], check=False)
    if installed() is None:
        libraries = ["--with-deps"] if has_apt else []
        subprocess.run([sys.executable, "-m", "playwright", "install", *libraries, "chromium"], check=False)


def installed() -> str | None:
    with sync_playwright() as playwright:
        return find(playwright)


def main() -> int:
    if installed() is None:
        print("No Chromium found: installing one.")
        install()
    executable = installed()
    if executable is None:
        print("No Chromium could be installed; name one in UNROLL_CHROMIUM.", file=sys.stderr)
        return 1
    print(f"Browser: {executable}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
