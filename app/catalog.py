"""Every page of Unroll: the one list that navigation, landing page, screenshots and tests read."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Page:
    """One page: `file` below pages/, `icon` a Material symbol, `study` its name in engine.studies."""

    file: str
    title: str
    icon: str
    question: str
    study: str | None = None

    @property
    def path(self) -> Path:
        return ROOT / "pages" / self.file

    @property
    def url_path(self) -> str:
        """The page's address below the server's root; the first page of all is the root itself."""
        return "" if self is CATALOG[0].pages[0] else self.path.stem


@dataclass(frozen=True)
class Section:
    """A group of pages in the navigation; an empty title puts them above the groups."""

    title: str
    pages: tuple[Page, ...]


CATALOG: tuple[Section, ...] = (
    Section(
        "",
        (Page("home.py", "Unroll", "home", "What happens inside a deep-learning framework?"),),
    ),
    Section(
        "Autodiff",
        (
            Page(
                "graph.py",
                "Graph and backprop",
                "account_tree",
                "How does a derivative travel through a computation?",
                "graph",
            ),
            Page(
                "operators.py",
                "Operators and slopes",
                "show_chart",
                "What is the slope of an operator, and can you measure it by nudging its input?",
                "operators",
            ),
        ),
    ),
    Section(
        "Tensors",
        (
            Page(
                "strides.py",
                "Strides and views",
                "grid_on",
                "What is a view, and what does it cost to walk one?",
                "strides",
            ),
            Page(
                "broadcasting.py",
                "Broadcasting",
                "grid_view",
                "Which shapes fit together, and where does the gradient go?",
                "broadcasting",
            ),
            Page(
                "convolutions.py",
                "Convolution",
                "filter_center_focus",
                "Which numbers meet in a convolution, and where do their gradients go?",
                "convolutions",
            ),
        ),
    ),
    Section(
        "Numbers",
        (
            Page(
                "bits.py",
                "A number, bit by bit",
                "memory",
                "Which number do these bits stand for, and which one was meant?",
                "bits",
            ),
        ),
    ),
)


def pages() -> tuple[Page, ...]:
    """All pages, in the order of the navigation."""
    return tuple(page for section in CATALOG for page in section.pages)
