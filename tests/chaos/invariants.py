"""What must be true whatever broke: asked of the records, the host and the guests."""

from collections import Counter
from typing import Any

from tests.chaos.target import Target
from tests.e2e.host import STATE, containers, snapshot_of_host
from tests.e2e.installation import Installation
from tests.e2e.waiting import wait_for

UNDER_WAY = "SELECT kind, state, lease_until FROM operation WHERE state IN ('queued', 'running')"
HELD = "SELECT id, kind, state FROM operation WHERE lock IS NOT NULL OR lease_owner IS NOT NULL"
FLAVORS = {"tiny": 512, "small": 1024, "medium": 2048}
"""MB."""


def check(coffer: Installation, targets: list[Target], before: dict[str, list[str]] | None) -> None:
    """Nothing is stuck, nothing is lost and nothing is left.

    `before` is what was on the host, where the same instances were there.
    """
    _nothing_is_stuck(coffer)
    for target in targets:
        _is_well(target)
    names = sorted(name.split("-", 1)[1] for name in containers())
    assert names == sorted(coffer.instance_ids()), "one guest for each instance, and no other"
    if before is not None:
        _host_is_as(before)
    _quotas_are_right(coffer)
    _repositories_have_owners(coffer)


def _host_is_as(before: dict[str, list[str]]) -> None:
    def difference() -> list[str]:
        return [
            f"{kind}: more {Counter(lines) - Counter(before[kind])},"
            f" less {Counter(before[kind]) - Counter(lines)}"
            for kind, lines in snapshot_of_host().items()
            if lines != before[kind]
        ]

    try:
        wait_for("a host as before", lambda: snapshot_of_host() == before, timeout=30)
    except AssertionError as error:
        raise AssertionError(f"{error}: {difference()}") from error


def _nothing_is_stuck(coffer: Installation) -> None:
    wait_for("an end of all operations", lambda: not coffer.records(UNDER_WAY), timeout=120)
    assert not coffer.records(HELD)


def _is_well(target: Target) -> None:
    """The guest answers, and has what its user wrote; the status says so, then too."""
    target.coffer.healthy(target.guest.id, timeout=120)
    wait_for("data that are whole", target.is_intact, timeout=30)
    target.coffer.healthy(target.guest.id)


def _quotas_are_right(coffer: Installation) -> None:
    project = coffer.api.url.rsplit("/", 1)[1]
    rows = coffer.api.get(f"/mgmt/quotas/{project}")["quotas"]
    used = {row["resource"]: row["in_use"] for row in rows}
    instances = coffer.api.get("/instances")["instances"]
    backups = coffer.api.get("/backups")["backups"]
    assert used == {
        "instances": len(instances),
        "ram": sum(FLAVORS[row["flavor"]["id"]] for row in instances),
        "volumes": sum(row["volume"]["size"] for row in instances),
        "backups": sum(row["status"] != "FAILED" for row in backups),
    }
    assert not any(row["reserved"] for row in rows)


def _repositories_have_owners(coffer: Installation) -> None:
    there = {path.name for path in (STATE / "backups").iterdir() if path.is_dir()}
    rows: list[Any] = coffer.records("SELECT id FROM repository")
    assert there <= {row[0] for row in rows}
