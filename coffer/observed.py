"""What was last observed of an instance's databases and users: reads never wait for a guest."""

from dataclasses import dataclass
from typing import Any

from coffer.errors import NotFound
from coffer.models import Instance

ANY_HOST = "%"


@dataclass(frozen=True)
class UserKey:
    """A user's identity: name and host (an address, a pattern, `%` for any)."""

    name: str
    host: str = ANY_HOST

    def __str__(self) -> str:
        return f"{self.name}@{self.host}"


def parse_user(reference: str) -> UserKey:
    """`name@host` or `name`, split at the last `@`."""
    name, found, host = reference.rpartition("@")
    return UserKey(name, host) if found and name else UserKey(reference)


def databases(instance: Instance) -> list[dict[str, Any]]:
    """Databases, by name."""
    rows = instance.observed.get("databases") or []
    return sorted(({"name": row["name"]} for row in rows), key=lambda row: row["name"])


def users(instance: Instance) -> list[dict[str, Any]]:
    """Users as `{"name", "host", "databases": [{"name", "access"?}]}`, by `name@host`.

    Without `access` a grant is of the engine's default kind.
    """
    rows = instance.observed.get("users") or []
    views = [
        {
            "name": row["name"],
            "host": row.get("host") or ANY_HOST,
            "databases": [_grant(item) for item in row.get("databases") or []],
        }
        for row in rows
    ]
    return sorted(views, key=user_marker)


def _grant(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("name", "access") if row.get(key)}


def user_marker(user: dict[str, Any]) -> str:
    """What users are ordered and paged by."""
    return f"{user['name']}@{user['host']}"


def require_database(instance: Instance, name: str) -> None:
    """Let only a known database pass.

    Raises:
        NotFound: it was not there when the guest last looked.
    """
    if name not in {row["name"] for row in databases(instance)}:
        raise NotFound(f"database '{name}' does not exist on instance {instance.id}")


def require_user(instance: Instance, key: UserKey) -> dict[str, Any]:
    """A known user.

    Raises:
        NotFound: it was not there when the guest last looked.
    """
    for row in users(instance):
        if (row["name"], row["host"]) == (key.name, key.host):
            return row
    raise NotFound(f"user '{key}' does not exist on instance {instance.id}")
