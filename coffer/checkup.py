"""A look at every part of an installation: does it work, and if not, what mends it."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from peewee import fn
from redis import Redis, RedisError
from rq.cron import CronScheduler

from coffer.clock import utcnow
from coffer.disks import disks
from coffer.dispatch import unserved
from coffer.models import Instance, Operation
from coffer.operations import State
from coffer.proofs import last_complete, last_proven
from coffer.settings import Settings
from coffer.status import is_healthy, settled_instances

ANSWERS_WITHIN = 3
"""Seconds for a service on this host or beside it."""
BEATS_WITHIN = timedelta(minutes=1)
WAITS_AT_MOST = timedelta(minutes=10)
BACKUP_AGE = timedelta(days=2)
PROOF_AGE = timedelta(days=30)
RENEW_BEFORE = timedelta(days=30)
ROOM = 0.1
"""Of a disk, that should be free."""
_NAMED = 3
"""Names in a sentence, before it only counts."""


class Health(StrEnum):
    """How a part is."""

    OK = "ok"
    WARNING = "warning"
    TROUBLE = "trouble"


@dataclass(frozen=True)
class Finding:
    """What was found of one part."""

    part: str
    health: Health
    message: str
    remedy: str = ""
    """What an administrator does about it; empty when nothing needs to be done."""


@dataclass(frozen=True)
class Place:
    """Where to look."""

    settings: Settings
    redis: Redis


Answer = tuple[Health, str, str]


def checkup(settings: Settings, redis: Redis) -> list[Finding]:
    """Every part in turn; one that cannot be looked at is in trouble and hides no other one."""
    place = Place(settings, redis)
    return [Finding(part, *_look(check, place)) for part, check in CHECKS.items()]


def _look(check: Callable[[Place], Answer], place: Place) -> Answer:
    try:
        return check(place)
    except RedisError as error:
        return Health.TROUBLE, f"Redis does not answer: {error}", "start the service redis"
    except (OSError, ValueError) as error:
        return Health.TROUBLE, str(error), "coffer-manage setup"


def _workers(place: Place) -> Answer:
    missing = unserved(place.redis)
    if missing:
        message = f"no worker serves: {', '.join(missing)}"
        return Health.TROUBLE, message, "start the services worker-…; their logs say why they ended"
    return Health.OK, "workers serve every queue", ""


def _scheduler(place: Place) -> Answer:
    """Who asks for the sweeper's rounds: without it nothing that died goes on."""
    beats = [row.last_heartbeat for row in CronScheduler.all(place.redis, cleanup=False)]
    newest = max((beat for beat in beats if beat), default=None)
    if newest is None or datetime.now(UTC) - newest > BEATS_WITHIN:
        return Health.TROUBLE, "nobody asks for the sweeper's rounds", "start the service cron"
    return Health.OK, "the sweeper's rounds are asked for", ""


def _queues(_place: Place) -> Answer:
    oldest = (
        Operation.select(fn.MIN(Operation.created))
        .where(Operation.state == State.QUEUED, Operation.lock.is_null(False))
        .scalar()
    )
    if oldest and utcnow() - oldest > WAITS_AT_MOST:
        message = f"an operation has waited since {oldest:%F %T}"
        return Health.WARNING, message, "dbctl operation list; raise control_plane_workers"
    return Health.OK, "nothing waits for long", ""


def _service(url: Callable[[Settings], str], unit: str) -> Callable[[Place], Answer]:
    """That it answers over TLS with a certificate of the installation's authority."""

    def check(place: Place) -> Answer:
        address = urlsplit(url(place.settings))
        context = ssl.create_default_context(cafile=place.settings.ca_certificate)
        at = (address.hostname or "", address.port or 443)
        try:
            with (
                socket.create_connection(at, ANSWERS_WITHIN) as plain,
                context.wrap_socket(plain, server_hostname=at[0]) as secured,
            ):
                ends = ssl.cert_time_to_seconds(str((secured.getpeercert() or {})["notAfter"]))
        except OSError as error:
            message = f"{address.netloc} does not answer: {error}"
            return Health.TROUBLE, message, f"start the service {unit}; its log says why it ended"
        return _lasting(datetime.fromtimestamp(ends, UTC), "coffer-manage setup makes a new one")

    return check


def _authority(place: Place) -> Answer:
    pem = Path(place.settings.ca_certificate).read_bytes()
    ends = x509.load_pem_x509_certificate(pem).not_valid_after_utc
    return _lasting(ends, "plan a new authority: clients need it before this one ends")


def _lasting(ends: datetime, remedy: str) -> Answer:
    text = f"its certificate is good until {ends:%F}"
    if ends - datetime.now(UTC) < RENEW_BEFORE:
        return Health.WARNING, text, remedy
    return Health.OK, text, ""


def _disks(place: Place) -> Answer:
    free = {holds: row.f_bavail / row.f_blocks for holds, row in disks(place.settings).items()}
    text = ", ".join(f"{holds}: {part:.0%} free" for holds, part in free.items())
    if any(part < ROOM for part in free.values()):
        return Health.TROUBLE, text, "make room (docs/runbook.md 8)"
    return Health.OK, text or "none of this host", ""


def _instances(_place: Place) -> Answer:
    rows = list(settled_instances())
    ill = [row.name for row in rows if not is_healthy(row)]
    if ill:
        message = f"not healthy: {_names(ill)}"
        return Health.WARNING, message, "dbctl instance show NAME (docs/runbook.md 2)"
    return Health.OK, f"{len(rows)} healthy", ""


def _operations(_place: Place) -> Answer:
    since = utcnow() - timedelta(days=1)
    bad = Operation.state.in_((State.FAILED, State.EXPIRED)) & (Operation.ended > since)
    count = Operation.select().where(bad).count()
    if count:
        remedy = "dbctl operation list; dbctl operation show ID says why"
        return Health.WARNING, f"{count} failed in the last day", remedy
    return Health.OK, "none failed in the last day", ""


def _backups(_place: Place) -> Answer:
    old = _without(last_complete(), BACKUP_AGE)
    if old:
        message = f"none of the last {BACKUP_AGE.days} days of: {_names(old)}"
        return Health.WARNING, message, "dbctl schedule list; dbctl backup create NAME"
    return Health.OK, "every instance has a fresh one", ""


def _proofs(_place: Place) -> Answer:
    old = _without(last_proven(), PROOF_AGE)
    if old:
        message = f"none of the last {PROOF_AGE.days} days of: {_names(old)}"
        return Health.WARNING, message, "dbctl backup verify BACKUP; drill_instances, drill_days"
    return Health.OK, "every instance has a fresh one", ""


def _without(newest: dict[str, datetime], age: timedelta) -> list[str]:
    """Instances that are older than that and have nothing younger."""
    since = utcnow() - age
    rows = Instance.select(Instance.id, Instance.name).where(
        Instance.deleted.is_null(), Instance.created < since
    )
    return [row.name for row in rows if newest.get(row.id, datetime.min) < since]


def _names(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


CHECKS: dict[str, Callable[[Place], Answer]] = {
    "workers": _workers,
    "scheduler": _scheduler,
    "queues": _queues,
    "conductor": _service(lambda settings: settings.conductor_url, "conductor"),
    "gateway": _service(lambda settings: settings.gateway_url, "gateway"),
    "authority": _authority,
    "disks": _disks,
    "instances": _instances,
    "operations": _operations,
    "backups": _backups,
    "proofs": _proofs,
}
"""By name, in the order in which they are told."""
