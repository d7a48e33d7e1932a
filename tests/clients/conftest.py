"""One service for all tests of clients."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.service import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home: Path = tmp_path_factory.mktemp("service")
    with Service(home).running() as running:
        yield running
