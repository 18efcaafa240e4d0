"""`make bench`: every benchmark, each in a process of its own so that none inherits another's memory.

Prints tables and writes benchmarks.json: a list of {name, value, unit, peer, goal, met}, where smaller
is better and `goal` is the most that `value` may be. The exit code says whether the benchmarks ran, not
whether the goals were met: a busy machine is no fault of the code.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS_JSON = ROOT / "benchmarks.json"
TENSORS = ("peaks", "eager", "matmul", "convolution", "training", "compiled")
MODULES = ("scalar", "vector_math", "rounding", *TENSORS, "app", "player", "grid", "repaint", "live", "load")


def main() -> int:
    BENCHMARKS_JSON.unlink(missing_ok=True)
    failed = [name for name in MODULES if run(name) != 0]
    documents = json.loads(BENCHMARKS_JSON.read_text("utf-8")) if BENCHMARKS_JSON.exists() else []
    missed = [document["name"] for document in documents if document["met"] is False]
    print(f"\n{len(documents)} figures in {BENCHMARKS_JSON.name}")
    print(f"Goals not met: {'; '.join(missed) or 'none'}")
    for name in failed:
        print(f"The benchmark {name} did not finish.", file=sys.stderr)
    return 1 if failed else 0


def run(name: str) -> int:
    return subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
