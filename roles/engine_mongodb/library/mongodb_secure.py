#!/usr/bin/python
"""Makes what a MongoDB of Coffer needs inside itself, in one round."""

from __future__ import annotations

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_mongodb import (
    AGENT,
    ROOT,
    CommandError,
    Connection,
    Document,
    KeyConnection,
)

DOCUMENTATION = r"""
module: mongodb_secure
short_description: Replica set, identities and defaults of a MongoDB of Coffer
description:
  - Begins the replica set of one member, gives the keys that live in the guest their rights, and
    sets the default write concern. Run again it changes nothing.
  - It comes in with root's key, and before that is known with the cluster's.
options:
  port:
    description: Port of the server.
    type: int
    required: true
  replica_set:
    description: Name of the replica set.
    type: str
    required: true
  member:
    description: Address and port by which clients and other members reach this server.
    type: str
    required: true
author: Coffer
"""

RETURN = r"""
made:
  description: What was made or mended.
  type: list
  elements: str
  returned: always
"""

NOT_YET_INITIATED = 94
PROBE = "coffer-probe"
PRIVILEGES = [
    {"resource": {"cluster": True}, "actions": ["listDatabases", "serverStatus"]},
    {
        "resource": {"db": "coffer", "collection": "heartbeat"},
        "actions": ["find", "insert", "update"],
    },
    {"resource": {"db": "admin", "collection": ""}, "actions": ["viewUser"]},
]
IDENTITIES = {
    ROOT: [{"role": "root", "db": "admin"}],
    AGENT: [{"role": PROBE, "db": "admin"}],
}


class Secure:
    """The steps, each of which does nothing where nothing is missing."""

    def __init__(self, server: Any, check: bool) -> None:
        self._server = server
        self._check = check
        self.made: list[str] = []

    def _change(self, what: str, database: str, body: Document) -> None:
        self.made.append(what)
        if not self._check:
            self._server.command(database, body)

    def replica_set(self, name: str, member: str) -> None:
        """A set of one, under the address that it has now."""
        try:
            config = self._server.command("admin", {"replSetGetConfig": 1})["config"]
        except CommandError as error:
            if error.code != NOT_YET_INITIATED:
                raise
            config = {"_id": name, "members": [{"_id": 0, "host": member}]}
            self._change("replica set", "admin", {"replSetInitiate": config})
            return
        if len(config["members"]) == 1 and config["members"][0]["host"] != member:
            config["members"][0]["host"] = member
            config["version"] += 1
            body = {"replSetReconfig": config, "force": True}
            self._change("address in the replica set", "admin", body)

    def wait(self, seconds: float = 60) -> None:
        """Until the server takes writes, or follows one that does.

        Raises:
            TimeoutError: it does not.
        """
        deadline = time.monotonic() + seconds
        while not (hello := self._server.command("admin", {"hello": 1}))["isWritablePrimary"]:
            # On its way to being primary a server says that it is secondary, of itself.
            if hello.get("secondary") and hello.get("primary") not in {None, hello.get("me")}:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"no primary after {seconds:g} s")
            time.sleep(0.02)

    def role(self) -> None:
        """What the agent may do."""
        body = {"rolesInfo": {"role": PROBE, "db": "admin"}, "showPrivileges": True}
        found = self._server.command("admin", body)["roles"]
        if found and _plain(found[0]["privileges"]) == _plain(PRIVILEGES):
            return
        verb = "updateRole" if found else "createRole"
        change = {verb: PROBE, "privileges": PRIVILEGES, "roles": []}
        self._change("role of the agent", "admin", change)

    def identities(self) -> None:
        """The users of the keys in this guest."""
        for name, roles in IDENTITIES.items():
            body = {"usersInfo": {"user": name, "db": "$external"}}
            found = self._server.command("admin", body)["users"]
            if found and _plain(found[0]["roles"]) == _plain(roles):
                continue
            verb = "updateUser" if found else "createUser"
            self._change(f"user {name}", "$external", {verb: name, "roles": roles})

    def write_concern(self) -> None:
        """A write is acknowledged when a failover cannot lose it."""
        found = self._server.command("admin", {"getDefaultRWConcern": 1})
        if found.get("defaultWriteConcernSource") == "global":
            return
        body = {"setDefaultRWConcern": 1, "defaultWriteConcern": {"w": "majority", "wtimeout": 0}}
        self._change("default write concern", "admin", body)


def _plain(documents: list[Document]) -> list[str]:
    return sorted(str({key: each[key] for key in sorted(each)}) for each in documents)


def connect(port: int) -> Any:
    """With root's key, or where the server does not know that yet the cluster's."""
    try:
        return Connection(port, "root")
    except CommandError:
        return KeyConnection(port)


def secure(module: AnsibleModule) -> list[str]:
    """Do all steps; returns what was made."""
    steps = Secure(connect(module.params["port"]), module.check_mode)
    steps.replica_set(module.params["replica_set"], module.params["member"])
    if "replica set" in steps.made and module.check_mode:
        return steps.made
    steps.wait()
    steps.role()
    steps.identities()
    steps.write_concern()
    return steps.made


def main() -> None:
    """Do what the parameters say."""
    module = AnsibleModule(
        argument_spec={
            "port": {"type": "int", "required": True},
            "replica_set": {"type": "str", "required": True},
            "member": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        made = secure(module)
    except (CommandError, OSError) as error:
        module.fail_json(msg=f"MongoDB: {error}", made=[])
    module.exit_json(changed=bool(made), made=made)


if __name__ == "__main__":
    main()
