"""LaTeX of the table as MathML, which a browser sets without a script."""

from __future__ import annotations

import re
from functools import cache

from latex2mathml.converter import convert


@cache
def mathml(latex: str) -> str:
    """The formula as a MathML fragment (without the `math` element), functions set as names."""
    fragment = re.sub(r"^<math[^>]*>(.*)</math>$", r"\1", convert(latex))
    return re.sub(r"<mo>(\w+)</mo>", r"<mi>\1</mi>", fragment)
