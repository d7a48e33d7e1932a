"""Backups as a DBA and Trove's clients ask for them, on every engine."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.engines import Served
from tests.e2e.guest import Guest
from tests.e2e.host import STATE, snapshot_of_host
from tests.e2e.installation import Installation
from tests.e2e.processes import kill_at
from tests.e2e.test_trove_clients import command
from tests.e2e.waiting import wait_for


def test_a_backup_is_made_proven_restored_and_deleted(served: Served) -> None:
    # given rows, when a backup is made, then it can be verified, and nothing of that stays
    coffer, engine = served.coffer, served.engine.data["engine"]
    rows = served.keep()
    made = coffer.ask("backup", "create", served.guest.name, "--name", f"b-{engine}")["backup"]
    before = snapshot_of_host()
    coffer.dbctl("backup", "verify", made["id"])
    assert snapshot_of_host() == before
    shown = coffer.ask("backup", "show", made["id"])["backup"]
    assert (shown["status"], shown["verified"]) == ("COMPLETED", True)
    served.keep()
    instance = coffer.api.instance(served.guest.id)
    assert instance["last_proven_restorable"] == shown["created"]

    # when an instance is made of it, then it has those rows
    wish = [engine, f"from-{engine}", "--flavor", "small", "--volume", "1", "--user", "second"]
    again = coffer.ask("instance", "create", *wish, "--backup", made["id"])
    restored = Guest(again["instance"]["id"], wish[1], served.guest.password, served.guest.ca)
    assert Served(coffer, restored, served.engine).keep() == rows + 1

    # when that is deleted, then its own backups stay, and who deleted it is told
    own = coffer.ask("backup", "create", restored.id, "--name", f"own-{engine}")["backup"]
    said = coffer.dbctl("instance", "delete", restored.id, "--yes").stderr
    assert "Its backups remain: 1." in said, said
    assert own["id"] in said

    # when they are deleted too, then so is their data
    coffer.dbctl("backup", "delete", own["id"], "--yes")
    coffer.dbctl("backup", "delete", made["id"], "--yes")
    assert coffer.ask("backup", "list")["backups"] == []
    left = (STATE / "backups" / restored.id / "data").rglob("*")
    assert [path for path in left if path.is_file()] == []


def test_what_is_torn_is_not_proven(coffer: Installation, shared: Guest) -> None:
    # given a backup of which some data was lost
    made = coffer.ask("backup", "create", shared.id)["backup"]
    packs = sorted((STATE / "backups" / shared.id / "data").glob("*/*"), key=size)
    packs[-1].write_bytes(b"\0" * size(packs[-1]))

    # when it is verified, then it is not proven, with the reason, and nothing of that stays
    before = snapshot_of_host()
    done = coffer.dbctl("backup", "verify", made["id"], check=False)
    assert done.returncode == 1
    assert snapshot_of_host() == before
    shown = coffer.ask("backup", "show", made["id"])["backup"]
    assert (shown["verified"], bool(shown["verify_reason"])) == (False, True)
    assert "last_proven_restorable" not in coffer.api.instance(shared.id)
    coffer.dbctl("backup", "delete", made["id"], "--yes")


def size(path: Any) -> int:
    return int(path.stat().st_size)


def test_troves_client(coffer: Installation, shared: Guest) -> None:
    # given a full backup and one that names it as its parent
    first = made(coffer, f"backup create t1 --instance {shared.id} --description full")
    second = made(coffer, f"backup create t2 --instance {shared.id} --parent {first}")
    made(coffer, f"backup create t3 --instance {shared.id} --incremental")
    listed = command(coffer, f"backup list --instance {shared.id} -f value -c Name -c Status")
    assert sorted(listed.split("\n")[:-1]) == [f"t{n} COMPLETED" for n in (1, 2, 3)]
    assert command(coffer, "backup show t2 -f value -c parent_id").strip() == first
    of_instance = command(coffer, f"backup list instance {shared.id} -f value -c Name")
    assert sorted(of_instance.split()) == ["t1", "t2", "t3"]

    # when an instance is made of the second, then it answers with the first one's user
    wish = (
        f"instance create of-trove --flavor small --size 1 --backup {second} --is-public -f value"
    )
    instance = command(coffer, f"{wish} -c id").strip()
    ended = coffer.ended(coffer.newest_operation(instance)["id"])
    assert ended["state"] == "succeeded", ended
    restored = Guest(instance, "of-trove", shared.password, shared.ca)
    assert restored.query("SELECT 1") == (1,)

    # when the first is deleted, then so are those that came of it
    command(coffer, "backup delete t1")
    (operation,) = coffer.records(
        "SELECT id FROM operation WHERE kind = 'backup_delete' ORDER BY created DESC LIMIT 1"
    )
    assert coffer.ended(operation[0])["state"] == "succeeded"
    assert coffer.ask("backup", "list")["backups"] == []


def made(coffer: Installation, line: str) -> str:
    """Id of a backup that Trove's client made, once it is complete."""
    backup = command(coffer, f"{line} -f value -c id").strip()
    operation = coffer.api.get(f"/backups/{backup}")["backup"]["operation_id"]
    ended = coffer.ended(operation)
    assert ended["state"] == "succeeded", ended
    return backup


