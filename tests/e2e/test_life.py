"""The life of an instance, from the command line and from a client's side."""

import json
import ssl
import urllib.error
import urllib.request
from typing import Any

import pymysql
import pytest

from tests.e2e.api import Answer
from tests.e2e.guest import Guest
from tests.e2e.host import CONFIG, SUBNET, snapshot_of_host
from tests.e2e.installation import CONDUCTOR_PORT, Installation
from tests.e2e.waiting import wait_for

GIB = 1024**3
INSECURE_TRANSPORT = 3159
"""MySQL's number for a connection that should have been encrypted."""


def test_life_of_an_instance(coffer: Installation, shared: Guest) -> None:
    # given a host with another instance on it
    before = snapshot_of_host()

    # when an instance is created with a database and a user
    guest = coffer.create("life")

    # then it is listed, shown, and answers with data, over verified TLS alone
    assert_listed(coffer, guest)
    guest.query("CREATE TABLE word (text VARCHAR(9))")
    guest.query("INSERT INTO word VALUES ('kept')")
    assert_encrypted(guest)
    assert_closed_without_tls(guest)

    # when it is restarted and resized, then the data is still there
    assert_restarts(coffer, guest)
    assert_volume_grows(coffer, guest)
    assert_flavor_changes(coffer, guest)
    assert guest.query("SELECT text FROM word") == ("kept",)

    # when it is deleted, then nothing is left of it
    token = guest.shell("cat /etc/coffer/token").stdout.strip()
    assert report(guest, token).status == 204
    coffer.dbctl("instance", "delete", guest.name, "--yes")
    assert snapshot_of_host() == before
    assert_forgotten(coffer, guest, token)


def assert_listed(coffer: Installation, guest: Guest) -> None:
    row = coffer.ask("instance", "show", guest.name)["instance"]
    assert (row["id"], row["status"], row["operating_status"]) == (guest.id, "ACTIVE", "HEALTHY")
    assert row["datastore"]["type"] == "mysql"
    assert row["ip"] == [guest.address]
    listed = {each["name"]: each for each in coffer.ask("instance", "list")["instances"]}
    assert {"life", "shared"} <= set(listed)
    assert listed["life"]["volume"]["size"] == 1


def assert_encrypted(guest: Guest) -> None:
    cipher: Any = guest.query("SHOW STATUS LIKE 'Ssl_version'")
    assert cipher[1] == "TLSv1.3"


def assert_closed_without_tls(guest: Guest) -> None:
    with pytest.raises(pymysql.Error) as refused, guest.client(ssl_disabled=True):
        pass
    assert INSECURE_TRANSPORT in refused.value.args or "secure" in str(refused.value).lower()


def assert_restarts(coffer: Installation, guest: Guest) -> None:
    pid = guest.shell("systemctl show --property MainPID --value mysql").stdout
    coffer.dbctl("instance", "restart", guest.name)
    assert guest.shell("systemctl show --property MainPID --value mysql").stdout != pid
    assert guest.query("SELECT text FROM word") == ("kept",)
    assert coffer.healthy(guest.id)


def assert_volume_grows(coffer: Installation, guest: Guest) -> None:
    assert size_of_volume(guest) <= GIB
    coffer.dbctl("instance", "resize", guest.name, "--volume", "2")
    assert 1.9 * GIB < size_of_volume(guest) <= 2 * GIB
    assert coffer.healthy(guest.id)["volume"]["size"] == 2


def size_of_volume(guest: Guest) -> int:
    return int(guest.shell("df --block-size=1 --output=size /var/lib/mysql | tail -1").stdout)


def assert_flavor_changes(coffer: Installation, guest: Guest) -> None:
    limit, pool = guest.memory_limit(), guest.query("SELECT @@innodb_buffer_pool_size")
    coffer.dbctl("instance", "resize", guest.name, "--flavor", "medium")
    assert (limit, guest.memory_limit()) == (GIB, 2 * GIB)
    assert guest.query("SELECT @@innodb_buffer_pool_size") > pool
    assert coffer.healthy(guest.id)["flavor"]["id"] == "medium"


def assert_forgotten(coffer: Installation, guest: Guest, token: str) -> None:
    assert coffer.api.send("GET", f"/instances/{guest.id}").status == 404
    assert not coffer.records("SELECT name FROM secret WHERE instance_id = ?", guest.id)
    assert report(guest, token).status == 401
    shown = coffer.dbctl("instance", "show", guest.name, check=False)
    assert shown.returncode == 3


def report(guest: Guest, token: str) -> Answer:
    """Send what the guest's agent sends, with its token."""
    told = {"protocol": 1, "instance_id": guest.id, "sequence": 1, "state": "HEALTHY"}
    request = urllib.request.Request(
        f"https://{SUBNET}.1:{CONDUCTOR_PORT}/conductor/v1/reports",
        json.dumps(told).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    trust = ssl.create_default_context(cafile=f"{CONFIG}/ca/ca.crt")
    try:
        with urllib.request.urlopen(request, timeout=10, context=trust) as reply:  # noqa: S310
            return Answer(reply.status, {}, None)
    except urllib.error.HTTPError as error:
        return Answer(error.code, {}, None)


def test_the_guests_log_names_the_request(coffer: Installation, shared: Guest) -> None:
    coffer.dbctl("instance", "restart", shared.id)
    request = coffer.newest_operation(shared.id)["request_id"]
    assert request.startswith("req-")
    noted = shared.shell("journalctl --identifier coffer --output cat").stdout
    assert f"{request}: " in noted


def test_ca_and_reports_tell_nothing_to_strangers(coffer: Installation, shared: Guest) -> None:
    # given the token of one guest, when another instance is reported with it
    token = shared.shell("cat /etc/coffer/token").stdout.strip()
    stranger = Guest("11111111-1111-1111-1111-111111111111", "x", "", shared.ca)

    # then it opens nothing, and neither does a wrong one
    assert report(stranger, token).status == 401
    assert report(shared, "wrong").status == 401
    assert wait_for("an instance", lambda: coffer.api.send("GET", "/instances").status) == 200
