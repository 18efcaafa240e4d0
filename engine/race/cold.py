"""How long a new process waits for a lane's code: `python -m engine.race.cold` reads a lane's name and what
`task` takes, as JSON, makes everything anew in an empty cache, and writes the seconds.

In the process of a server the code is there already, or lies on disk: its compile cost is hidden.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.measure.timing import Stopped
from engine.race.task import task

ROOT = Path(__file__).resolve().parents[2]
LOOK = 0.05  # seconds between looks at whether it is still wanted


def measured(name: str, arguments: Mapping[str, Any], is_over: Callable[[], bool]) -> float | None:
    """Seconds until a lane could make its first step in a new process, after `import engine`.

    None where the other process failed. Raises Stopped as soon as `is_over`.
    """
    with tempfile.TemporaryDirectory(prefix="unroll-cold-") as cache:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.race.cold", json.dumps([name, dict(arguments)])],
            cwd=ROOT,
            env={**os.environ, "UNROLL_CACHE": cache},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            while process.poll() is None:
                if is_over():
                    raise Stopped
                time.sleep(LOOK)
        finally:
            if process.poll() is None:
                process.kill()
            written, _ = process.communicate()
    try:
        return float(json.loads(written))
    except (ValueError, TypeError):
        return None


def main() -> None:
    from engine.race.turns import Racer

    name, arguments = json.loads(sys.argv[1])
    racer = Racer(name, task(**arguments))
    racer.prepare()
    sys.stdout.write(json.dumps(racer.preparing))


if __name__ == "__main__":
    main()
