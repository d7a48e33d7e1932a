"""An instance under test: from outside as a client, from inside as root."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from tests.e2e.host import PREFIX, records_of_guests

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Guest:
    """An instance with the user and the database `app`."""

    id: str
    name: str
    password: str
    ca: Path

    @property
    def container(self) -> str:
        """Name of its container."""
        return f"{PREFIX}-{self.id}"

    @property
    def address(self) -> str:
        """As the provider remembers it."""
        return next(row["address"] for row in records_of_guests() if row["instance"] == self.id)

    def shell(self, command: str, *, check: bool = True, timeout: float = 60) -> Done:
        """Run a command inside the guest, as root and within its limits."""
        done = subprocess.run(
            ["podman", "exec", self.container, "sh", "-c", command],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    @contextmanager
    def client(self, **tls: Any) -> Iterator["pymysql.connections.Connection[Any]"]:
        """A connection as `app` with certificate and host name verified, or as `tls` says."""
        verified = {"ssl_ca": str(self.ca), "ssl_verify_cert": True, "ssl_verify_identity": True}
        connection = pymysql.connect(
            host=self.address,
            user="app",
            password=self.password,
            database="app",
            connect_timeout=5,
            autocommit=True,
            **(tls or verified),
        )
        with connection:
            yield connection

    def query(self, statement: str) -> Any:
        """First row of the answer, None without one."""
        with self.client() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()

    def memory_limit(self) -> int:
        """Bytes, as the kernel holds them (control groups of version 1, then 2)."""
        files = "/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max"
        return int(self.shell(f"cat {files} 2>/dev/null", check=False).stdout)
