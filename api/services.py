"""What resources work with; an app is made for one set of these."""

from dataclasses import dataclass

from redis import Redis

from coffer.accounts import Accounts
from coffer.backups import Backups
from coffer.catalogue import Catalogue
from coffer.configurations import Configurations
from coffer.dispatch import Dispatcher
from coffer.exports import Exports
from coffer.instances import Instances
from coffer.inventory import Inventory
from coffer.logs import Logs
from coffer.operator_runs import OperatorRuns
from coffer.patch_rounds import PatchRounds
from coffer.patches import Patches
from coffer.proofs import Proofs
from coffer.protection import Protector
from coffer.quotas import Quotas
from coffer.redis_urls import connect_redis
from coffer.registrations import Registrations
from coffer.replicas import Replicas
from coffer.reports import Reports
from coffer.repositories import Repositories
from coffer.rewinds import Rewinds
from coffer.secrets import Vault
from coffer.settings import Settings
from coffer.versions import Versions


@dataclass(frozen=True)
class Services:
    """The collaborators of the API."""

    settings: Settings
    redis: Redis
    catalogue: Catalogue
    dispatcher: Dispatcher
    instances: Instances
    accounts: Accounts
    configurations: Configurations
    backups: Backups
    logs: Logs
    operator_runs: OperatorRuns
    patches: Patches
    patch_rounds: PatchRounds
    rewinds: Rewinds
    replicas: Replicas
    proofs: Proofs
    exports: Exports
    registrations: Registrations
    repositories: Repositories
    quotas: Quotas
    versions: Versions
    inventory: Inventory
    reports: Reports


def make_services(settings: Settings) -> Services:
    """Everything as the settings say it."""
    redis = connect_redis(settings.redis_url)
    catalogue = Catalogue.of(settings)
    dispatcher = Dispatcher(redis)
    vault = Vault.from_file(settings.key_file)
    quotas = Quotas(settings, catalogue)
    repositories = Repositories(settings, vault)
    protector = Protector(catalogue, repositories, quotas, settings.patch_backup_hours)
    return Services(
        settings=settings,
        redis=redis,
        catalogue=catalogue,
        dispatcher=dispatcher,
        instances=Instances(catalogue, vault, dispatcher, quotas),
        backups=Backups(catalogue, repositories, dispatcher, quotas),
        replicas=Replicas(catalogue, vault, dispatcher, quotas),
        rewinds=Rewinds(repositories, dispatcher, quotas),
        logs=Logs(catalogue, vault, dispatcher),
        operator_runs=OperatorRuns(protector, dispatcher),
        exports=Exports(repositories),
        registrations=Registrations(catalogue, repositories, quotas),
        repositories=repositories,
        proofs=Proofs(catalogue, vault, dispatcher, quotas),
        patches=Patches(catalogue, dispatcher, protector),
        patch_rounds=PatchRounds(vault, catalogue, protector, dispatcher, quotas),
        quotas=quotas,
        versions=Versions(catalogue),
        configurations=Configurations(catalogue, dispatcher),
        accounts=Accounts(catalogue, vault, dispatcher),
        inventory=Inventory(settings, catalogue),
        reports=Reports(redis),
    )
