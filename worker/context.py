"""What jobs work with, made once in each process that runs them."""

import functools
import os
from dataclasses import dataclass

from redis import Redis

from coffer.catalogue import Catalogue
from coffer.database import connect
from coffer.dispatch import Dispatcher, connect_redis
from coffer.inventory import Inventory
from coffer.reports import Reports
from coffer.repositories import Repositories
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


def make_context(settings: Settings, redis: Redis) -> Context:
    """Everything as the settings say it."""
    vault = Vault.from_file(settings.key_file)
    return Context(
        settings=settings,
        vault=vault,
        inventory=Inventory(settings, Catalogue(settings.provider)),
        dispatcher=Dispatcher(redis),
        reports=Reports(redis),
        repositories=Repositories(settings, vault),
    )


def context() -> Context:
    """This process's own: a connection to the records must not cross a fork."""
    return _context(os.getpid())


@functools.cache
def _context(_pid: int) -> Context:
    settings = load_settings()
    connect(settings.database_url)
    return make_context(settings, connect_redis(settings.redis_url))
