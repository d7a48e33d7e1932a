"""The installation under test, a guest that tests share, and order after each test."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.engines import served
from tests.e2e.guest import Guest
from tests.e2e.host import containers
from tests.e2e.installation import Installation
from tests.e2e.waiting import wait_for

__all__ = ["served"]

NEEDS = ("make", "podman", "nft", "xfs_growfs", "mmdebstrap")

KEEP = bool(os.environ.get("COFFER_E2E_KEEP"))
"""For who writes tests: leave the installation there, and take it as it is the next time."""


@pytest.fixture(scope="session")
def coffer() -> Iterator[Installation]:
    """An installation that is ready for its first instance."""
    yield from installed(Installation())


def installed(made: Installation) -> Iterator[Installation]:
    """Put it on the host; nothing of it stays."""
    missing = [tool for tool in NEEDS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root and {', '.join(missing or NEEDS)}")
    try:
        if KEEP and made.program("dbctl").exists():
            made.delete(*made.instance_ids())
        else:
            made.install()
        yield made
    finally:
        if not KEEP:
            made.purge()


@pytest.fixture(scope="session")
def shared(coffer: Installation) -> Guest:
    """An instance that tests use in turn; each leaves it healthy."""
    return coffer.create("shared")


@pytest.fixture(autouse=True)
def _order(coffer: Installation, shared: Guest) -> Iterator[None]:
    """What a test made goes, and what tests share is well for the next one."""
    before = coffer.instance_ids()
    yield
    made = coffer.instance_ids() - before
    coffer.delete(*made)
    wait_for("only shared containers", lambda: len(containers()) <= len(before))
    coffer.stop(shared.id)
    wait_for("the shared instance's answer", lambda: shared.query("SELECT 1"))
    coffer.healthy(shared.id)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A failure comes with what the installation knows of it."""
    report = yield
    made = getattr(item, "funcargs", {}).get("coffer")
    if report.failed and made is not None:
        try:
            report.sections += made.dump()
        except Exception as error:
            report.sections.append(("dump", f"not possible: {error!r}"))
    return report
