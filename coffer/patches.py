"""Bringing instances to newer packages and engines: what would change, doing it, upgrades."""

from typing import Any, Literal

from coffer.callers import Caller
from coffer.catalogue import Catalogue, EngineVersion
from coffer.database import transaction
from coffer.dispatch import Dispatcher, Outbox
from coffer.errors import BadRequest
from coffer.models import DatastoreVersion, Instance, Operation
from coffer.operations import KINDS
from coffer.protection import Protector
from coffer.status import require_running

Packages = Literal["security", "all", "none"]
"""Which packages of the operating system: what a security archive has, all newer ones, none."""
_WORDS = {"instance_rebuild": "rebuild", "instance_upgrade": "upgrade"}
"""How a change is called in the name of the backup before it, where that is not `patch`."""


class Patches:
    """Requests about patches and upgrades, checked, recorded and sent on their way.

    What changes an instance waits for a backup that is made before, where none is fresh and
    `backup` does not say otherwise. Without that backup it fails, and has changed nothing.
    """

    def __init__(self, catalogue: Catalogue, dispatcher: Dispatcher, protector: Protector) -> None:
        self._catalogue = catalogue
        self._dispatcher = dispatcher
        self._protector = protector

    def plan(self, instance: Instance, packages: Packages, caller: Caller) -> Operation:
        """Find out what a patch would change; the operation's result tells it.

        Raises:
            Unprocessable: the instance is busy or its engine does not run.
        """
        return self.begin("instance_patch_plan", instance, caller, packages, backup=False)

    def apply(
        self, instance: Instance, packages: Packages, caller: Caller, *, backup: bool = True
    ) -> Operation:
        """Bring packages, and the engine to its datastore version's newest, or everything back.

        Raises:
            Unprocessable: the instance is busy or its engine does not run.
            OverLimit: the project has as many backups as it may.
        """
        return self.begin("instance_patch", instance, caller, packages, backup=backup)

    def upgrade(
        self, instance: Instance, version: DatastoreVersion, caller: Caller, *, backup: bool = True
    ) -> Operation:
        """Bring the engine to another datastore version, or everything back.

        Raises:
            BadRequest: the engine's catalogue has no way from the present version to that one.
            Unprocessable: the instance is busy or its engine does not run.
            OverLimit: the project has as many backups as it may.
        """
        wanted = self._check(instance, version)
        kind = "instance_rebuild" if wanted.strategy == "rebuild" else "instance_upgrade"
        changes = {"version_id": version.id}
        return self.begin(kind, instance, caller, "none", changes, backup=backup)

    def rebuild(
        self, instance: Instance, image: str, caller: Caller, *, backup: bool = True
    ) -> Operation:
        """Give the instance a new root disk; its data stay.

        Raises:
            BadRequest: the image is not of the instance's datastore version.
            Unprocessable: the instance is busy or its engine does not run.
            OverLimit: the project has as many backups as it may.
        """
        if image != instance.version.image:
            raise BadRequest(
                f"image_id: '{image[:64]}' is not the image of the instance's datastore version,"
                f" '{instance.version.image}'"
            )
        return self.begin("instance_rebuild", instance, caller, "none", backup=backup)

    def _check(self, instance: Instance, version: DatastoreVersion) -> EngineVersion:
        present = instance.version
        if version.datastore_id != present.datastore_id:
            raise BadRequest(f"datastore_version: '{version.name}' is of another datastore")
        if version.id == present.id:
            raise BadRequest(f"datastore_version: the instance has '{version.name}' already")
        if instance.configuration_id is not None:
            raise BadRequest(
                "datastore_version: the instance has a configuration group, which is of its"
                " present version: detach it first"
            )
        engine = self._catalogue.engine(version.manager)
        known = {each.name: each for each in engine.versions}
        allowed = known[version.name].upgrades_from if version.name in known else []
        if present.name not in allowed:
            ways = ", ".join(
                name for name, each in known.items() if present.name in each.upgrades_from
            )
            raise BadRequest(
                f"datastore_version: there is no way from '{present.name}' to '{version.name}'"
                f" (from it there is one to: {ways or 'none'})"
            )
        return known[version.name]

    def begin(
        self,
        kind: str,
        instance: Instance,
        caller: Caller,
        packages: Packages,
        changes: dict[str, Any] | None = None,
        *,
        backup: bool,
    ) -> Operation:
        """Begin one of the operations that this module is about.

        Raises:
            Unprocessable: the instance is busy or its engine does not run.
            OverLimit: the project has as many backups as it may.
        """
        outbox = Outbox()
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            require_running(fresh)
            made, before = None, None
            if backup and self._protector.is_due(fresh):
                word = _WORDS.get(kind, "patch")
                made, before = self._protector.back_up(fresh, caller, outbox, word)
            named = {} if KINDS[kind].looks else self._protector.named(fresh, made)
            parameters = {"patch_packages": packages} | named
            operation = caller.begin(kind, fresh, changes, parameters, before=before)
        for each in outbox.operations or [operation]:
            self._dispatcher.send(each)
        return operation
