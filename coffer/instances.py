"""What can be asked of an instance: each request is one transaction of its row and an operation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coffer.callers import Caller
from coffer.catalogue import Catalogue, Flavor
from coffer.clock import utcnow
from coffer.database import transaction
from coffer.dispatch import Dispatcher
from coffer.errors import BadRequest, NotFound, NotSupported, OverLimit, Unprocessable
from coffer.groups import require_group, require_version
from coffer.lifecycle import abort
from coffer.models import Backup, Configuration, DatastoreVersion, Instance, Operation
from coffer.names import check_databases, check_users
from coffer.operations import ACTIVE_STATES, secret_of
from coffer.order import under_way
from coffer.points import Point
from coffer.quotas import Quotas
from coffer.replica_sets import replicas, require_no_replicas
from coffer.restores import require_restorable, row_of
from coffer.secrets import Vault, new_host_key
from coffer.status import require_can_act, require_idle, require_there


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A new instance as it was asked for; users carry `name`, `password`, `host`, `databases`."""

    name: str
    version: DatastoreVersion
    flavor_id: str
    volume_size: int
    databases: list[dict[str, Any]] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    access: dict[str, Any] = field(default_factory=dict)
    backup: Backup | None = None
    """What the instance begins with."""
    configuration: Configuration | None = None
    point: Point | None = None
    """The second that it is carried on to; `backup` is the point's, then."""
    locality: str | None = None
    """Where its replicas shall stand."""


def rename(instance: Instance, name: str) -> None:
    """Give the instance another name."""
    Instance.update(name=name, updated=utcnow()).where(Instance.id == instance.id).execute()


def _access_to_be(instance: Instance) -> dict[str, Any]:
    """Who may connect once everything that was asked for is done."""
    asked = (row.changes for row in reversed(under_way(instance.id)) if row.kind == "access_update")
    wanted = next((changes for changes in asked if changes), None)  # without: a replica left
    access: dict[str, Any] = wanted["access"] if wanted else instance.access
    return access


