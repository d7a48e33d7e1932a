"""What is asked of an instance while something breaks."""

import itertools
import time
from collections.abc import Callable
from typing import Any

from tests.chaos.target import PASSWORD, Target

Action = Callable[[Target], str]
"""Asks for it; the operation."""
_NUMBERS = itertools.count(1)
STOPPED = "not running"
"""In what the API says of an instance whose engine is down."""
TWO_REPORTS = 20.0
"""Seconds in which an agent has told of an engine that came back."""
SETTINGS = {"mysql": {"max_connections": 111}, "mongodb": {"cursorTimeoutMillis": 500_000}}
"""What a group of settings sets."""


def _begin(target: Target, method: str, path: str, body: Any = None) -> str:
    """Asked again while the engine is said to be down: the fault before may be reported late."""
    answer = target.coffer.api.send(method, path, body)
    ends = time.monotonic() + TWO_REPORTS
    while STOPPED in str(answer.document) and time.monotonic() < ends:
        time.sleep(1)
        answer = target.coffer.api.send(method, path, body)
    assert answer.status in (200, 202), (method, path, answer)
    return answer.operation


def restart(target: Target) -> str:
    """The engine."""
    return _begin(target, "POST", f"{target.path}/action", {"restart": {}})


def reboot(target: Target) -> str:
    """The guest."""
    return _begin(target, "POST", f"/mgmt{target.path}/action", {"reboot": {}})


def resize(target: Target) -> str:
    """To the other one of two flavors."""
    flavor = target.coffer.api.instance(target.guest.id)["flavor"]["id"]
    wanted = "medium" if flavor == "small" else "small"
    return _begin(target, "POST", f"{target.path}/action", {"resize": {"flavorRef": wanted}})


def create_user(target: Target) -> str:
    """With a database of its own."""
    number = next(_NUMBERS)
    databases = {"databases": [{"name": f"db{number}"}]}
    made = _begin(target, "POST", f"{target.path}/databases", databases)
    assert target.coffer.ended(made)["state"] == "succeeded"
    user = {"name": f"user{number}", "password": PASSWORD, **databases}
    return _begin(target, "POST", f"{target.path}/users", {"users": [user]})


def back_up(target: Target) -> str:
    """All of it."""
    body = {"backup": {"name": "chaos", "instance": target.guest.id}}
    return _begin(target, "POST", "/backups", body)


def delete_backup(target: Target) -> str:
    """One that has just been made."""
    made = back_up(target)
    assert target.coffer.ended(made)["state"] == "succeeded"
    newest = target.coffer.api.get(f"{target.path}/backups")["backups"][0]
    return _begin(target, "DELETE", f"/backups/{newest['id']}")


def allow(target: Target) -> str:
    """Everybody, as before."""
    access = {"access": {"is_public": True, "allowed_cidrs": ["0.0.0.0/0"]}}
    return _begin(target, "PUT", target.path, {"instance": access})


def grow(target: Target) -> str:
    """The volume, by a gigabyte."""
    size = target.coffer.api.instance(target.guest.id)["volume"]["size"]
    body = {"resize": {"volume": {"size": size + 1}}}
    return _begin(target, "POST", f"{target.path}/action", body)


def configure(target: Target) -> str:
    """With a group of settings, or without the one that it has."""
    row = target.coffer.api.instance(target.guest.id)
    group = None if "configuration" in row else _group(target, row["datastore"])
    return _begin(target, "PUT", target.path, {"instance": {"configuration": group}})


def _group(target: Target, datastore: dict[str, str]) -> str:
    wish = {"name": "chaos", "values": SETTINGS[target.engine], "datastore": datastore}
    answer = target.coffer.api.send("POST", "/configurations", {"configuration": wish})
    assert answer.status == 200, answer
    return str(answer.document["configuration"]["id"])


def promote(target: Target) -> str:
    """A replica."""
    return _begin(target, "POST", f"{target.path}/action", {"promote_to_replica_source": {}})


def delete(target: Target) -> str:
    """For ever."""
    return _begin(target, "DELETE", target.path)


_ALL = (
    restart,
    reboot,
    resize,
    grow,
    configure,
    create_user,
    back_up,
    delete_backup,
    allow,
)
ACTIONS: dict[str, Action] = {each.__name__: each for each in _ALL}
"""Of an instance that stays."""
LONGEST = {
    "create": 5.0,
    "delete": 1.0,
    "delete_backup": 2.0,
    "replicate": 8.0,
    "restart": 1.0,
    "reboot": 3.0,
    "promote": 4.0,
    "resize": 1.5,
    "restore": 6.0,
    "create_user": 0.6,
    "back_up": 3.0,
}
"""Seconds that it takes at least, about: something breaks before that."""
