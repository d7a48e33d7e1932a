"""Ten instances at once."""

import time

from tests.e2e.guest import Guest
from tests.e2e.host import snapshot_of_host
from tests.e2e.installation import Installation
from tests.e2e.waiting import at_once

HOW_MANY = 10


def test_ten_instances_at_once(coffer: Installation, shared: Guest) -> None:
    # given a host with one instance
    before = snapshot_of_host()
    began = time.monotonic()

    # when ten are asked for at once
    passwords = {f"fleet-{number}": f"Fleet{number}Password" for number in range(HOW_MANY)}
    guests = at_once(lambda name: start(coffer, name, passwords[name]), passwords)
    ends = at_once(lambda pair: coffer.ended(pair[1], timeout=240), guests)

    # then each is ready, has an address of its own and answers
    assert [row["state"] for row in ends] == ["succeeded"] * HOW_MANY, ends
    fleet = [guest for guest, _operation in guests]
    at_once(lambda guest: coffer.healthy(guest.id), fleet)
    took = time.monotonic() - began
    print(f"\n{HOW_MANY} instances in {took:.1f} s, {took / HOW_MANY:.1f} s each")
    assert len({guest.address for guest in fleet}) == HOW_MANY
    assert [guest.query("SELECT 1") for guest in fleet] == [(1,)] * HOW_MANY

    # when all are deleted at once, then nothing is left of them
    began = time.monotonic()
    coffer.delete(*(guest.id for guest in fleet))
    print(f"deleted in {time.monotonic() - began:.1f} s")
    assert snapshot_of_host() == before


def start(coffer: Installation, name: str, password: str) -> tuple[Guest, str]:
    """The instance to come, and the operation that makes it."""
    wish = ["mysql", name, "--flavor", "tiny", "--volume", "1", "--user", "app", "--no-wait"]
    made = coffer.ask("instance", "create", *wish, "--password-file", "-", stdin=password)
    guest = Guest(made["instance"]["id"], name, password, coffer.ca_file())
    return guest, made["operation"]["id"]
