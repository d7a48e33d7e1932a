"""What guests report: the newest in Redis, the database only when something changed."""

import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from redis import Redis, RedisError

from coffer.database import database, transaction
from coffer.models import Instance
from coffer.points import note_chain
from coffer.secrets import hash_token
from coffer.status import SILENT

_SEEN = "coffer:guests:seen"
"""Sorted set: instance id by unix time of the last report."""
_KEEP = 600
"""Seconds for which the last report stays in Redis."""
_ASKED = "SELECT id, operating_status, observed FROM instance WHERE {column} = {value}"
_REMEMBER = """
redis.call("SET", KEYS[1], ARGV[1], "EX", ARGV[2])
redis.call("ZADD", KEYS[2], ARGV[3], ARGV[4])
"""
"""Both in one command: it costs the sender less than a pipeline of two."""
OBSERVED = ("version", "databases", "users", "pending_packages", "message", "logs")
"""Parts of a report that go to the database, and so count as a change."""


class Reports:
    """Takes reports and answers what was last seen."""

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns unix seconds."""
        self._redis = redis
        self._clock = clock
        self._script = redis.register_script(_REMEMBER)

    def accept(self, token: str, report: dict[str, Any]) -> bool:
        """Take a report; False when the token opens no instance or another one than reported.

        A report older than the newest one taken is dropped (and accepted).
        """
        instance = _owner(hash_token(token))
        if instance is None or instance.id != report["instance_id"]:
            return False
        self._remember(instance.id, report)
        observed = {key: report[key] for key in OBSERVED if report.get(key) is not None}
        if instance.operating_status != report["state"] or instance.observed != observed:
            with transaction():  # one for both: guests that send logs come here every minute
                self._record(instance, report, observed)
                if observed.get("logs") not in (None, instance.observed.get("logs")):
                    note_chain(instance.id, observed["logs"])
        return True

    def _remember(self, instance_id: str, report: dict[str, Any]) -> None:
        with suppress(RedisError):  # it comes again in ten seconds
            self._script(
                keys=[_key(instance_id), _SEEN],
                args=[json.dumps(report), _KEEP, self._clock(), instance_id],
            )

    def _record(self, instance: Instance, report: dict[str, Any], observed: dict[str, Any]) -> None:
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


def _owner(hashed: str) -> Instance | None:
    """Whose token it is; while a guest is made anew both of its tokens are good.

    With what a report is compared to alone, and in words: to ask for all columns, or to have the
    statement made anew each time, took half of a report's time.
    """
    for column in ("guest_token_hash", "next_token_hash"):
        asked = _ASKED.format(column=column, value=database.param)
        if row := database.execute_sql(asked, (hashed,)).fetchone():
            known, status, observed = row
            return Instance(
                id=known,
                operating_status=status,
                observed=Instance.observed.python_value(observed),
            )
    return None


def _key(instance_id: str) -> str:
    return f"coffer:guests:report:{instance_id}"