class Instances:
    """Requests about instances, checked, recorded and sent on their way."""

    def __init__(
        self, catalogue: Catalogue, vault: Vault, dispatcher: Dispatcher, quotas: Quotas
    ) -> None:
        self._catalogue = catalogue
        self._vault = vault
        self._dispatcher = dispatcher
        self._quotas = quotas

    def create(self, wish: Wish, caller: Caller) -> tuple[Instance, Operation]:
        """Record the instance (status BUILD) and start its creation.

        Raises:
            BadRequest, OverLimit: the wish cannot be granted; the message names the field.
        """
        self._check(wish)
        private, public = new_host_key()
        ram = self._quotas.ram(wish.flavor_id)
        with transaction():
            require_group(wish.configuration.id if wish.configuration else None)
            self._quotas.reserve(caller.project_id, instances=1, ram=ram, volumes=wish.volume_size)
            instance = Instance.create(
                project_id=caller.project_id,
                name=wish.name,
                version=wish.version,
                provider=self._catalogue.provider.name,
                flavor_id=self._catalogue.flavor(wish.flavor_id).id,
                volume_size=wish.volume_size,
                access=wish.access,
                locality=wish.locality,
                configuration=wish.configuration,
                state="BUILD",
                host_key_public=public,
            )
            self._vault.put(instance, "host_key", private)
            operation = self._begin_making(instance, wish, caller)
            accounts = {"coffer_databases": wish.databases, "coffer_users": wish.users}
            self._vault.put(instance, secret_of(operation.id), accounts)
        self._dispatcher.send(operation)
        return instance, operation

    def _begin_making(self, instance: Instance, wish: Wish, caller: Caller) -> Operation:
        backup = wish.backup
        if backup is None:
            return caller.begin("instance_create", instance)
        parameters = {"coffer_repository": backup.repository_id, "coffer_backup": row_of(backup)}
        if wish.point is not None:
            parameters["coffer_point"] = wish.point.variables
        return caller.begin("instance_restore", instance, parameters=parameters)

    def restart(self, instance: Instance, caller: Caller) -> Operation:
        """Restart the engine."""
        return self._act("instance_restart", instance, caller, {})

    def stop(self, instance: Instance, caller: Caller) -> Operation:
        """Stop the engine; a restart or a reboot starts it again."""
        return self._act("instance_stop", instance, caller, {})

    def reboot(self, instance: Instance, caller: Caller) -> Operation:
        """Restart the guest, and the engine with it; a guest that is silent may need just that."""
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            require_idle(fresh)
            operation = caller.begin("instance_reboot", fresh)
        self._dispatcher.send(operation)
        return operation

    def resize_volume(self, instance: Instance, size: int, caller: Caller) -> Operation:
        """Grow the data volume to `size` GiB, and those of its replicas with it."""
        if size <= instance.volume_size:
            raise BadRequest(
                f"resize.volume.size: {size} must be larger than the present "
                f"{instance.volume_size} GB; volumes only grow"
            )
        self._check_volume(size)
        followers = [row for row in replicas(instance) if row.volume_size < size]
        more = {"volumes": sum(size - row.volume_size for row in (instance, *followers))}
        changes = {"volume_size": size}
        return self._act("instance_resize", instance, caller, changes, more, followers)

    def resize_flavor(self, instance: Instance, flavor: str, caller: Caller) -> Operation:
        """Change the flavor, given by id or name."""
        flavor_id = self._check_flavor(flavor, instance.version).id
        if flavor_id == instance.flavor_id:
            raise BadRequest(f"resize.flavorRef: the instance already has flavor '{flavor_id}'")
        more = {"ram": self._quotas.ram(flavor_id) - self._quotas.ram(instance.flavor_id)}
        return self._act("instance_resize", instance, caller, {"flavor_id": flavor_id}, more)

    def set_access(self, instance: Instance, access: dict[str, Any], caller: Caller) -> Operation:
        """Change who may connect: the settings that are given, the others stay.

        Allowed in every state but while it is built or deleted.
        """
        with transaction():
            instance = Instance.get_by_id(instance.id)
            require_there(instance)
            wanted = {**_access_to_be(instance), **access}
            operation = caller.begin("access_update", instance, {"access": wanted})
        self._dispatcher.send(operation)
        return operation

    def delete(self, instance: Instance, caller: Caller) -> Operation:
        """Delete the instance; waits for an operation under way.

        Raises:
            Unprocessable: it is being built, or it is being deleted already.
            Forbidden: it has replicas.
        """
        if instance.task == "BUILD":
            raise Unprocessable(
                f"instance {instance.id} is being built: abort its operation first, or wait"
            )
        if instance.task == "SHUTDOWN":
            raise Unprocessable(f"instance {instance.id} is being deleted already")
        with transaction():
            require_no_replicas(instance)
            operation = caller.begin("instance_delete", instance)
        self._dispatcher.send(operation)
        return operation

    def reset_status(self, instance: Instance) -> None:
        """Abort what is under way; the guest's next report says what is true."""
        self.abort_all(instance)
        Instance.update(operating_status="ERROR").where(Instance.id == instance.id).execute()

    def abort_all(self, instance: Instance) -> None:
        """Abort what is under way."""
        active = Operation.select().where(
            Operation.instance == instance, Operation.state.in_(ACTIVE_STATES)
        )
        for operation in list(active):
            if Operation.get_by_id(operation.id).state not in ACTIVE_STATES:
                continue  # it ended with another one
            for freed in abort(operation):
                self._dispatcher.send(freed)

    def _act(
        self,
        kind: str,
        instance: Instance,
        caller: Caller,
        changes: dict[str, Any],
        more: dict[str, int] | None = None,
        followers: Sequence[Instance] = (),
    ) -> Operation:
        """`more` is what the change takes of the project's quotas; `followers` get it too."""
        with transaction():
            if more:
                self._quotas.reserve(instance.project_id, **more)
            rows = [Instance.get_by_id(row.id) for row in (instance, *followers)]
            for row in rows:
                require_can_act(row)
            begun = [caller.begin(kind, row, changes) for row in rows]
        for operation in begun:
            self._dispatcher.send(operation)
        return begun[0]

    def _check_locality(self, locality: str | None) -> None:
        provider = self._catalogue.provider
        if locality and locality not in provider.localities:
            possible = ", ".join(provider.localities)
            raise NotSupported(
                f"locality: {provider.title} cannot promise '{locality}'; possible: {possible}"
            )

    def _check(self, wish: Wish) -> None:
        engine = self._catalogue.engine(wish.version.manager)
        self._check_flavor(wish.flavor_id, wish.version)
        self._check_volume(wish.volume_size)
        self._check_locality(wish.locality)
        if wish.backup is not None:
            require_restorable(wish.backup, wish.version.id, wish.volume_size)
        if wish.configuration is not None:
            require_version(wish.configuration, wish.version)
        check_databases(wish.databases, engine)
        check_users(wish.users, {row["name"] for row in wish.databases}, engine)

    def _check_flavor(self, reference: str, version: DatastoreVersion) -> Flavor:
        try:
            flavor = self._catalogue.flavor(reference)
        except NotFound as error:
            raise BadRequest(f"flavorRef: {error}") from error
        engine = self._catalogue.engine(version.manager)
        if flavor.ram < engine.minimum_ram:
            raise BadRequest(
                f"flavorRef: '{flavor.id}' has {flavor.ram} MB of memory, "
                f"{engine.title} needs {engine.minimum_ram}"
            )
        return flavor

    def _check_volume(self, size: int) -> None:
        limits = self._catalogue.provider.volume
        if size < limits.minimum:
            raise BadRequest(f"volume.size: {size} is less than the minimum {limits.minimum} GB")
        if size > limits.maximum:
            raise OverLimit(f"volume.size: {size} is more than the maximum {limits.maximum} GB")
