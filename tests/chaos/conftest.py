"""The installation of the other tests, and an instance of each engine."""

from collections.abc import Iterator

import pytest

from tests.chaos.small_disk import OnSmallDisk
from tests.chaos.target import Target, make_target
from tests.e2e.conftest import installed, pytest_runtest_makereport
from tests.e2e.installation import Installation

__all__ = ["pytest_runtest_makereport"]
ENGINES = ("mysql", "mongodb")


@pytest.fixture(scope="session")
def coffer() -> Iterator[Installation]:
    """An installation whose records lie on a disk that can be filled."""
    yield from installed(OnSmallDisk())


@pytest.fixture(scope="session")
def kept(coffer: Installation) -> Iterator[list[Target]]:
    """The instances that the last run left well; it puts them there itself."""
    for engine in ENGINES[1:]:
        coffer.build_image(engine)
    yield []
    coffer.delete(*coffer.instance_ids())


@pytest.fixture
def targets(coffer: Installation, kept: list[Target]) -> list[Target]:
    """An instance of each engine; new ones after a run that failed."""
    made = list(kept)
    kept.clear()
    if not made:
        coffer.delete(*coffer.instance_ids())
        made = [make_target(coffer, engine, f"chaos-{engine}") for engine in ENGINES]
    return made
