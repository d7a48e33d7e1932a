"""The drill: again and again a backup is verified that nobody asked to be."""

import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from coffer.backup_ends import COMPLETED
from coffer.backup_uses import VERIFIES
from coffer.callers import Caller
from coffer.clock import utcnow
from coffer.database import database
from coffer.errors import CofferError
from coffer.models import Backup, Instance, Operation
from coffer.operations import ACTIVE_STATES
from worker.context import Context, context

log = logging.getLogger(__name__)

USER = "drill"
_SETTLED = timedelta(hours=1)
"""A backup younger than this may just be in someone's hands."""


def drill() -> None:
    """One look; RQ's cron asks for one every few minutes."""
    collaborators = context()
    with database.connection_context():
        hold(collaborators, utcnow())


def hold(
    collaborators: Context,
    now: datetime,
    choose: Callable[[Sequence[Backup]], Backup] = random.choice,
) -> Operation | None:
    """Verify the newest backup of an instance picked at random, if one is due."""
    if not _is_due(collaborators, now):
        return None
    candidates = _candidates(now)
    if not candidates:
        return None
    backup = choose(candidates)
    try:
        return collaborators.proofs.verify(backup, Caller(backup.project_id, USER, ""))
    except CofferError as error:
        log.info("drill: %s", error)
        return None


def _is_due(collaborators: Context, now: datetime) -> bool:
    """Whether fewer were begun than shall be, and none is under way."""
    settings = collaborators.settings
    begun = Operation.select().where(Operation.kind == VERIFIES, Operation.user == USER)
    if begun.where(Operation.state.in_(ACTIVE_STATES)).exists():
        return False
    recent = begun.where(Operation.created > now - timedelta(days=settings.drill_days))
    return bool(recent.count() < settings.drill_instances)


def _candidates(now: datetime) -> list[Backup]:
    """The newest backup of each instance, where nobody has tried it yet."""
    newest: Any = (
        Backup.select(Backup.instance.alias("of"), fn.MAX(Backup.created).alias("made"))
        .join(Instance)
        .where(Backup.status == COMPLETED, Instance.deleted.is_null())
        .group_by(Backup.instance)
        .alias("newest")
    )
    query = Backup.select().join(
        newest, on=(Backup.instance == newest.c.of) & (Backup.created == newest.c.made)
    )
    return list(query.where(Backup.verified.is_null(), Backup.created < now - _SETTLED))
