"""What several tests of the engine are run with."""

from collections.abc import Iterator

import pytest

import engine


@pytest.fixture(params=["reference", "cpu"])
def either_backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """New tensors on the specification, then on the backend that people use."""
    with engine.backend(request.param):
        yield request.param
