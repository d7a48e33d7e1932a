"""An installation in the cloud under test, skipped with the reason where there is none."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import pytest_runtest_makereport
from tests.openstack.cloud import cloud_under_test, why_not
from tests.openstack.holdings import KINDS, holdings
from tests.openstack.installation import PREFIX, CloudInstallation

__all__ = ["pytest_runtest_makereport"]
KEEP = bool(os.environ.get("COFFER_E2E_KEEP"))
"""For who writes tests: leave the installation there, and take it as it is the next time."""


@pytest.fixture(scope="session")
def coffer() -> Iterator[CloudInstallation]:
    """An installation that is ready for its first image; the cloud holds nothing of it later."""
    cloud = cloud_under_test()
    if reason := why_not(cloud):
        pytest.skip(reason)
    if os.geteuid() != 0:
        pytest.skip("needs root: the services are installed on this host")
    made = CloudInstallation(cloud)
    try:
        if not (KEEP and made.program("dbctl").exists()):
            made.install()
        yield made
        made.delete(*made.instance_ids())
        if not KEEP:
            made.remove_what_a_purge_leaves()
            assert held(made) == {}
    finally:
        if not KEEP:
            made.purge()


def held(coffer: CloudInstallation) -> dict[str, list[str]]:
    """What the cloud has of this installation, by kind."""
    connection = coffer.cloud.connect()
    found = {kind: holdings(connection, PREFIX, kind) for kind in KINDS}
    return {kind: names for kind, names in found.items() if names}
