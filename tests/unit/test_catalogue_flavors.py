"""Flavors that come from a cloud take the place of those of the provider's role."""

from pathlib import Path

import msgspec
import pytest

from coffer.catalogue import Catalogue
from coffer.errors import NotFound
from coffer.settings import Settings

FLAVORS = [{"id": "f1", "name": "db.small", "vcpus": 1, "ram": 1024, "disk": 4}]


def test_the_file_is_what_there_is(tmp_path: Path) -> None:
    file = tmp_path / "flavors.yml"
    file.write_bytes(msgspec.yaml.encode(FLAVORS))
    catalogue = Catalogue.of(Settings(provider="openstack", flavors_file=str(file)))
    assert msgspec.to_builtins(catalogue.provider.flavors) == FLAVORS
    assert catalogue.flavor("f1").ram == 1024
    assert catalogue.flavor("db.small").id == "f1"
    with pytest.raises(NotFound, match="'tiny'"):
        catalogue.flavor("tiny")


def test_without_it_the_role_has_its_own() -> None:
    assert Catalogue.of(Settings(provider="local")).flavor("tiny").ram == 512
