"""The visual language, defined once: one hue for each meaning, in light and in dark.

Plotly figures, DOT exports and browser components all take their colours from here;
`.streamlit/config.toml` repeats the surface colours because Streamlit reads only that file
(a test holds the two equal). Hues were chosen to stay apart under red-green colour blindness:
the sign pair is orange and blue, as in TensorFlow Playground.
"""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Palette:
    """Colours of one theme, as CSS hex strings."""

    # surfaces
    background: str
    surface: str
    border: str
    text: str
    muted: str
    accent: str
    # meanings
    value: str  # a number computed on the way forward
    gradient: str  # a cotangent, computed on the way back
    tangent: str  # a derivative carried along in forward mode
    parameter: str  # something one may change: an input, a weight
    data: str  # something given: samples, targets
    constant: str  # a number that has no gradient
    # the sign of a number
    negative: str
    zero: str
    positive: str
    # states
    current: str  # the step being shown
    warning: str
    error: str
    success: str


LIGHT = Palette(
    background="#fcfcff",
    surface="#f3f3fb",
    border="#dcdcec",
    text="#1e1b3a",
    muted="#5f5c7a",
    accent="#4f46e5",
    value="#1d4ed8",
    gradient="#be185d",
    tangent="#7c3aed",
    parameter="#0f766e",
    data="#92600a",
    constant="#64748b",
    negative="#c2410c",
    zero="#e7e7f1",
    positive="#0369a1",
    current="#d97706",
    warning="#b45309",
    error="#b91c1c",
    success="#15803d",
)

DARK = Palette(
    background="#0d0f1a",
    surface="#171a2b",
    border="#2f3350",
    text="#e7e8f5",
    muted="#a3a6c2",
    accent="#8b84ff",
    value="#7aa5ff",
    gradient="#f472b6",
    tangent="#c4a5ff",
    parameter="#2dd4bf",
    data="#fbbf24",
    constant="#94a3b8",
    negative="#fb923c",
    zero="#2a2e48",
    positive="#38bdf8",
    current="#fbbf24",
    warning="#fbbf24",
    error="#f87171",
    success="#4ade80",
)


def css_variables() -> str:
    """CSS that gives a component its colours: `.unroll[data-theme=light|dark] { --value: …; }`."""
    rules = []
    for name, palette in (("light", LIGHT), ("dark", DARK)):
        declarations = "".join(f"--{key}:{colour};" for key, colour in asdict(palette).items())
        rules.append(f'.unroll[data-theme="{name}"]{{{declarations}}}')
    return "\n".join(rules)
