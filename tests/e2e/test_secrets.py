"""Canaries: known secrets are looked for wherever they must not be."""

import base64
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from redis import Redis

from tests.e2e.guest import Guest
from tests.e2e.host import CONFIG, LOGS, NAME, RUN, STATE, output_of
from tests.e2e.installation import SCRATCH, Installation
from tests.e2e.waiting import wait_for

PASSWORD = "Canary-in-the-mine-9302"
FAILING_PASSWORD = "Canary-that-fails-1177"
MAKES_USERS = "present = _accounts(server, dialect)"
"""In the module of accounts: where it has the passwords in its hands."""
PAUSE = 0.02
"""Seconds between two looks at all processes."""


class ProcessWatch:
    """Everything that processes showed in arguments and environment while it looked."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._over = threading.Event()
        self._ours = str(os.getpid())

    def look(self) -> None:
        """Look again and again until told to stop."""
        while not self._over.wait(PAUSE):
            for place in ("cmdline", "environ"):
                self.seen |= {
                    _bytes(path)
                    for path in Path("/proc").glob(f"[0-9]*/{place}")
                    if path.parent.name != self._ours
                }

    def stop(self) -> None:
        """No more looks."""
        self._over.set()


@contextmanager
def watched() -> Iterator[ProcessWatch]:
    """Look at all processes meanwhile."""
    watch = ProcessWatch()
    thread = threading.Thread(target=watch.look)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()


def create(coffer: Installation, name: str, password: str) -> tuple[int, str]:
    """dbctl's exit status, and the instance."""
    wish = ["mysql", name, "--flavor", "small", "--volume", "1", "--user", "app"]
    done = coffer.dbctl(
        "instance", "create", *wish, "--password-file", "-", stdin=password, check=False
    )
    instances = coffer.api.get("/instances")["instances"]
    return done.returncode, next(row["id"] for row in instances if row["name"] == name)


def test_secrets_stay_secret(coffer: Installation) -> None:
    # given secrets that are known, when an instance is created with them
    with watched() as watch, private_directories(coffer) as modes:
        code, key = create(coffer, "canary", PASSWORD)
    assert code == 0
    guest = Guest(key, "canary", PASSWORD, coffer.ca_file())
    secrets = secrets_of(guest)

    # then they are nowhere but where they belong, and who runs it alone may look
    looked_at = places(coffer, guest, watch)
    assert_nowhere(secrets, looked_at)
    assert_seen(looked_at, guest)
    assert modes
    assert all(mode == "0o700" for mode in modes), modes


def test_secrets_stay_secret_when_it_fails(coffer: Installation) -> None:
    # given a module that fails with the password in its words
    module = coffer.data / "roles/mysql_family/library/mysql_accounts.py"
    kept = module.read_text()
    module.write_text(kept.replace(MAKES_USERS, "raise ValueError(wanted)"))
    assert module.read_text() != kept

    # when an instance is created, then nobody hears of it
    try:
        with watched() as watch:
            code, key = create(coffer, "failing-canary", FAILING_PASSWORD)
    finally:
        module.write_text(kept)
    assert code == 1
    assert "hidden" in coffer.newest_operation(key)["reason"]
    guest = Guest(key, "failing-canary", FAILING_PASSWORD, coffer.ca_file())
    assert_nowhere({"password": FAILING_PASSWORD}, places(coffer, guest, watch, gone=True))


@contextmanager
def private_directories(coffer: Installation) -> Iterator[list[str]]:
    """Modes of the directories and files of runs that were seen meanwhile."""
    found: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            found.extend(_mode(path) for path in (RUN / "operations").glob("*"))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _mode(path: Path) -> str:
    try:
        return oct(path.stat().st_mode & 0o777)
    except FileNotFoundError:
        return "0o700"


def secrets_of(guest: Guest) -> dict[str, str]:
    """What must not be seen, by name; of keys and tokens a part that is theirs alone."""
    key = guest.shell("cat /var/lib/coffer/seed/ssh_host_ed25519_key").stdout
    return {
        "password": guest.password,
        "guest token": guest.shell("cat /etc/coffer/token").stdout.strip(),
        "host key": key.splitlines()[3],
    }


Look = Callable[[bytes], list[str]]


