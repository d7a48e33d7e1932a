"""A service of its own for each module of tests: what one makes, no other sees."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.service import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home: Path = tmp_path_factory.mktemp("service")
    with Service(home).running() as running:
        yield running
