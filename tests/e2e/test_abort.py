"""Stopping an operation in the middle."""

import time

from tests.e2e.guest import Guest
from tests.e2e.host import containers, snapshot_of_host
from tests.e2e.installation import Installation
from tests.e2e.waiting import wait_for

PASSWORD = "Given-by-the-user-4711"


def begin(coffer: Installation, name: str) -> tuple[Guest, str]:
    """An instance in the middle of its creation: its guest runs already."""
    wish = ["mysql", name, "--flavor", "small", "--volume", "1", "--user", "app", "--no-wait"]
    made = coffer.ask("instance", "create", *wish, "--password-file", "-", stdin=PASSWORD)
    guest = Guest(made["instance"]["id"], name, PASSWORD, coffer.ca_file())
    wait_for("the container", lambda: guest.container in containers())
    return guest, made["operation"]["id"]


def test_aborted_creation_is_undone(coffer: Installation, shared: Guest) -> None:
    # given a creation whose guest runs, when it is aborted
    before = snapshot_of_host()
    guest, operation = begin(coffer, "aborted")
    began = time.monotonic()
    coffer.dbctl("operation", "abort", operation)

    # then it is aborted within seconds and nothing of it is on the host
    print(f"\naborted and undone in {time.monotonic() - began:.1f} s")
    assert coffer.api.operation(operation)["state"] == "aborted"
    assert snapshot_of_host() == before

    # and the instance tells so, until it is deleted
    row = coffer.api.instance(guest.id)
    assert row["status"] == "ERROR"
    assert "aborted by the user" in row["fault"]["message"]
    coffer.dbctl("instance", "delete", guest.name, "--yes")
    assert coffer.api.send("GET", f"/instances/{guest.id}").status == 404


def test_aborted_creation_can_be_retried(coffer: Installation, shared: Guest) -> None:
    # given an aborted creation
    guest, operation = begin(coffer, "retried")
    coffer.dbctl("operation", "abort", operation)

    # when it is retried, then the user can log in with the password of the first request
    coffer.dbctl("operation", "retry", operation)
    assert coffer.healthy(guest.id)
    assert guest.query("SELECT CURRENT_USER()") == ("app@%",)
