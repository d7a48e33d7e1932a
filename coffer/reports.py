"""What guests report: the newest in Redis, the database only when something changed."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from redis import Redis, RedisError

from coffer.database import transaction
from coffer.models import Instance
from coffer.points import note_chains
from coffer.secrets import hash_token
from coffer.status import SILENT

_SEEN = "coffer:guests:seen"
"""Sorted set: instance id by unix time of the last report."""
_KEEP = 600
"""Seconds for which the last report stays in Redis."""
OBSERVED = ("version", "databases", "users", "pending_packages", "message", "logs")
"""Parts of a report that go to the database, and so count as a change."""


class Reports:
    """Takes reports and answers what was last seen."""

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns unix seconds."""
        self._redis = redis
        self._clock = clock

    def accept_all(self, batch: Sequence[tuple[str, dict[str, Any]]]) -> list[bool]:
        """Take reports, each with the token that it came with.

        False for each whose token opens no instance or another one than reported. A report older
        than the newest one taken is dropped (and accepted).
        """
        asked = [(hash_token(token), report["instance_id"]) for token, report in batch]
        owners = _owners({hashed for hashed, _ in asked})
        found = [owners.get(key) for key in asked]
        known = [(row, told) for row, (_, told) in zip(found, batch, strict=True) if row]
        self._remember([report for _, report in known])
        changed = [(row, told) for row, told in known if _is_news(row, told)]
        if changed:
            with transaction():  # one for all: guests that send logs come here every minute
                for instance, report in changed:
                    self._record(instance, report)
                note_chains(_newer_logs(changed))
        return [row is not None for row in found]

    def _remember(self, reports: Sequence[dict[str, Any]]) -> None:
        if not reports:
            return
        now, pipeline = self._clock(), self._redis.pipeline(transaction=False)
        for report in reports:
            pipeline.set(_key(report["instance_id"]), json.dumps(report), ex=_KEEP)
        pipeline.zadd(_SEEN, {report["instance_id"]: now for report in reports})
        with suppress(RedisError):  # it comes again in ten seconds
            pipeline.execute()

    def _record(self, instance: Instance, report: dict[str, Any]) -> None:
        observed = _observed(report)
        Instance.update(
            operating_status=report["state"],
            observed=observed,
            pending_packages=observed.get("pending_packages"),
            reported=datetime.fromtimestamp(self._clock(), UTC).replace(tzinfo=None),
            report_sequence=report["sequence"],
        ).where(Instance.id == instance.id, Instance.report_sequence < report["sequence"]).execute()

    def last(self, instance_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The last reports by instance id, of those that are known; empty when Redis is away."""
        ids = list(instance_ids)
        if not ids:
            return {}
        try:
            found = self._redis.mget([_key(instance_id) for instance_id in ids])
        except RedisError:
            return {}
        return {key: json.loads(text) for key, text in zip(ids, found, strict=True) if text}

    def age(self, instance: Instance) -> float | None:
        """Seconds since the guest last spoke; None when nobody knows."""
        try:
            seen: Any = self._redis.zscore(_SEEN, instance.id)
        except RedisError:
            return None
        return max(0.0, self._clock() - seen) if seen is not None else None

    def mark_silent(self, silent_after: int) -> list[str]:
        """Mark active instances that have not reported for `silent_after` seconds.

        A guest that Redis knows nothing of (it was flushed) gets the whole time again. Returns
        the ids that were marked.
        """
        now = self._clock()
        watched = Instance.select(Instance.id).where(
            Instance.state == "ACTIVE", Instance.deleted.is_null(), Instance.task.is_null()
        )
        ids = [row.id for row in watched]
        if not ids:
            return []
        self._redis.zadd(_SEEN, dict.fromkeys(ids, now), nx=True)
        late: Any = self._redis.zrangebyscore(_SEEN, "-inf", now - silent_after)
        silent = sorted({member.decode() for member in late} & set(ids))
        Instance.update(operating_status=SILENT).where(
            Instance.id.in_(silent), Instance.operating_status != SILENT
        ).execute()
        return silent

    def forget(self, instance_id: str) -> None:
        """Drop what Redis holds of a deleted instance."""
        self._redis.delete(_key(instance_id))
        self._redis.zrem(_SEEN, instance_id)


def _owners(hashes: set[str]) -> dict[tuple[str, str], Instance]:
    """Instances by a token's hash and their id; while one is made anew both of its are good.

    They have what a report is compared to alone: all columns would take more time than all else.
    """
    current, coming = Instance.guest_token_hash, Instance.next_token_hash
    rows = Instance.select(
        Instance.id, Instance.operating_status, Instance.observed, current, coming
    ).where(current.in_(hashes) | coming.in_(hashes))
    return {
        (hashed, row.id): row
        for row in rows
        for hashed in (row.guest_token_hash, row.next_token_hash)
        if hashed
    }


def _observed(report: dict[str, Any]) -> dict[str, Any]:
    return {key: report[key] for key in OBSERVED if report.get(key) is not None}


def _newer_logs(changed: Iterable[tuple[Instance, dict[str, Any]]]) -> list[tuple[str, Any]]:
    return [
        (instance.id, report["logs"])
        for instance, report in changed
        if report.get("logs") not in (None, instance.observed.get("logs"))
    ]


def _is_news(instance: Instance, report: dict[str, Any]) -> bool:
    known = (instance.operating_status, instance.observed)
    return known != (report["state"], _observed(report))


def _key(instance_id: str) -> str:
    return f"coffer:guests:report:{instance_id}"
