# Follows server.py, dialect.py and the engine's replication.py. Does one thing about who follows
# whom, as a JSON object on the input says, and prints a JSON object: `changed`, `problem` (a
# sentence, empty when all went well), `position`, `has_all`: whether all up to the positions of
# others is here, `leads`: whether it takes changes, and `restart`: whether it first has to be
# started anew.
# ruff: noqa: F821
import contextlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pymysql

ACCOUNT = "coffer-replica"
LOOK_EVERY = 0.1
NO_LOG_INDEX = 1374
"""The server cannot read the list of its relay logs (ER_IO_ERR_LOG_INDEX_READ)."""


class Problem(Exception):
    """Why it is not done, in words without a secret."""


class Replication:
    """What can be done, each by its verb."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._engine = Dialect(Server())
        self.changed = False

    def serve(self) -> None:
        """Make the account by which replicas come, unless it works."""
        if not self._enters():
            self._engine.make_account(ACCOUNT, self._told["password"])
            self.changed = True
            if not self._enters():
                raise Problem("the account of replicas does not work over TLS")
        self.changed |= self._engine.prepare_source()

    def _enters(self) -> bool:
        """Whether a replica would get in: the account, a certificate and the password."""
        with contextlib.suppress(pymysql.MySQLError, OSError):
            pymysql.connect(
                host=self._told["own_address"],
                port=self._told["port"],
                user=ACCOUNT,
                password=self._told["password"],
                ssl_ca=f"{TLS}/ca.pem",
                ssl_cert=f"{TLS}/server.pem",
                ssl_key=f"{TLS}/server.key",
            ).close()
            return True
        return False

    def hold(self) -> None:
        """Take no more changes from clients; end their connections, so that they notice."""
        if self._engine.writable():
            self._engine.close_to_writes()
            self._engine.end_clients()
            self.changed = True

    def drain(self) -> None:
        """Receive no more from a source that is gone, and apply what was received."""
        self.hold()
        self._engine.stop_receiving()
        self._await(self._engine.is_drained, "what was received is not applied")

    def catch_up(self) -> None:
        """Wait until everything up to the positions is here."""
        for position in self._told["positions"]:
            self._await(lambda text=position: self._engine.has(text), "it is behind")

    def measure(self) -> None:
        """Only tell."""

    def copy(self) -> None:
        """Have the data of the server at the address in place of one's own, unless it has."""
        if not self._engine.is_replica():
            self._engine.copy(self._told, ACCOUNT)
            self._engine = Dialect(self._back())
            self.changed = True

    def _back(self) -> Any:
        """The server, which starts anew on what it copied."""
        ends = time.monotonic() + self._told["seconds"]
        while True:
            try:
                return Server()
            except pymysql.MySQLError:
                if time.monotonic() > ends:
                    raise Problem("the server did not come back with the copy") from None
                time.sleep(LOOK_EVERY)

    def follow(self) -> None:
        """Be a replica of the server at the address."""
        self.hold()
        address, port = self._told["address"], self._told["port"]
        if not self._engine.follows(address, port):
            self._engine.follow(address, port, ACCOUNT, self._told["password"])
            self.changed = True
        if self._told["reached"]:
            self._await(self._engine.is_connected, f"{address} is not reached")

    def prove(self) -> None:
        """See that it receives from its source and applies what it receives."""
        self._await(self._engine.is_connected, "its source is not reached")

    def lead(self) -> None:
        """Be nobody's replica, and take changes."""
        if self._engine.is_replica():
            self._engine.forget_source()
            self.changed = True
        if not self._engine.writable():
            self._engine.open_to_writes()
            self._engine.wake_events()
            self.changed = True
        if self._told["alone"] and self._engine.has_account(ACCOUNT):
            self._engine.drop_account(ACCOUNT)
            self.changed = True

    def _await(self, done: Callable[[], bool], what: str) -> None:
        """Look again and again; an error that replication stopped with ends it at once."""
        ends = time.monotonic() + self._told["seconds"]
        while not done():
            if error := self._engine.error():
                raise Problem(f"{what}: {error}")
            if time.monotonic() > ends:
                raise Problem(f"{what} after {self._told['seconds']} s {self._engine.trouble()}")
            time.sleep(LOOK_EVERY)

    def told(self) -> dict[str, Any]:
        """Where this server stands now."""
        return {
            "position": self._engine.position(),
            "has_all": all(map(self._engine.has, self._told["positions"])),
            "leads": self._engine.writable(),
        }


def main() -> dict[str, Any]:
    """Do it; whatever goes wrong is a sentence."""
    told = json.load(sys.stdin)
    try:
        work = Replication(told)
        getattr(work, told["verb"])()
        return {"changed": work.changed, "problem": "", **work.told()}
    except Problem as problem:
        return {"changed": True, "problem": str(problem)}
    except pymysql.MySQLError as error:
        restart = error.args[0] == NO_LOG_INDEX
        return {
            "changed": True,
            "problem": f"the server says: {error.args[-1]}",
            "restart": restart,
        }


print(json.dumps(main()))
