"""What several suites share: the records in SQLite and PostgreSQL, a real Redis."""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from redis import Redis

from coffer.catalogue import Catalogue
from coffer.database import connect, database, migrate
from coffer.datastores import register
from coffer.models import DatastoreVersion, Instance


def pytest_configure() -> None:
    """Heed SIGINT: what a shell begins in the background ignores it, and so would what we start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def tree_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """What opens stock images, imported as Ansible's modules import it."""
    monkeypatch.syspath_prepend(
        str(Path(__file__).parents[1] / "roles/compute_openstack/module_utils")
    )
    yield importlib.import_module("coffer_openstack.tree")
    for name in [name for name in sys.modules if name.startswith("coffer_openstack")]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of its own on a socket."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    home = Path(f"/tmp/coffer-postgresql-{os.getpid()}")
    home.mkdir(mode=0o700)
    shutil.chown(home, "postgres", "postgres")

    def run(*command: str) -> None:
        subprocess.run(
            ["runuser", "-u", "postgres", "--", *command],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=home,
        )

    run(f"{programs}/initdb", "-D", f"{home}/data", "-A", "trust", "--no-sync")
    options = f"-k {home} -c listen_addresses= -c fsync=off"
    run(
        f"{programs}/pg_ctl",
        "-D",
        f"{home}/data",
        "-o",
        options,
        "-l",
        f"{home}/log",
        "-w",
        "start",
    )
    try:
        yield f"postgresql://postgres@/postgres?host={home}"
    finally:
        run(f"{programs}/pg_ctl", "-D", f"{home}/data", "-m", "immediate", "stop")
        shutil.rmtree(home)


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatastoreVersion]:
    """An empty database of each kind with one datastore version on offer."""
    if request.param == "sqlite":
        connect(f"sqlite:///{tmp_path}/coffer.db")
    else:
        connect(request.getfixturevalue("postgresql_url"))
        database.obj.execute_sql("DROP SCHEMA public CASCADE")
        database.obj.execute_sql("CREATE SCHEMA public")
        database.obj.close()
    migrate()
    version, _ = register(Catalogue("local"), "mysql", None, "mysql-9.7")
    yield version
    database.obj.close_all()


@pytest.fixture
def instance(records: DatastoreVersion) -> Instance:
    """A ready instance."""
    return Instance.create(
        project_id="p1",
        name="db1",
        version=records,
        provider="local",
        flavor_id="small",
        volume_size=1,
        state="ACTIVE",
        operating_status="HEALTHY",
        host_key_public="ssh-ed25519 AAAA",
        compute={"address": "10.0.0.9"},
    )


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis server of its own on a socket."""
    socket = tmp_path / "redis.sock"
    server = subprocess.Popen(
        [
            "redis-server",
            "--port",
            "0",
            "--unixsocket",
            str(socket),
            "--save",
            "",
            "--dir",
            str(tmp_path),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while not socket.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        yield Redis.from_url(f"unix://{socket}")
    finally:
        server.kill()
        server.wait()
