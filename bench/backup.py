"""Backups: seconds, CPU and bytes moved, beside a dump and a plain copy; and how long one blocks.

    .venv/bin/python bench/backup.py [--engine mysql|mongodb] [--rows 200000]

Needs an installation (`make up`), its engine's image, and root on its host. A row is about 1 KB.
Makes an instance, fills it, backs it up, changes 1 % and backs it up again, with a client that
writes and reads all the while; restores; copies the files inside the guest; deletes everything.
"""

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from client import Api

ENDED = ("succeeded", "failed", "aborted", "expired")
PASSWORD = "bench-App-1"  # noqa: S105 - of instances that live for a minute
BATCH = 2000
MIB = 1 << 20


class MySql:
    """A connection as `app`."""

    folder = "/var/lib/mysql"
    dump = (
        "mysqldump --no-defaults --single-transaction app"
        " | (zstd -T2 || gzip -1) >{folder}/dump.zst"
    )

    def __init__(self, address: str) -> None:
        import pymysql

        self._cursor = pymysql.connect(
            host=address, user="app", password=PASSWORD, database="app", autocommit=True, ssl={}
        ).cursor()

    def fill(self, rows: int) -> None:
        """A table of that many rows."""
        self._cursor.execute("CREATE TABLE t (i INT PRIMARY KEY AUTO_INCREMENT, v VARBINARY(1000))")
        self._cursor.execute("CREATE TABLE live (i INT PRIMARY KEY AUTO_INCREMENT, v INT)")
        for _ in range(rows // BATCH):
            values = [(os.urandom(450).hex(),) for _ in range(BATCH)]
            self._cursor.executemany("INSERT INTO t (v) VALUES (%s)", values)

    def change(self, rows: int) -> None:
        """Other values in rows that lie together, as most changes do."""
        for number in range(1, rows + 1):
            text = os.urandom(450).hex()
            self._cursor.execute("UPDATE t SET v = %s WHERE i = %s", (text, number))

    def touch(self) -> None:
        """One write and one read."""
        self._cursor.execute("INSERT INTO live (v) VALUES (1)")
        self._cursor.execute("SELECT v FROM t WHERE i = 1")


class MongoDb:
    """A connection as `app`."""

    folder = "/var/lib/mongodb"
    dump = ""

    def __init__(self, address: str) -> None:
        import pymongo

        client: Any = pymongo.MongoClient(
            address,
            username="app",
            password=PASSWORD,
            authSource="admin",
            authMechanism="SCRAM-SHA-256",
            tls=True,
            tlsAllowInvalidCertificates=True,
            directConnection=True,
        )
        self._base = client["app"]

    def fill(self, rows: int) -> None:
        """A collection of that many documents."""
        for start in range(0, rows, BATCH):
            many = [{"_id": start + n, "v": os.urandom(450).hex()} for n in range(BATCH)]
            self._base["t"].insert_many(many)

    def change(self, rows: int) -> None:
        """Other values in documents that lie together."""
        for number in range(rows):
            self._base["t"].update_one({"_id": number}, {"$set": {"v": os.urandom(450).hex()}})

    def touch(self) -> None:
        """One write and one read."""
        self._base["live"].insert_one({"v": 1})
        self._base["t"].find_one({"_id": 1})


CLIENTS: dict[str, Any] = {"mysql": MySql, "mongodb": MongoDb}


@dataclass
class Load:
    """A client that writes and reads until told to stop; how long each pair of these took."""

    client: Any
    took: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Go on and on."""
        while not self.over.is_set():
            began = time.monotonic()
            self.client.touch()
            self.took.append(time.monotonic() - began)
            time.sleep(0.002)


@dataclass
class Bench:
    """One instance, and the table that comes of it."""

    api: Api
    engine: str
    instance: str = ""
    address: str = ""
    lines: list[list[str]] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """A request whose operation has succeeded; its document."""
        document, operation = self.api.call(method, path, body)
        while operation:
            row = self.api.call("GET", f"/operations/{operation}")[0]["operation"]
            if row["state"] in ENDED:
                if row["state"] != "succeeded":
                    sys.exit(f"{row['kind']}: {row['reason']}")
                break
            time.sleep(0.1)
        return document

    def create(self, name: str, volume: int, **more: Any) -> str:
        """An instance; its id."""
        wish = {"name": name, "flavorRef": "medium", "volume": {"size": volume}, **more}
        made = str(self.do("POST", "/instances", {"instance": wish})["instance"]["id"])
        self.made.append(made)
        return made

    def shell(self, command: str) -> str:
        """A command inside the guest."""
        names = subprocess.run(
            ["podman", "ps", "--format", "{{.Names}}"], capture_output=True, text=True, check=True
        ).stdout.split()
        guest = next(name for name in names if name.endswith(self.instance))
        done = subprocess.run(
            ["podman", "exec", guest, "bash", "-c", command],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def cpu(self) -> float:
        """Seconds that the guest's processors have worked (control groups of version 1 or 2)."""
        text = self.shell(
            "cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null"
            " || awk '/usage_usec/ {print $2 * 1000}' /sys/fs/cgroup/cpu.stat"
        )
        return float(text) / 1e9

    def measure(self, title: str, work: Callable[[], Any], size: float) -> Any:
        """Time it, note it, return what it made."""
        before, began = self.cpu(), time.monotonic()
        answer = work()
        seconds, cpu = time.monotonic() - began, self.cpu() - before
        moved = answer if isinstance(answer, str) else ""
        speed = f"{size / MIB / seconds:.0f}"
        self.lines.append([title, f"{seconds:.1f}", f"{cpu:.1f}", speed, moved])
        return answer

    def back_up(self) -> str:
        """A backup under load; how much of it was new."""
        load = Load(CLIENTS[self.engine](self.address))
        thread = threading.Thread(target=load.run)
        thread.start()
        time.sleep(2)
        quiet, load.took = load.took, []
        wish = {"name": "bench", "instance": self.instance}
        made = self.do("POST", "/backups", {"backup": wish})["backup"]["id"]
        load.over.set()
        thread.join()
        row = self.api.call("GET", f"/backups/{made}")[0]["backup"]
        print(
            f"a write and a read take {1000 * statistics.median(quiet):.1f} ms; during the backup "
            f"{1000 * statistics.median(load.took):.1f}, at the very most "
            f"{1000 * max(load.took):.0f} ms"
        )
        self.backup = made
        share = row["stored_bytes"] / (row["size"] * 1024**3)
        return f"{row['stored_bytes'] / MIB:.0f} MiB, {100 * share:.1f} %"


def run(bench: Bench, rows: int) -> None:
    """All of it."""
    volume = 2 + 4 * rows * 1024 // 1024**3
    users = [{"name": "app", "password": PASSWORD, "databases": [{"name": "app"}]}]
    known = {"datastore": {"type": bench.engine}, "databases": [{"name": "app"}], "users": users}
    bench.instance = bench.create("bench-backup", volume, **known)
    row = bench.api.call("GET", f"/instances/{bench.instance}")[0]["instance"]
    bench.address = row["ip"][0]
    client = CLIENTS[bench.engine](bench.address)
    client.fill(rows)
    folder = client.folder
    size = float(bench.shell(f"du -sb {folder}/data | cut -f1"))
    print(f"{bench.engine}, {rows} rows, {size / MIB:.0f} MiB")
    copy = (
        f"cp -a --reflink=never {folder}/data {folder}/copy; sync -f {folder}; rm -r {folder}/copy"
    )
    bench.measure("plain copy of the files", lambda: bench.shell(copy), size)
    if client.dump:
        try:
            command = client.dump.format(folder=folder) + f"; rm {folder}/dump.zst"
            bench.measure(
                "dump, compressed", lambda: bench.shell(f"set -eo pipefail; {command}"), size
            )
        except subprocess.CalledProcessError as error:
            print(f"no dump: {error.stderr.strip()}")
    bench.measure("full backup", bench.back_up, size)
    client.change(rows // 100)
    bench.measure("second, 1 % changed", bench.back_up, size)
    point = {"restorePoint": {"backupRef": bench.backup}}
    bench.measure(
        "restore, new instance", lambda: bench.create("bench-again", volume, **point) and None, size
    )


def main() -> None:
    """Print the table; nothing of it stays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=CLIENTS, default="mysql")
    parser.add_argument("--rows", type=int, default=200_000)
    arguments = parser.parse_args()
    bench = Bench(Api(), arguments.engine)
    try:
        run(bench, arguments.rows)
    finally:
        for backup in bench.api.call("GET", "/backups")[0]["backups"]:
            if backup["name"] == "bench":
                bench.do("DELETE", f"/backups/{backup['id']}")
        for instance in bench.made:
            bench.do("DELETE", f"/instances/{instance}")
    print(f"{'':26}{'s':>8}{'CPU s':>8}{'MiB/s':>8}  new")
    for title, *cells, moved in bench.lines:
        print(f"{title:26}" + "".join(f"{cell:>8}" for cell in cells) + f"  {moved}")


if __name__ == "__main__":
    main()