def places(
    coffer: Installation, guest: Guest, watch: ProcessWatch, gone: bool = False
) -> dict[str, bytes]:
    """Contents of every place where a secret could have been left, by the place's name."""
    found = {
        "processes": b"\n".join(watch.seen),
        "API": _everything_the_api_tells(coffer, guest),
        "redis": _everything_in_redis(),
        "database": b"".join(_bytes(path) for path in STATE.glob(f"{NAME}.db*")),
    }
    for root in (LOGS, RUN, CONFIG, SCRATCH, Path("/tmp"), Path("/var/tmp/coffer")):
        found |= {str(path): _bytes(path) for path in _files_of(root)}
    if not gone:
        found |= {"guest": _everything_in_the_guest(guest)}
    return found


def _files_of(root: Path) -> list[Path]:
    """Files of ours and of Ansible's: not what else lies in directories for everybody."""
    ours = ("(", "-path", "/tmp/ansible*", "-o", "-path", "/tmp/coffer*", ")")
    wanted = ours if root == Path("/tmp") else ()
    found = output_of("find", str(root), "-xdev", *wanted, "-type", "f", "-size", "-50M")
    return [Path(line) for line in found.splitlines()]


def _everything_the_api_tells(coffer: Installation, guest: Guest) -> bytes:
    rows = coffer.api.get(f"/operations?instance_id={guest.id}")["operations"]
    told = [
        *rows,
        *(coffer.api.events(row["id"]) for row in rows),
        coffer.api.get(f"/instances/{guest.id}"),
        coffer.api.get("/inventory?all_projects=true"),
    ]
    return repr(told).encode()


def _everything_in_redis() -> bytes:
    redis = Redis(unix_socket_path=f"{RUN}/redis.sock")
    reads = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"stream": redis.xrange,
    }
    found = [(key, reads[redis.type(key)](key)) for key in redis.scan_iter()]
    return b"\n".join(text for value in found for text in _texts(value))


def _texts(value: Any) -> Iterator[bytes]:
    """All that a value from Redis holds; RQ compresses its jobs."""
    if isinstance(value, bytes):
        yield value
        with suppress(zlib.error):
            yield zlib.decompress(value)
    elif isinstance(value, dict):
        yield from _texts(list(value.items()))
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _texts(item)


def _everything_in_the_guest(guest: Guest) -> bytes:
    look = r"""
        journalctl --no-pager
        find /tmp /var/tmp /root /var/log /run/systemd /etc /home -xdev -type f \
            -not -path /etc/coffer/token -exec cat {} +
        cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ
        cat /var/lib/mysql/data/mysql.ibd /var/lib/mysql/binlog/*
    """
    return base64.b64decode(guest.shell(f"({look}) 2>/dev/null | base64 -w0").stdout)


def assert_nowhere(secrets: dict[str, str], contents: dict[str, bytes]) -> None:
    finds = [
        f"{secret} in {place}"
        for secret, text in secrets.items()
        for place, content in contents.items()
        if text.encode() in content
    ]
    assert not finds, finds


def assert_seen(contents: dict[str, bytes], guest: Guest) -> None:
    """A look that finds no secret counts only if it finds what lies beside it."""
    assert f"{RUN}/operations/".encode() in contents["processes"]
    assert guest.id.encode() in contents["redis"]
    assert guest.id.encode() in contents["database"]
    assert b"coffer-agent" in contents["guest"]
    assert b"Create the guest" in contents["API"]
    assert str(LOGS / "worker-0.log") in contents


def test_keys_are_closed(coffer: Installation) -> None:
    modes = {
        str(path.relative_to(CONFIG)): oct(path.stat().st_mode & 0o777)
        for path in CONFIG.rglob("*")
        if path.is_file()
    }
    assert modes["ca/ca.key"] == modes["ssh/id_ed25519"] == "0o600"
    assert modes["fernet.keys"] == modes["coffer.toml"] == modes["ca/conductor.key"] == "0o640"
    assert oct((SCRATCH / "dbctl.toml").stat().st_mode & 0o777) == "0o600"
    for path in (CONFIG, RUN, LOGS):
        assert not path.stat().st_mode & 0o007, path
    wait_for("no directory of a run", lambda: not list((RUN / "operations").iterdir()))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it went away, or is no file that can be read
        return b""
