"""What can be asked of replicas: checked, recorded and sent on its way."""

from dataclasses import dataclass, field
from typing import Any

from coffer.callers import Caller
from coffer.catalogue import Catalogue
from coffer.database import transaction
from coffer.dispatch import Dispatcher
from coffer.errors import BadRequest, Forbidden
from coffer.groups import require_group, require_version
from coffer.models import Configuration, Instance, Operation
from coffer.parts import Part
from coffer.quotas import Quotas
from coffer.replica_ends import CREATES, EJECTS
from coffer.replica_sets import others, replicas
from coffer.secrets import Vault, new_host_key, new_password
from coffer.status import SILENT, require_can_act, require_running

FEATURE = "replication"
PASSWORD = "replication_password"  # noqa: S105 - the name that it is stored by
"""Each of a replica set has the same one: whoever is its source next needs no other."""


@dataclass(frozen=True, kw_only=True)
class ReplicaWish:
    """New replicas as they were asked for; all else they have of their source."""

    name: str
    source: Instance
    count: int = 1
    access: dict[str, Any] = field(default_factory=dict)
    configuration: Configuration | None = None


class Replicas:
    """Requests about replicas."""

    def __init__(
        self, catalogue: Catalogue, vault: Vault, dispatcher: Dispatcher, quotas: Quotas
    ) -> None:
        self._catalogue = catalogue
        self._vault = vault
        self._dispatcher = dispatcher
        self._quotas = quotas

    def create(self, wish: ReplicaWish, caller: Caller) -> list[tuple[Instance, Operation]]:
        """Record the replicas (status BUILD) and start their creation, one after the other.

        Raises:
            BadRequest, Unprocessable, OverLimit: naming the field, or the source's state.
        """
        self._check(wish)
        with transaction():
            source = Instance.get_by_id(wish.source.id)
            require_group(wish.configuration.id if wish.configuration else None)
            require_running(source)
            count = wish.count
            self._quotas.reserve(
                source.project_id,
                instances=count,
                ram=count * self._quotas.ram(source.flavor_id),
                volumes=count * source.volume_size,
            )
            password = self._password(source)
            names = [f"{wish.name}-{n + 1}" if count > 1 else wish.name for n in range(count)]
            made = [self._make(wish, source, name, password, caller) for name in names]
        for _instance, operation in made:
            self._dispatcher.send(operation)
        return made

    def _check(self, wish: ReplicaWish) -> None:
        engine = self._catalogue.engine(wish.source.version.manager)
        if FEATURE not in engine.features:
            raise BadRequest(f"replica_of: {engine.title} is a datastore without replication")
        if wish.source.source_id:
            raise BadRequest(
                f"replica_of: instance {wish.source.id} is itself a replica, of "
                f"{wish.source.source_id}"
            )
        if wish.configuration is not None:
            require_version(wish.configuration, wish.source.version)

    def _password(self, source: Instance) -> str:
        stored: str | None = self._vault.all(source).get(PASSWORD)
        if stored is None:
            stored = new_password()
            self._vault.put(source, PASSWORD, stored)
        return stored

    def _make(
        self, wish: ReplicaWish, source: Instance, name: str, password: str, caller: Caller
    ) -> tuple[Instance, Operation]:
        private, public = new_host_key()
        instance = Instance.create(
            project_id=source.project_id,
            name=name,
            version=source.version_id,
            provider=source.provider,
            flavor_id=source.flavor_id,
            volume_size=source.volume_size,
            access={**source.access, **wish.access},
            locality=source.locality,
            configuration=wish.configuration or source.configuration_id,
            logs=source.logs,
            root_enabled=source.root_enabled,
            source=source,
            state="BUILD",
            host_key_public=public,
        )
        self._vault.put(instance, "host_key", private)
        self._vault.put(instance, PASSWORD, password)
        return instance, caller.begin(CREATES, instance, parts=[Part(source)])

    def promote(self, instance: Instance, caller: Caller) -> Operation:
        """Make the replica the source of its set; the source before becomes its replica.

        Raises:
            BadRequest: it is no replica.
            Unprocessable: one of the set cannot act.
        """
        with transaction():
            fresh = _replica(instance, "promote_to_replica_source")
            rest = others(fresh)
            for row in (fresh, *rest):
                require_running(row)
            parts = [Part(row, {"source_id": fresh.id}) for row in rest]
            operation = caller.begin("replica_promote", fresh, _freed(fresh), parts=parts)
        self._dispatcher.send(operation)
        return operation

    def eject(self, instance: Instance, caller: Caller) -> Operation:
        """Have the replicas of a silent source follow the most advanced of them instead.

        Raises:
            BadRequest: it has no replicas, or its guest speaks.
            Unprocessable: a replica cannot act.
        """
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            followers = replicas(fresh)
            if not followers:
                raise BadRequest(f"eject_replica_source: instance {fresh.id} has no replicas")
            if fresh.operating_status != SILENT:
                raise BadRequest(
                    f"eject_replica_source: instance {fresh.id} has reported within the last 90 "
                    "seconds: promote one of its replicas instead"
                )
            for row in followers:
                require_can_act(row)
            parts = [Part(row) for row in followers]
            operation = caller.begin(EJECTS, fresh, parts=parts)
        self._dispatcher.send(operation)
        return operation

    def detach(self, instance: Instance, caller: Caller) -> Operation:
        """Make the replica an instance of its own.

        Raises:
            BadRequest: it is no replica.
            Unprocessable: it cannot act.
        """
        with transaction():
            fresh = _replica(instance, "replica_of")
            require_can_act(fresh)
            operation = caller.begin("replica_detach", fresh, _freed(fresh))
        self._dispatcher.send(operation)
        return operation


def _replica(instance: Instance, field: str) -> Instance:
    fresh: Instance = Instance.get_by_id(instance.id)
    if not fresh.source_id:
        raise BadRequest(f"{field}: instance {fresh.id} is not a replica")
    return fresh


def _freed(replica: Instance) -> dict[str, Any]:
    """What becomes true of a replica that follows nobody: it has its source's root."""
    return {"source_id": None, "root_enabled": replica.source.root_enabled}


def require_same_project(source: Instance, project_id: str) -> None:
    """Let only a source pass that is of the project which its replicas will be of.

    Raises:
        Forbidden: it is another project's, which an administrator can see.
    """
    if source.project_id != project_id:
        raise Forbidden(f"replica_of: instance {source.id} is another project's")
