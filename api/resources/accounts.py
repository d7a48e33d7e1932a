"""/instances/{id}/databases, users and root (Trove v1.0).

Lists are what was last observed; the header `Age` says how many seconds ago the guest last spoke.
"""

from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import UNSET

from api.call import Call
from api.endpoint import Started, endpoint
from api.lookup import find_instance
from api.paging import next_links
from api.schemas import account as wire
from api.services import Services
from coffer.callers import Caller
from coffer.errors import BadRequest, NotSupported
from coffer.models import Instance, Operation
from coffer.observed import UserKey, databases, parse_user, require_user, user_marker, users
from coffer.status import require_running, require_there
from coffer.waiting import wait_for_end

WAIT = 20.0
"""Seconds for which the calls wait that Trove's clients take for done when they are answered."""
PAGE = ("limit", "marker")


class _Resource:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._accounts = services.accounts

    def _instance(self, call: Call, instance: str) -> Instance:
        """An instance that can be asked to change something."""
        row = find_instance(call, instance)
        require_running(row)
        return row

    def _observed(self, call: Call, instance: str) -> Instance:
        """An instance of which something is known, however old; the answer says how old."""
        row = find_instance(call, instance)
        require_there(row)
        age = self._services.reports.age(row)
        if age is not None:
            call.set_header("Age", str(int(age)))
        return row

    def _page(
        self, call: Call, collection: str, rows: list[dict[str, Any]], key: Any
    ) -> dict[str, Any]:
        settings = self._services.settings
        limit = call.number("limit", settings.page_size, settings.maximum_page_size)
        limit = limit or settings.page_size
        marker = _marker(call.parameter("marker"), {key(row) for row in rows})
        rest = [row for row in rows if marker is None or key(row) > marker]
        following = key(rest[limit - 1]) if len(rest) > limit else None
        return {collection: rest[:limit], **next_links(call, collection, following)}


class DatabaseCollection(_Resource):
    """GET and POST databases."""

    @endpoint("List databases", returns=wire.DatabaseList, query=PAGE)
    def on_get(self, call: Call, instance: str) -> dict[str, Any]:
        row = self._observed(call, instance)
        return self._page(call, "databases", databases(row), lambda found: found["name"])

    @endpoint("Create databases", access="write", body=wire.CreateDatabases, status=202)
    def on_post(self, call: Call, body: wire.CreateDatabases, instance: str) -> Started:
        row = self._instance(call, instance)
        given: Any = [body.database] if body.databases is UNSET else body.databases
        if given == [UNSET]:
            raise BadRequest("databases: is required")
        rows = [_plain(item) for item in given]
        return _started(self._accounts.create_databases(row, rows, call.caller))


class DatabaseItem(_Resource):
    """DELETE databases/{name}; Trove shows no single database."""

    @endpoint("Show a database: not supported", returns=wire.DatabaseList)
    def on_get(self, call: Call, instance: str, database: str) -> None:
        find_instance(call, instance)
        raise NotSupported(f"database '{database}' cannot be shown alone; list the databases")

    @endpoint("Delete a database", access="write", status=202)
    def on_delete(self, call: Call, instance: str, database: str) -> Started:
        row = self._instance(call, instance)
        return _started(self._accounts.delete_database(row, database, call.caller))


class UserCollection(_Resource):
    """GET, POST, PUT and DELETE users."""

    @endpoint("List users", returns=wire.UserList, query=PAGE)
    def on_get(self, call: Call, instance: str) -> dict[str, Any]:
        row = self._observed(call, instance)
        return self._page(call, "users", users(row), user_marker)

    @endpoint("Create users", access="write", body=wire.CreateUsers, status=202)
    def on_post(self, call: Call, body: wire.CreateUsers, instance: str) -> Started:
        row = self._instance(call, instance)
        return create_users(self._accounts, row, body, call.caller)

    @endpoint("Change passwords", access="write", body=wire.ChangePasswords, status=202)
    def on_put(self, call: Call, body: wire.ChangePasswords, instance: str) -> Started:
        row = self._instance(call, instance)
        rows = [{"host": "%"} | _plain(item) for item in body.users]
        return _started(self._accounts.change_passwords(row, rows, call.caller))

    @endpoint("Delete users", access="write", body=wire.DeleteUsers, status=202)
    def on_delete(self, call: Call, body: wire.DeleteUsers, instance: str) -> Started:
        """Coffer's own: Trove deletes one at a time."""
        row = self._instance(call, instance)
        keys = [UserKey(item.name, item.host) for item in body.users]
        return _started(self._accounts.delete_users(row, keys, call.caller))


