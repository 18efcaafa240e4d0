"""Opening a page without a browser, and reading what it sends to its component and says."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from app.catalog import ROOT


def opened(page: str, query: dict[str, str]) -> AppTest:
    """The page of this file in `pages/`, with a link's fields."""
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    app.run()
    app.switch_page(f"../pages/{page}.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def payload(app: AppTest) -> dict[str, Any]:
    """What the page sends to its component."""
    assert not app.exception
    return json.loads(app.get("bidi_component")[0].proto.json)


def messages(app: AppTest) -> str:
    """Errors and warnings, as they were before they were escaped for Markdown."""
    return "\n".join(element.value for element in (*app.error, *app.warning)).replace("\\", "")


def components(app: AppTest) -> list[dict[str, Any]]:
    """What the page sends to each of its components."""
    assert not app.exception
    return [json.loads(element.proto.json) for element in app.get("bidi_component")]


def address(app: AppTest) -> dict[str, str]:
    """The fields of the page's link."""
    return {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}


def text(app: AppTest) -> str:
    """All that the page says."""
    return "\n".join(element.value for element in app.markdown)
