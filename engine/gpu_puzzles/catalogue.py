"""The 14 GPU puzzles, in the order in which they are solved."""

from engine.gpu_puzzles.first_puzzles import FIRST_PUZZLES
from engine.gpu_puzzles.puzzle import GpuPuzzle
from engine.gpu_puzzles.shared_puzzles import SHARED_PUZZLES

PUZZLES: dict[str, GpuPuzzle] = {puzzle.name: puzzle for puzzle in (*FIRST_PUZZLES, *SHARED_PUZZLES)}
