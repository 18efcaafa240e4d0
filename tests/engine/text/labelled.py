"""A small file of sentences, as somebody might bring it."""

import random

GOOD = ("lovely", "moving", "funny", "superb", "clever")
BAD = ("dull", "clumsy", "tedious", "stale", "lifeless")
FRAMES = (
    "a {} film from start to finish",
    "what a {} story this is !",
    "the acting is {} and nothing else matters",
    "some call it {} , others sleep",
)


def labelled(count: int = 120, seed: int = 0) -> bytes:
    """So many different sentences with labels by turns, of which each has one word that says it all."""
    random_ = random.Random(seed)
    lines = ["sentence\tlabel"]
    for number in range(count):
        frame = random_.choice(FRAMES).format(random_.choice(GOOD if number % 2 else BAD))
        lines.append(f"{frame} (number {number})\t{number % 2}")
    return "\n".join(lines).encode()
