"""The theme in .streamlit/config.toml is the palette of app/theme.py, and readable."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from app.theme import DARK, LIGHT, Palette

ROOT = Path(__file__).resolve().parents[2]
THEME: dict[str, Any] = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
BOTH = pytest.mark.parametrize(("name", "palette"), [("light", LIGHT), ("dark", DARK)])


@BOTH
def test_colours_are_those_of_the_palette(name: str, palette: Palette) -> None:
    assert THEME[name] == {
        "primaryColor": palette.accent,
        "backgroundColor": palette.background,
        "secondaryBackgroundColor": palette.surface,
        "codeBackgroundColor": palette.surface,
        "textColor": palette.text,
        "borderColor": palette.border,
        "redColor": palette.error,
        "orangeColor": palette.warning,
        "greenColor": palette.success,
        "blueColor": palette.value,
        "grayColor": palette.muted,
        "chartCategoricalColors": [
            palette.value,
            palette.gradient,
            palette.parameter,
            palette.data,
            palette.tangent,
            palette.constant,
        ],
        "sidebar": {"backgroundColor": palette.surface, "secondaryBackgroundColor": palette.background},
    }


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@BOTH
@pytest.mark.parametrize(
    "role",
    [
        "text",
        "muted",
        "accent",
        "value",
        "gradient",
        "tangent",
        "parameter",
        "data",
        "warning",
        "error",
        "success",
    ],
)
def test_text_colours_reach_wcag_aa(name: str, palette: Palette, role: str) -> None:
    for surface in (palette.background, palette.surface):
        assert contrast(getattr(palette, role), surface) >= 4.5, f"{role} on {surface} ({name})"


def test_every_font_is_in_the_repository() -> None:
    for face in THEME["fontFaces"]:
        assert (ROOT / face["url"]).stat().st_size > 5_000
