#!/usr/bin/python3 -sE
"""The little of MongoDB's protocol that modules and the probe need: commands over TLS.

A command is one BSON document there and one back. pymongo's own client takes a tenth of a second
to load, too much for a probe that runs all the time; its BSON takes a few milliseconds.
This file runs inside Ansible's modules, and in the guest beside pymongo.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIBRARY = "/usr/local/lib/coffer/mongodb"
IDENTITIES = "/etc/mongodb/own"
AUTHORITY = "/etc/mongodb/tls/ca.pem"
ROOT = "CN=root,OU=guest,O=coffer"
AGENT = "CN=agent,OU=guest,O=coffer"
HEADER = struct.Struct("<iiiiIb")
OP_MSG = 2013

Document = dict[str, Any]


class CommandError(Exception):
    """The server refused a command."""

    def __init__(self, reply: Document) -> None:
        super().__init__(str(reply.get("errmsg", "no reason given")))
        self.code = int(reply.get("code", 0))


def _bson() -> Any:
    """pymongo's BSON, from where the role puts it."""
    if LIBRARY not in sys.path:
        sys.path.insert(0, LIBRARY)
    import bson

    return bson


class Connection:
    """A connection to the server of this guest, as one of the identities that live here."""

    def __init__(self, port: int, identity: str, timeout: float = 10) -> None:
        """Connect and log in; `identity` names a file with a key and its certificate.

        Raises:
            OSError: no connection, no TLS or no answer within `timeout` seconds.
            CommandError: the server does not know the identity.
        """
        self._bson = _bson()
        context = ssl.create_default_context(cafile=AUTHORITY)
        # The way is the loopback, and the certificate is for the address and id of the instance.
        context.check_hostname = False
        context.load_cert_chain(f"{IDENTITIES}/{identity}.pem")
        plain = socket.create_connection(("127.0.0.1", port), timeout)
        self._socket = context.wrap_socket(plain)
        self.command("$external", {"authenticate": 1, "mechanism": "MONGODB-X509"})

    def command(self, database: str, body: Document) -> Document:
        """Run a command in a database.

        Raises:
            CommandError: the server says that it did not work.
            OSError: the connection broke or took too long.
        """
        document = self._bson.encode({**body, "$db": database})
        length = HEADER.size + len(document)
        self._socket.sendall(HEADER.pack(length, 1, 0, OP_MSG, 0, 0) + document)
        reply: Document = self._bson.decode(self._receive()[HEADER.size :])
        return checked(reply)

    def _receive(self) -> bytes:
        data = self._read(4)
        return data + self._read(struct.unpack("<i", data)[0] - 4)

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise ConnectionResetError("the server closed the connection")
            data += part
        return bytes(data)


class KeyConnection:
    """The same by the cluster's key, which works before there is any user."""

    def __init__(self, port: int) -> None:
        """Connect and log in.

        Raises:
            OSError: no connection.
            CommandError: the key does not fit.
        """
        _bson()
        import pymongo
        import pymongo.errors

        self._errors = pymongo.errors
        self._client: Any = pymongo.MongoClient(
            "127.0.0.1",
            port,
            directConnection=True,
            tls=True,
            tlsCAFile=AUTHORITY,
            tlsAllowInvalidHostnames=True,
            username="__system",
            password="".join(Path(IDENTITIES, "cluster.key").read_text().split()),
            authSource="local",
            authMechanism="SCRAM-SHA-256",
            serverSelectionTimeoutMS=10_000,
        )

    def command(self, database: str, body: Document) -> Document:
        """Run a command in a database; raises as `Connection.command`."""
        try:
            reply: Document = self._client[database].command(body, check=False)
        except self._errors.OperationFailure as error:
            raise CommandError({"errmsg": str(error), "code": error.code}) from None
        except self._errors.PyMongoError as error:
            raise ConnectionError(str(error)) from None
        return checked(reply)


def checked(reply: Document) -> Document:
    """The reply, if the command and all its writes worked.

    Raises:
        CommandError: they did not.
    """
    if not reply.get("ok"):
        raise CommandError(reply)
    for error in reply.get("writeErrors", []) or [reply.get("writeConcernError")]:
        if error:
            raise CommandError(error)
    return reply


def lists(
    server: Any, reserved: dict[str, list[str]], shown: Callable[[str, set[str]], Document]
) -> dict[str, list[Document]]:
    """The databases and users there are, names and grants only, without the reserved ones.

    `shown` makes a grant of a database's name and the roles that are held in it.
    """
    found = server.command("admin", {"listDatabases": 1, "nameOnly": True})["databases"]
    databases = sorted(each["name"] for each in found)
    users = server.command("admin", {"usersInfo": 1})["users"]
    hidden = reserved["databases"]
    return {
        "databases": [{"name": each} for each in databases if each not in hidden],
        "users": [
            {
                "name": each["user"],
                "host": host_of(each),
                "databases": [
                    shown(name, roles)
                    for name, roles in sorted(held(each).items())
                    if name not in hidden
                ],
            }
            for each in sorted(users, key=lambda user: str(user["user"]))
            if each["user"] not in reserved["users"]
        ],
    }


def host_of(user: Document) -> str:
    """Where a user may come from, as it was asked for; the role keeps it beside the user."""
    return str(user.get("customData", {}).get("host", "%"))


def held(user: Document) -> dict[str, set[str]]:
    """The roles that a user has, by database."""
    found: dict[str, set[str]] = {}
    for role in user["roles"]:
        found.setdefault(role["db"], set()).add(role["role"])
    return found


def main() -> None:
    """For operators, as root in the guest: `command DATABASE '{"getParameter": 1, …}' [PORT]`."""
    database, body, port = [*sys.argv[1:], "27017"][:3]
    reply = Connection(int(port), "root").command(database, json.loads(body))
    print(json.dumps(reply, default=str, indent=2))


if __name__ == "__main__":
    main()
