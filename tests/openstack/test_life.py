"""An instance's life in a cloud, from the image to nothing. The tests follow each other."""

import os
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.guest import Guest
from tests.openstack.conftest import held
from tests.openstack.installation import CloudInstallation

ENGINE = os.environ.get("COFFER_TEST_ENGINE", "mariadb")
FLAVOR = os.environ.get("COFFER_TEST_FLAVOR", "db.small")
SMALLER = os.environ.get("COFFER_TEST_SMALLER_FLAVOR", "db.tiny")


@dataclass(frozen=True)
class CloudGuest(Guest):
    """An instance whose address the API tells."""

    coffer: CloudInstallation

    @property
    def address(self) -> str:
        return str(self.coffer.api.instance(self.id)["ip"][0])


def made_of(coffer: CloudInstallation, made: Any) -> CloudGuest:
    instance = made["instance"]
    return CloudGuest(
        instance["id"], instance["name"], made["user"]["password"], coffer.ca_file(), coffer
    )


@pytest.fixture(scope="module")
def guest(coffer: CloudInstallation) -> CloudGuest:
    """Of a baked image, with the user and the database `app`."""
    coffer.build_image(ENGINE)
    wish = [ENGINE, "life", "--flavor", FLAVOR, "--volume", "1", "--user", "app"]
    return made_of(coffer, coffer.ask("instance", "create", *wish))


def test_an_image_is_built_once(coffer: CloudInstallation, guest: CloudGuest) -> None:
    images = held(coffer)["images"]
    again = coffer.build_image(ENGINE)
    assert "changed=0" in again.stdout.split("PLAY RECAP")[1], again.stdout
    assert held(coffer)["images"] == images


def test_a_client_writes_over_verified_tls(guest: CloudGuest) -> None:
    guest.query("CREATE TABLE word (said VARCHAR(20))")
    guest.query("INSERT INTO word VALUES ('first')")
    assert guest.query("SELECT said FROM word") == ("first",)


def test_the_agent_reports(coffer: CloudInstallation, guest: CloudGuest) -> None:
    assert coffer.healthy(guest.id, 120)["volume"]["used"] > 0


def test_an_operation_that_cannot_be_says_why(coffer: CloudInstallation) -> None:
    """Nothing is made that a look beforehand shows to be impossible."""
    coffer.manage("datastore", "register", ENGINE, "--image", "no-such-image")
    before = held(coffer)
    wish = [ENGINE, "broken", "--flavor", FLAVOR, "--volume", "1"]
    failed = coffer.dbctl("instance", "create", *wish, check=False)
    assert failed.returncode == 1
    assert "there is no active image 'no-such-image'" in failed.stderr
    assert held(coffer) == before
    coffer.dbctl("instance", "delete", "broken", "--yes")
    coffer.manage("datastore", "register", ENGINE)


def test_the_volume_grows(coffer: CloudInstallation, guest: CloudGuest) -> None:
    coffer.dbctl("instance", "resize", guest.name, "--volume", "2")
    assert guest.query("SELECT said FROM word") == ("first",)
    assert coffer.api.instance(guest.id)["volume"]["size"] == 2


def test_the_flavor_changes(coffer: CloudInstallation, guest: CloudGuest) -> None:
    address = guest.address
    coffer.dbctl("instance", "resize", guest.name, "--flavor", SMALLER)
    assert guest.query("SELECT said FROM word") == ("first",)
    assert guest.address == address


def test_a_backup_becomes_an_instance(coffer: CloudInstallation, guest: CloudGuest) -> None:
    coffer.dbctl("backup", "create", guest.name, "--name", "kept")
    guest.query("DELETE FROM word")
    made = coffer.ask("restore", "kept", "restored", "--flavor", FLAVOR, "--volume", "2")
    restored = CloudGuest(
        made["instance"]["id"], "restored", guest.password, coffer.ca_file(), coffer
    )
    assert restored.query("SELECT said FROM word") == ("first",)
    coffer.dbctl("instance", "delete", "restored", "--yes")


def test_what_has_no_record_is_found_and_removed(coffer: CloudInstallation) -> None:
    connection = coffer.cloud.connect()
    lost = "00000000-0000-4000-8000-000000000000"
    connection.network.create_security_group(
        name=f"{coffer.values['compute_openstack_prefix']}-{lost}"
    )
    assert lost in coffer.manage("doctor", "orphans").stdout
    coffer.manage("doctor", "orphans", "--remove")
    assert lost not in str(held(coffer))


def test_delete_leaves_nothing(coffer: CloudInstallation, guest: CloudGuest) -> None:
    coffer.dbctl("instance", "delete", guest.name, "--yes")
    assert set(held(coffer)) == {"images"}
    assert all("-image-" in name for name in held(coffer)["images"])