class UserItem(_Resource):
    """One user; `{user}` is `name` or `name@host`."""

    @endpoint("Show a user", returns=wire.UserDocument)
    def on_get(self, call: Call, instance: str, user: str) -> dict[str, Any]:
        row = self._observed(call, instance)
        return {"user": require_user(row, parse_user(user))}

    @endpoint("Create a user", access="write", body=wire.CreateUsers, status=202)
    def on_post(self, call: Call, body: wire.CreateUsers, instance: str, user: str) -> Started:
        """openstacksdk names the new user in the path as well."""
        row = self._instance(call, instance)
        given = body.users if isinstance(body.users, list) else [body.users]
        if any(item.name != parse_user(user).name for item in given):
            raise BadRequest(f"users.name: is not '{user}', the name in the path")
        return create_users(self._accounts, row, body, call.caller)

    @endpoint("Change a user", access="write", body=wire.UpdateUser, status=202)
    def on_put(self, call: Call, body: wire.UpdateUser, instance: str, user: str) -> Started:
        row = self._instance(call, instance)
        changes = _plain(body.user)
        if not changes:
            raise BadRequest("user: give at least one of name, password, host")
        operation = self._accounts.update_user(row, parse_user(user), changes, call.caller)
        return _started(operation)

    @endpoint("Delete a user", access="write", status=202)
    def on_delete(self, call: Call, instance: str, user: str) -> Started:
        row = self._instance(call, instance)
        return _started(self._accounts.delete_users(row, [parse_user(user)], call.caller))


class UserGrants(_Resource):
    """GET and PUT users/{user}/databases."""

    @endpoint("List what a user may use", returns=wire.UserDatabases)
    def on_get(self, call: Call, instance: str, user: str) -> dict[str, Any]:
        row = self._observed(call, instance)
        return {"databases": require_user(row, parse_user(user))["databases"]}

    @endpoint("Grant access", access="write", body=wire.GrantAccess, status=202)
    def on_put(self, call: Call, body: wire.GrantAccess, instance: str, user: str) -> Started:
        row = self._instance(call, instance)
        wanted = [_plain(item) for item in body.databases]
        operation = self._accounts.grant(row, parse_user(user), wanted, call.caller)
        return _started(wait_for_end(operation, WAIT))


class UserGrant(_Resource):
    """DELETE users/{user}/databases/{database}."""

    @endpoint("Revoke access", access="write", status=202)
    def on_delete(self, call: Call, instance: str, user: str, database: str) -> Started:
        row = self._instance(call, instance)
        operation = self._accounts.revoke(row, parse_user(user), database, call.caller)
        return _started(wait_for_end(operation, WAIT))


class Root(_Resource):
    """GET, POST and DELETE root."""

    @endpoint("Whether root is enabled", returns=wire.RootEnabled)
    def on_get(self, call: Call, instance: str) -> wire.RootEnabled:
        row = self._observed(call, instance)
        return wire.RootEnabled(rootEnabled=(row.source or row).root_enabled)

    @endpoint("Enable root", access="write", body=wire.EnableRoot, returns=wire.RootDocument)
    def on_post(self, call: Call, body: wire.EnableRoot, instance: str) -> Started:
        row = self._instance(call, instance)
        operation, password = self._accounts.enable_root(row, body.password or None, call.caller)
        wait_for_end(operation, WAIT)
        user = wire.RootUser(name="root", password=password)
        return Started(operation.id, wire.RootDocument(user=user))

    @endpoint("Disable root", access="write", status=204)
    def on_delete(self, call: Call, instance: str) -> Started:
        row = self._instance(call, instance)
        operation = self._accounts.disable_root(row, call.caller)
        return _started(wait_for_end(operation, WAIT))


def create_users(accounts: Any, row: Instance, body: wire.CreateUsers, caller: Caller) -> Started:
    """Start the creation of one user or several."""
    given = body.users if isinstance(body.users, list) else [body.users]
    rows = [{"host": "%"} | _plain(item) for item in given]
    return _started(accounts.create_users(row, rows, caller))


def _marker(given: str | None, known: set[str]) -> str | None:
    """The marker that was meant: links hold it encoded twice, and some clients take them as is."""
    if given is None or given in known:
        return given
    decoded = unquote(given)
    return decoded if decoded in known else given


def _started(operation: Operation) -> Started:
    return Started(operation.id)


def _plain(item: Any) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(item)
    return {key: value for key, value in built.items() if value is not None}
