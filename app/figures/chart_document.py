"""What the error chart is sent, whatever page it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.jsonable import encode


def chart_document(
    parts: Mapping[str, Any], topic: str, height: int, present: bool = False, veiled: bool = False
) -> dict[str, Any]:
    """Everything a chart shows, as JSON: its parts (axes, groups, series, hint …) and what they leave unsaid.

    topic   what is shown: another one begins with the choices of curves anew
    height  in pixels
    veiled  curves are kept out of sight while they are asked for
    """
    document = {
        "hidden": [],
        "kinds": [],
        "marker": None,
        "said": parts["hint"],
        **parts,
        "topic": topic,
        "height_px": height,
        "present": present,
        "veiled": veiled,
    }
    encoded: dict[str, Any] = encode(document)
    return encoded
