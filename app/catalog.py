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
            Page(
                "tensor_autodiff.py",
                "Tensor autodiff",
                "hub",
                "How do gradients travel through tensors, and what must be kept for them?",
                "tensor_autodiff",
            ),
            Page(
                "laws.py",
                "Laws",
                "gavel",
                "Which laws of algebra survive in floating point?",
                "laws",
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
                "loops.py",
                "Map, zip, reduce, matmul",
                "repeat",
                "Which numbers does a loop over a tensor read, and in what order?",
                "loops",
            ),
            Page(
                "convolutions.py",
                "Convolution",
                "filter_center_focus",
                "Which numbers meet in a convolution, and where do their gradients go?",
                "convolutions",
            ),
            Page(
                "puzzles.py",
                "Puzzles",
                "extension",
                "Can you write it in one line?",
                "puzzles",
            ),
        ),
    ),
    Section(
        "Training",
        (
            Page(
                "playground.py",
                "Playground",
                "play_circle",
                "Can a small net learn this, and what does each of its units see?",
                "playground",
            ),
            Page(
                "historic.py",
                "Nets of 1986",
                "history_edu",
                "What do hidden units find that nobody told them?",
                "historic",
            ),
            Page(
                "images.py",
                "Images",
                "image_search",
                "What does a convolutional net look at, and what does it take for what?",
                "images",
            ),
            Page(
                "text.py",
                "Words",
                "abc",
                "Can a net tell good from bad: words by their letters, sentences by their words?",
                "text",
            ),
            Page(
                "doctor.py",
                "Doctor",
                "stethoscope",
                "Why does it not learn?",
                "doctor",
            ),
            Page(
                "own_run.py",
                "Your own run",
                "upload_file",
                "What happened in your own training run?",
                "own_run",
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
            Page(
                "error_growth.py",
                "How error grows",
                "trending_up",
                "How do rounding errors grow?",
                "error_growth",
            ),
            Page(
                "few_bits.py",
                "Training in few bits",
                "compress",
                "How few bits can a net be trained in?",
                "few_bits",
            ),
        ),
    ),
    Section(
        "Machine",
        (
            Page(
                "speedups.py",
                "Parallel speed-ups",
                "fork_right",
                "When do threads make a loop faster, and when slower or wrong?",
                "speedups",
            ),
            Page(
                "ladder.py",
                "Matmul ladder",
                "stairs",
                "How fast can a matrix product be on this machine?",
                "ladder",
            ),
            Page(
                "fusion.py",
                "Eager, lazy, fused",
                "layers",
                "What does fusing operations gain, and when does it not?",
                "fusion",
            ),
            Page(
                "gpu.py",
                "Inside a GPU",
                "developer_board",
                "What do the threads of a GPU do, and what does it cost?",
                "gpu",
            ),
            Page(
                "gpu_puzzles.py",
                "GPU puzzles",
                "extension",
                "Can you write it for every thread at once?",
                "gpu_puzzles",
            ),
            Page(
                "accelerators.py",
                "Accelerators",
                "grid_4x4",
                "When does an accelerator work, and when does it wait?",
                "accelerators",
            ),
            Page(
                "race.py",
                "Backend race",
                "sports_score",
                "How much faster can the same training be?",
                "race",
            ),
        ),
    ),
)


def pages() -> tuple[Page, ...]:
    """All pages, in the order of the navigation."""
    return tuple(page for section in CATALOG for page in section.pages)