@pytest.fixture
def waiting(shared: Guest) -> Iterator[None]:
    """Backups of the shared instance wait in the guest until told to go on."""
    shared.shell(WAITING_RESTIC)
    yield
    shared.shell(REAL_RESTIC, check=False)


@pytest.mark.usefixtures("waiting")
def test_what_dies_meanwhile(coffer: Installation, shared: Guest) -> None:
    # given a backup that waits in the guest, when its worker dies, then another ends it
    operation = begin(coffer, shared)
    kill_at(0, coffer, operation, "horse")
    shared.shell("touch /run/go")
    assert coffer.ended(operation)["state"] == "succeeded"
    assert newest(coffer)["status"] == "COMPLETED"

    # when the guest dies, then it has failed with a reason, and the next one works
    operation = begin(coffer, shared)
    kill_guest(shared)
    assert coffer.ended(operation)["state"] == "failed"
    assert newest(coffer)["status"] == "FAILED"
    assert newest(coffer)["reason"]
    command(coffer, f"instance reboot {shared.id}")
    coffer.ended(coffer.newest_operation(shared.id)["id"])
    coffer.healthy(shared.id)
    shared.shell(f"touch /run/go; {REAL_RESTIC}")  # what sends the logs may wait as well
    coffer.dbctl("backup", "create", shared.id)

    # when the gateway is away, then so it is told, and the next one works
    coffer.supervisorctl("stop", "gateway")
    try:
        done = coffer.dbctl("backup", "create", shared.id, check=False)
    finally:
        coffer.supervisorctl("start", "gateway")
    assert "the gateway of the backups cannot be reached" in done.stderr
    assert "cannot be reached" in newest(coffer)["reason"]
    coffer.dbctl("backup", "create", shared.id)
    for row in coffer.ask("backup", "list")["backups"]:
        coffer.dbctl("backup", "delete", row["id"], "--yes")


WAITING_RESTIC = """
test -e /usr/bin/restic.real || mv /usr/bin/restic /usr/bin/restic.real
printf '#!/bin/sh\ntouch /run/runs\nuntil [ -e /run/go ]; do sleep 0.1; done
exec restic.real "$@"\n' >/usr/bin/restic; chmod 755 /usr/bin/restic
"""
REAL_RESTIC = "test ! -e /usr/bin/restic.real || mv /usr/bin/restic.real /usr/bin/restic"


def begin(coffer: Installation, guest: Guest) -> str:
    """A backup's operation, once its restic runs in the guest."""
    guest.shell("rm -f /run/runs /run/go")
    made = coffer.ask("backup", "create", guest.id, "--no-wait")
    guest.shell("until [ -e /run/runs ]; do sleep 0.1; done")
    return str(made["operation"]["id"])


def newest(coffer: Installation) -> Any:
    """The backup that was asked for last."""
    return coffer.ask("backup", "list")["backups"][0]


def kill_guest(guest: Guest) -> None:
    subprocess.run(["podman", "kill", guest.container], check=True, capture_output=True)


def test_a_schedule_makes_backups(coffer: Installation, shared: Guest) -> None:
    coffer.dbctl("schedule", "set", "* * * * *", shared.id)
    try:
        wait_for("a scheduled backup", lambda: newest(coffer)["status"] == "COMPLETED", 120)
    finally:
        coffer.dbctl("schedule", "remove", shared.id, "--yes")
        coffer.stop(shared.id)
    for row in coffer.ask("backup", "list")["backups"]:
        coffer.dbctl("backup", "delete", row["id"], "--yes")
