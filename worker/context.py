"""What jobs work with, made once in each process that runs them."""

import functools
import os
from dataclasses import dataclass

from redis import Redis

from coffer.backups import Backups
from coffer.catalogue import Catalogue
from coffer.database import connect
from coffer.dispatch import Dispatcher
from coffer.inventory import Inventory
from coffer.patch_rounds import PatchRounds
from coffer.proofs import Proofs
from coffer.protection import Protector
from coffer.quotas import Quotas
from coffer.redis_urls import connect_redis
from coffer.reports import Reports
from coffer.repositories import Repositories
from coffer.schedules import Rounds
from coffer.secrets import Vault
from coffer.settings import Settings, load_settings


@dataclass(frozen=True)
class Context:
    """The collaborators of a job."""

    settings: Settings
    vault: Vault
    inventory: Inventory
    dispatcher: Dispatcher
    reports: Reports
    repositories: Repositories
    proofs: Proofs
    rounds: Rounds
    patch_rounds: PatchRounds


def make_context(settings: Settings, redis: Redis) -> Context:
    """Everything as the settings say it."""
    vault = Vault.from_file(settings.key_file)
    catalogue, dispatcher = Catalogue.of(settings), Dispatcher(redis)
    quotas, repositories = Quotas(settings, catalogue), Repositories(settings, vault)
    protector = Protector(catalogue, repositories, quotas, settings.patch_backup_hours)
    return Context(
        settings=settings,
        vault=vault,
        inventory=Inventory(settings, catalogue),
        dispatcher=dispatcher,
        reports=Reports(redis),
        repositories=repositories,
        proofs=Proofs(catalogue, vault, dispatcher, quotas),
        rounds=Rounds(Backups(catalogue, repositories, dispatcher, quotas)),
        patch_rounds=PatchRounds(vault, catalogue, protector, dispatcher, quotas),
    )


def context() -> Context:
    """This process's own: a connection to the records must not cross a fork."""
    return _context(os.getpid())


@functools.cache
def _context(_pid: int) -> Context:
    settings = load_settings()
    connect(settings.database_url)
    return make_context(settings, connect_redis(settings.redis_url))
