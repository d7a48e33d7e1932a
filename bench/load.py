"""What the benchmarks of API and conductor share: records, priority, percentiles."""

import atexit
import contextlib
import json
import math
import os
from datetime import timedelta
from pathlib import Path

from coffer.clock import utcnow
from coffer.database import connect, database
from coffer.models import DatastoreVersion, Instance, Repository
from coffer.models.base import new_id
from coffer.redis_urls import connect_redis
from coffer.settings import load_settings
from tests.clients.service import PROJECT, Service

AUTOGROUP = Path("/proc/self/autogroup")
URGENCY = 10
"""Steps of nice(1) by which API and Redis are nearer to the processor than playbooks, as in an
installation; the conductor stands in the middle."""
_NAMES = [{"name": f"db{index}"} for index in range(5)]
OBSERVED = {"databases": _NAMES, "users": [{"name": "u", "databases": _NAMES}]}
"""What the records know of each guest, and what its agent tells again in each report."""


def fill(service: Service, count: int) -> str:
    """Rows and reports of `count` instances, in place of those that were there; the middle id."""
    os.environ["COFFER_SETTINGS"] = service.environment["COFFER_SETTINGS"]
    settings = load_settings()
    connect(settings.database_url)
    redis = connect_redis(settings.redis_url)
    with database.connection_context(), database.atomic():
        version, now = DatastoreVersion.get(), utcnow()
        Repository.delete().execute()
        Instance.delete().execute()
        rows = [row(number, version, now - timedelta(seconds=number)) for number in range(count)]
        for start in range(0, count, 500):
            Instance.insert_many(rows[start : start + 500]).execute()
            kept = [repository(row) for row in rows[start : start + 500]]
            Repository.insert_many(kept).execute()
    reports = {
        f"coffer:guests:report:{row['id']}": json.dumps(
            {"volume": {"size": 1 << 30, "used": 1 << 28}, "state": "HEALTHY"}
        )
        for row in rows
    }
    redis.mset(reports)
    return sorted(str(row["id"]) for row in rows)[count // 2]


def row(number: int, version: DatastoreVersion, created: object) -> dict[str, object]:
    """An instance that runs, with as many users and databases as one has."""
    return {
        "id": new_id(),
        "project_id": PROJECT,
        "name": f"db{number}",
        "version": version,
        "provider": "local",
        "flavor_id": "small",
        "volume_size": 1,
        "state": "ACTIVE",
        "operating_status": "HEALTHY",
        "compute": {"address": "192.0.2.9", "server_id": f"s{number}"},
        "observed": OBSERVED,
        "host_key_public": "ssh-ed25519 AAAA",
        "created": created,
        "updated": created,
    }


def repository(instance: dict[str, object]) -> dict[str, object]:
    """Where the instance's backups and logs lie."""
    return {
        "id": instance["id"],
        "project_id": PROJECT,
        "keys": "",
        "gateway_hash": "",
        "created": instance["created"],
    }


def come_first() -> None:
    """Be urgent, and whatever is started later: clients and guests have processors of their own.

    As another user than root everything stays as it is. The session too, until the end: the kernel
    shares processors out by session first (sched(7), autogroup).
    """
    with contextlib.suppress(PermissionError, FileNotFoundError):
        os.nice(-URGENCY)
        before = AUTOGROUP.read_text().split()[-1]
        AUTOGROUP.write_text(str(-URGENCY))
        atexit.register(AUTOGROUP.write_text, before)


def percentile(values: list[float], share: float) -> float:
    """Milliseconds below which that share of the values lies."""
    return 1000 * sorted(values)[math.ceil(share * len(values)) - 1]
