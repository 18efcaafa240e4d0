"""What cachegrind counts for the loop orders of a matmul, as tests/studies/cachegrind.json keeps it.

    python -m scripts.cachegrind > tests/studies/cachegrind.json

needs valgrind and a C compiler. The tests hold our simulator against the file, and need neither.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
COMPILE = "cc -O1 -g -DSIDE={side} -DLINE={line} -o {program} {source}"
COUNT = (
    "valgrind --tool=cachegrind --D1={size},{ways},{line} --LL={size2},{ways2},{line} "
    "--cachegrind-out-file={counts} {program} {order}"
)
Row = dict[str, int | str]
ORDERS = ("ijk", "ikj", "jik", "jki", "kij", "kji")
CASES = (  # side of the matrices, (bytes, ways) of both levels, bytes of a line
    (64, (32768, 8), (262144, 8), 64),
    (100, (32768, 8), (262144, 8), 64),
    (96, (8192, 2), (65536, 4), 64),
    (128, (32768, 8), (262144, 8), 64),  # rows a power of two apart collide
    (50, (4096, 4), (16384, 4), 32),
)


def main() -> None:
    version = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True)
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True)
    document = {
        "made_by": "python -m scripts.cachegrind",
        "valgrind": version.stdout.strip(),
        "compiler": compiler.stdout.splitlines()[0],
        "commands": [COMPILE, COUNT],
        "rows": rows(),
    }
    json.dump(document, sys.stdout, indent=1)
    sys.stdout.write("\n")


def rows() -> list[Row]:
    """One for each case and order: the geometry, and data reads, writes and misses in the loops."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        program, counts = Path(folder) / "loops", Path(folder) / "counts"
        for side, (size, ways), (size2, ways2), line in CASES:
            geometry: dict[str, int] = {"side": side, "line": line}
            geometry |= {"size": size, "ways": ways, "size2": size2, "ways2": ways2}
            _run(COMPILE.format(program=program, source=SOURCE, **geometry))
            for order in ORDERS:
                _run(COUNT.format(program=program, counts=counts, order=order, **geometry))
                found.append({"order": order, **geometry, **of_function(counts, f"nest_{order}")})
    return found


def of_function(counts: Path, name: str) -> dict[str, int]:
    """The data events of one function, by cachegrind's names, summed over its lines."""
    events: list[str] = []
    sums: dict[str, int] = {}
    inside = False
    for text in counts.read_text(encoding="utf-8").splitlines():
        if text.startswith("events:"):
            events = text.split()[1:]
            sums = {event: 0 for event in events if event.startswith("D")}
        elif text.startswith("fn="):
            inside = text == f"fn={name}"
        elif inside and text[:1].isdigit():
            for event, number in zip(events, text.split()[1:], strict=False):
                if event in sums:
                    sums[event] += int(number)
    if not any(sums.values()):
        raise RuntimeError(f"cachegrind counted nothing in {name}")
    return sums


def _run(command: str) -> None:
    subprocess.run(shlex.split(command), capture_output=True, check=True)


if __name__ == "__main__":
    main()
