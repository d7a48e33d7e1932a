"""An instance goes back to a second that was: itself, and as another one."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.e2e.engines import Served
from tests.e2e.guest import Guest
from tests.e2e.processes import kill_at, moments
from tests.e2e.waiting import next_second, wait_for
from tests.roles.provider import DATA

LONGEST = 6.0
"""Seconds: a restore in place takes longer than that."""


@pytest.fixture
def told(served: Served) -> Iterator[Any]:
    """What the engine's data file says of restores in place; all backups go afterwards."""
    path = DATA / f"backup_{served.engine.data['engine']}.yml"
    yield yaml.safe_load(path.read_text())["rewind"]
    for row in served.coffer.ask("backup", "list")["backups"]:
        served.coffer.dbctl("backup", "delete", row["id"], "--yes")


def send_logs(served: Served, until: str) -> None:
    """Do not wait for the timer; until times up to `until` can be brought back."""

    def reached() -> bool:
        served.guest.shell("systemctl start coffer-logs && systemctl reload coffer-agent")
        row = served.coffer.api.instance(served.guest.id)
        return (row["latest_restorable_time"] or "") >= until

    wait_for(f"logs until {until}", reached, pause=1)


def safety_backups(served: Served) -> list[str]:
    rows = served.coffer.ask("backup", "list", served.guest.name)["backups"]
    return [row["status"] for row in rows if "before its restore" in row["name"]]


def test_an_instance_goes_back(served: Served, told: Any) -> None:
    # given a backup, a row after it, and a second that lies between that row and the next one
    coffer, guest = served.coffer, served.guest
    coffer.dbctl("backup", "create", guest.name)
    rows = served.keep()
    to = next_second()
    served.keep()
    send_logs(served, to)
    before = coffer.healthy(guest.id)
    assert before["earliest_restorable_time"] <= to
    go = ("restore", guest.name, "--to", to, "--in-place", "--yes")

    # when it cannot be brought back, then it is what it was, and the reason is told
    guest.shell(told["break"])
    failed = coffer.dbctl(*go, check=False)
    guest.shell(told["mend"])
    assert failed.returncode != 0
    assert served.keep() == rows + 2
    assert safety_backups(served) == ["COMPLETED"]

    # when it can, then it has the rows of that second, at its address, whatever dies meanwhile
    coffer.healthy(guest.id)
    begun = coffer.ask(*go, "--no-wait")["operation"]["id"]
    (moment,) = moments(f"restore in place of {served.engine.name}", 1, LONGEST)
    kill_at(moment, coffer, begun, "playbook")
    ended = coffer.ended(begun, timeout=240)
    assert ended["state"] == "succeeded", ended
    assert served.keep() == rows + 1
    after = coffer.healthy(guest.id)
    assert (after["id"], after["ip"]) == (before["id"], before["ip"])
    assert safety_backups(served) == ["COMPLETED", "COMPLETED"]
    volume = served.engine.catalogue["data_directory"]
    left = "ls -d .before .gone* .restore .replay 2>/dev/null"
    assert guest.shell(f"cd {volume} && {left}", check=False).stdout == ""

    # and another instance can still begin with that second
    other = coffer.ask("restore", guest.name, "other", "--to", to)["instance"]
    twin = Guest(other["id"], "other", guest.password, guest.ca)
    login = (twin.address, "app", guest.password, guest.ca)
    assert served.client.keep(*login, "app") == rows + 1
    refused = coffer.dbctl("restore", guest.name, "x", "--to", "2001-01-01T00:00:00Z", check=False)
    assert refused.returncode != 0
    assert "to: 2001-01-01T00:00:00Z cannot be brought back" in refused.stderr
