"""Replicas with python-troveclient's own commands, while a client writes."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from tests.e2e.guest import Guest
from tests.e2e.host import containers, output_of
from tests.e2e.installation import CONFIG, Installation
from tests.e2e.processes import kill_at, moments
from tests.e2e.test_trove_clients import command, settled
from tests.e2e.waiting import wait_for

LONGEST = 3.0
"""Seconds: a promotion takes longer than that."""


class Writer:
    """Writes one number after the other to whoever takes it, and keeps what was confirmed."""

    def __init__(self, *guests: Guest) -> None:
        self._guests = guests
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.confirmed: list[int] = []
        self.longest = 0.0

    def __enter__(self) -> "Writer":
        self._thread.start()
        wait_for("the first rows", lambda: len(self.confirmed) > 20)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        number, last = 0, time.monotonic()
        while not self._over.is_set():
            for guest in self._guests:
                try:
                    with guest.client() as connection, connection.cursor() as cursor:
                        while not self._over.is_set():
                            number += 1
                            cursor.execute("INSERT INTO written VALUES (%s)", (number,))
                            self.confirmed.append(number)
                            self.longest = max(self.longest, time.monotonic() - last)
                            last = time.monotonic()
                except pymysql.MySQLError:
                    time.sleep(0.05)


def numbers(guest: Guest) -> set[int]:
    """What is written there."""
    with guest.client() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM written")
        return {row[0] for row in cursor.fetchall()}


def follow(coffer: Installation, source: Guest, name: str) -> Guest:
    """A new replica, as a person asks for one with Trove's client."""
    made = json.loads(command(coffer, f"instance create {name} --replica-of {source.id} -f json"))
    settled(coffer, made["id"])
    coffer.healthy(source.id)
    return Guest(made["id"], name, source.password, source.ca)


def shown(coffer: Installation, guest: Guest) -> dict[str, Any]:
    row: dict[str, Any] = coffer.api.instance(guest.id)
    return row


def roles(coffer: Installation) -> dict[str, str]:
    rows = json.loads(command(coffer, "instance list -f json"))
    return {row["Name"]: row["Role"] for row in rows if row["Role"]}


def restored_alone(coffer: Installation, backup: str) -> str:
    """A new instance of the backup, which takes changes of its own and runs its events."""
    wish = ("mysql", "copied", "--flavor", "tiny", "--volume", "1")
    row = coffer.ask("instance", "create", *wish, "--backup", backup)["instance"]
    copied = Guest(row["id"], "copied", "", coffer.ca_file())
    copied.shell("mysql app -e 'INSERT INTO written VALUES (-3)'")
    assert copied.shell("mysql -NBe 'SHOW REPLICA STATUS'").stdout == ""
    events = "SELECT status FROM information_schema.events WHERE event_name = 'tick'"
    assert copied.shell(f'mysql -NBe "{events}"').stdout.strip() == "ENABLED"
    return copied.name


@pytest.fixture
def short_silence(coffer: Installation) -> Iterator[None]:
    """Guests are missed sooner than after 90 seconds."""
    path = CONFIG / "coffer.toml"
    before = path.read_text()
    path.write_text(f"silent_after = 25\n{before}")
    coffer.supervisorctl("restart", "all")
    wait_for("the API", lambda: coffer.api.get("/instances"))
    yield
    path.write_text(before)
    coffer.supervisorctl("restart", "all")
    wait_for("the API", lambda: coffer.api.get("/instances"))


def test_a_replica_set_from_its_beginning_to_its_end(
    coffer: Installation, short_silence: None
) -> None:
    # given a source that nobody else may reach
    first = coffer.create("first", flavor="tiny")
    first.query("CREATE TABLE written (n INT PRIMARY KEY)")
    first.query("CREATE EVENT tick ON SCHEDULE EVERY 1 YEAR DO SET @tick = 1")
    command(coffer, f"instance update {first.id} --allowed-cidr {first.address}/32")
    settled(coffer, first.id)

    # when a replica is made, then it follows, and shows what it is
    second = follow(coffer, first, "second")
    first.shell("mysql app -e 'INSERT INTO written VALUES (0)'")
    wait_for("the row", lambda: second.shell("mysql -NBe 'SELECT n FROM app.written'").stdout)
    assert roles(coffer) == {"first": "primary", "second": "replica"}
    assert wait_for("the lag", lambda: shown(coffer, second)["replication"])["lag"] < 5
    refused = coffer.api.send("DELETE", f"/instances/{first.id}")
    assert refused.status == 403
    assert second.id in str(refused.document)
    for guest in (first, second):
        everybody = {"instance": {"access": {"allowed_cidrs": []}}}
        coffer.api.send("PUT", f"/instances/{guest.id}", everybody)
        settled(coffer, guest.id)
    coffer.dbctl("instance", "show", "second")

    # when a backup of the replica is restored, then that instance is nobody's replica
    made = coffer.ask("backup", "create", "second")["backup"]
    coffer.dbctl("instance", "delete", restored_alone(coffer, made["id"]), "--yes")

    # when it is promoted under load, and a process dies, then nothing that was confirmed is lost
    with Writer(first, second) as writer:
        command(coffer, f"instance promote {second.id}")
        (moment,) = moments("promote", 1, LONGEST)
        kill_at(moment, coffer, coffer.newest_operation(second.id)["id"], "playbook")
        settled(coffer, second.id)
        before = len(writer.confirmed)
        wait_for("rows at the new source", lambda: len(writer.confirmed) > before + 20)
    assert set(writer.confirmed) <= numbers(second)
    print(f"writes stood still for {writer.longest:.1f} s")
    wait_for("the old source", lambda: numbers(first) == numbers(second))
    assert shown(coffer, first)["replica_of"]["id"] == second.id
    with pytest.raises(pymysql.err.MySQLError):
        first.query("INSERT INTO written VALUES (-1)")

    # when it is detached, then it takes changes of its own and its former source does not have them
    command(coffer, f"instance detach {first.id}")
    settled(coffer, first.id)
    first.query("INSERT INTO written VALUES (-1)")
    assert -1 not in numbers(second)
    assert roles(coffer) == {}
    coffer.dbctl("instance", "delete", "first", "--yes")

    # when a source is lost, then its replica takes its place
    third = follow(coffer, second, "third")
    output_of("podman", "kill", "--signal", "KILL", second.container)
    wait_for("its silence", lambda: shown(coffer, second)["status"] == "ERROR")
    command(coffer, f"instance eject {second.id}")
    assert coffer.ended(coffer.newest_operation(second.id)["id"])["state"] == "succeeded"
    coffer.healthy(third.id)
    third.query("INSERT INTO written VALUES (-2)")
    assert not {"replica_of", "replicas"} & shown(coffer, third).keys()
    coffer.delete(second.id, third.id)
    assert not {second.container, third.container} & set(containers())
