"""Settings that Streamlit takes from our file, among them hidden options that a release could drop."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit import config

ROOT = Path(__file__).resolve().parents[2]

SETTINGS = {
    "runner.postScriptGC": False,
    "runner.magicEnabled": False,
    "global.minCachedMessageSize": 1e12,
    "server.enableStaticServing": True,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 2,
    "server.maxWidgetStateSize": 1,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
}


@pytest.mark.parametrize(("name", "expected"), SETTINGS.items())
def test_setting(name: str, expected: object) -> None:
    assert name in config._config_options_template, f"this Streamlit has no option {name}"
    assert config.get_option(name) == expected


def test_settings_hold_when_started_from_elsewhere(tmp_path: Path) -> None:
    """Streamlit reads the current folder's settings, so app.asgi must go to ours first."""
    code = (
        "import app.asgi; from streamlit import config; "
        "print(config.get_option('runner.postScriptGC'), config.get_option('theme.dark.primaryColor'))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == ["False", "#8b84ff"]
