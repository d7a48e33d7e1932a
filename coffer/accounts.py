"""What can be asked of databases, users and root: checked, recorded, done by `fast` workers.

Several of these may wait for each other on one instance; each carries only its own difference, so
that their order is all that matters.
"""

from collections.abc import Sequence
from typing import Any

from coffer.callers import Caller
from coffer.catalogue import Catalogue, Engine
from coffer.database import transaction
from coffer.dispatch import Dispatcher
from coffer.errors import BadRequest, NotFound, NotSupported
from coffer.models import Instance, Operation
from coffer.names import (
    check_databases,
    check_grants,
    check_password,
    check_users,
    same_database,
)
from coffer.observed import UserKey, databases, require_database, require_user, users
from coffer.operations import secret_of
from coffer.replica_sets import require_source
from coffer.secrets import Vault, new_password
from coffer.status import require_running

Row = dict[str, Any]
ROOT = "root"


class Accounts:
    """Requests about databases, users and root of an instance."""

    def __init__(self, catalogue: Catalogue, vault: Vault, dispatcher: Dispatcher) -> None:
        self._catalogue = catalogue
        self._vault = vault
        self._dispatcher = dispatcher

    def create_databases(
        self, instance: Instance, wanted: Sequence[Row], caller: Caller
    ) -> Operation:
        """Create databases; `wanted` rows have `name`, `character_set`, `collate`."""
        engine = self._engine(instance)
        check_databases(wanted, engine)
        there = {same_database(row["name"], engine) for row in databases(instance)}
        for index, row in enumerate(wanted):
            if same_database(row["name"], engine) in there:
                raise BadRequest(f"databases[{index}].name: '{row['name']}' exists already")
        return self._begin("database_create", instance, caller, {"coffer_databases": list(wanted)})

    def delete_database(self, instance: Instance, name: str, caller: Caller) -> Operation:
        """Drop a database with all that is in it."""
        self._refuse_reserved("database", name, self._engine(instance).reserved.databases)
        require_database(instance, name)
        gone = [{"name": name, "state": "absent"}]
        return self._begin("database_delete", instance, caller, {"coffer_databases": gone})

    def create_users(self, instance: Instance, wanted: Sequence[Row], caller: Caller) -> Operation:
        """Create users; rows have `name`, `password`, `host`, `databases`."""
        engine = self._engine(instance)
        check_users(wanted, None, engine)
        there = self._there(instance, engine)
        for index, row in enumerate(wanted):
            key = UserKey(row["name"], row["host"])
            if _slot(key, engine) in there:
                raise BadRequest(
                    f"users[{index}].name: '{there[_slot(key, engine)]}' exists already"
                )
        return self._begin("user_create", instance, caller, {"coffer_users": list(wanted)})

    def delete_users(
        self, instance: Instance, keys: Sequence[UserKey], caller: Caller
    ) -> Operation:
        """Drop users."""
        for key in keys:
            self._require(instance, key)
        gone = [{"name": key.name, "host": key.host, "state": "absent"} for key in keys]
        return self._begin("user_delete", instance, caller, {"coffer_users": gone})

    def change_passwords(
        self, instance: Instance, wanted: Sequence[Row], caller: Caller
    ) -> Operation:
        """Set passwords of users that are there; rows have `name`, `host`, `password`."""
        for index, row in enumerate(wanted):
            self._require(instance, UserKey(row["name"], row["host"]))
            check_password(f"users[{index}].password", row.get("password"), self._engine(instance))
        return self._begin("user_update", instance, caller, {"coffer_users": list(wanted)})

    def update_user(
        self, instance: Instance, key: UserKey, changes: Row, caller: Caller
    ) -> Operation:
        """Change a user's `name`, `host` or `password`; grants move with it."""
        self._require(instance, key)
        target = UserKey(changes.get("name") or key.name, changes.get("host") or key.host)
        engine = self._engine(instance)
        if target != key:
            check_users([{"name": target.name, "host": target.host}], None, engine, False)
            self._refuse_taken(instance, engine, key, target)
        bare = target.name != key.name and not changes.get("password")
        if bare and "keeps_password" not in engine.features:
            raise BadRequest(
                f"user.password: {engine.title} renames a user only with a new password"
            )
        row: Row = {"name": key.name, "host": key.host}
        if target != key:
            row |= {"new_name": target.name, "new_host": target.host}
        if "password" in changes:
            check_password("user.password", changes["password"], engine)
            row["password"] = changes["password"]
        return self._begin("user_update", instance, caller, {"coffer_users": [row]})

    def grant(
        self, instance: Instance, key: UserKey, granted: Sequence[Row], caller: Caller
    ) -> Operation:
        """Let a user use databases; rows have `name` and perhaps `access`."""
        self._require(instance, key)
        check_grants("databases", granted, self._engine(instance))
        row = {"name": key.name, "host": key.host, "grant": list(granted)}
        return self._begin("user_grant", instance, caller, {"coffer_users": [row]})

    def revoke(self, instance: Instance, key: UserKey, name: str, caller: Caller) -> Operation:
        """Take a database from a user."""
        user = self._require(instance, key)
        if name not in {row["name"] for row in user["databases"]}:
            raise NotFound(f"user '{key}' has no access to database '{name}'")
        row = {"name": key.name, "host": key.host, "revoke": [{"name": name}]}
        return self._begin("user_revoke", instance, caller, {"coffer_users": [row]})

    def enable_root(
        self, instance: Instance, password: str | None, caller: Caller
    ) -> tuple[Operation, str]:
        """Make the superuser; returns the operation and the password, generated if not given."""
        engine = self._engine(instance)
        if "root" not in engine.features:
            raise NotSupported(f"{engine.title} has no root user that could be enabled")
        if password is not None:
            check_password("password", password, engine)
        password = password or new_password()
        root = {"state": "present", "password": password}
        operation = self._begin(
            "root_enable", instance, caller, {"coffer_root": root}, {"root_enabled": True}
        )
        return operation, password

    def disable_root(self, instance: Instance, caller: Caller) -> Operation:
        """Remove the superuser.

        Raises:
            NotFound: it is not enabled.
        """
        if not instance.root_enabled:
            raise NotFound(f"root is not enabled on instance {instance.id}")
        return self._begin(
            "root_disable",
            instance,
            caller,
            {"coffer_root": {"state": "absent"}},
            {"root_enabled": False},
        )

    def _engine(self, instance: Instance) -> Engine:
        return self._catalogue.engine(instance.version.manager)

    def _require(self, instance: Instance, key: UserKey) -> Row:
        self._refuse_reserved("user", key.name, self._engine(instance).reserved.users)
        return require_user(instance, key)

    @staticmethod
    def _there(instance: Instance, engine: Engine) -> dict[UserKey, UserKey]:
        """Users by the place that each takes, which no other can have."""
        keys = [UserKey(row["name"], row["host"]) for row in users(instance)]
        return {_slot(key, engine): key for key in keys}

    def _refuse_taken(
        self, instance: Instance, engine: Engine, key: UserKey, target: UserKey
    ) -> None:
        there = self._there(instance, engine).get(_slot(target, engine))
        if there not in (None, key):
            raise BadRequest(f"user.name: '{there}' exists already")

    @staticmethod
    def _refuse_reserved(what: str, name: str, reserved: Sequence[str]) -> None:
        if name.lower() in reserved:
            raise BadRequest(f"{what} '{name}' is reserved")

    def _begin(
        self,
        kind: str,
        instance: Instance,
        caller: Caller,
        variables: Row,
        changes: Row | None = None,
    ) -> Operation:
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            require_running(fresh)
            require_source(fresh)
            operation = caller.begin(kind, fresh, changes)
            self._vault.put(fresh, secret_of(operation.id), variables)
        self._dispatcher.send(operation)
        return operation


def _slot(key: UserKey, engine: Engine) -> UserKey:
    """The place that a user takes: a name alone where the engine has no user twice."""
    return key if "several_hosts" in engine.features else UserKey(key.name)
