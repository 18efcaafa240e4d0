"""What tests of several pages begin with."""

from pathlib import Path

import pytest

from engine.measure import service


@pytest.fixture
def nothing_measured_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing has been measured."""
    monkeypatch.setenv("UNROLL_MEASURED", str(tmp_path))
    service.cache_clear()
