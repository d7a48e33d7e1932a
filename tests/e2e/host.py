"""What an installation has on this host, for comparison of before and after."""

import json
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.site import NUMBER

PREFIX = f"cfe{NUMBER}"
"""Of the test installation's containers, namespaces, links and firewall table."""
NAME = f"coffertest{NUMBER}"
SUBNET = f"10.83.1{NUMBER}"
"""Without its last number."""
STATE = Path("/var/lib", NAME)
CONFIG = Path("/etc", NAME)
RUN = Path("/run", NAME)
LOGS = Path("/var/log", NAME)


def output_of(*command: str) -> str:
    """stdout of a command that may fail."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def open_records() -> "closing[sqlite3.Connection]":
    """The installation's database, to use in a `with`, which closes it.

    Left to Python's collector it would stay open for a while. A test that reads the file's bytes
    takes its process's locks away, and after the next restart of all services this process would
    see damaged records. (SQLite, "How To Corrupt An SQLite Database File", section 2.2.)
    """
    file = f"file:{STATE}/{NAME}.db?mode=rw"
    return closing(sqlite3.connect(file, uri=True, timeout=60, isolation_level=None))


def containers() -> list[str]:
    """Names of the installation's containers, also of those that do not run."""
    names = output_of("podman", "ps", "--all", "--format", "{{.Names}}").split()
    return sorted(name for name in names if name.startswith(f"{PREFIX}-"))


def namespaces() -> list[str]:
    """Names of the installation's network namespaces."""
    return sorted(path.name for path in Path("/run/netns").glob(f"{PREFIX}-*"))


def links() -> list[str]:
    """Names of the installation's network interfaces."""
    return sorted(path.name for path in Path("/sys/class/net").glob(f"{PREFIX}*"))


def loops() -> list[str]:
    """Files of the installation on loop devices."""
    held = (_text(path) for path in Path("/sys/block").glob("loop*/loop/backing_file"))
    return sorted(file for file in held if file.startswith(str(STATE)))


def mounts() -> list[str]:
    """Mount points below the installation's state directory."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = (line.split()[4] for line in lines)
    return sorted(point for point in points if point.startswith(str(STATE)))


def files() -> list[str]:
    """Files and directories of the installation, without records and their journals.

    The pool of disk files counts, what is inside a disk does not. Names of a worker's warm Ansible
    have the numbers of processes.
    """
    roots = (STATE, STATE / "compute_local" / "pool", CONFIG, RUN)
    found = [line for root in roots for line in output_of("find", str(root), "-xdev").splitlines()]
    kept = (path for path in set(found) if not _may_stay(path))
    return sorted(re.sub(r"(/warm/)\d+(/tmp/ansible-local-\w+)?", r"\1PID", path) for path in kept)


def _may_stay(path: str) -> bool:
    """Records and their journals, and what holds the backups of instances that are gone."""
    name, backups = Path(path).name, STATE / "backups"
    return name.startswith(f"{NAME}.db") or name == "users.lock" or backups in Path(path).parents


def firewall() -> list[str]:
    """Lines of the installation's rules."""
    return output_of("nft", "list", "table", "inet", PREFIX).splitlines()


def image_users() -> list[str]:
    """Marks of the images' users that this installation left."""
    return sorted(
        str(path) for path in Path("/var/cache/coffer/images/.users").glob(f"*/{PREFIX}-*")
    )


def snapshot_of_host() -> dict[str, list[str]]:
    """Everything that belongs to the installation, by kind."""
    looks = (containers, namespaces, links, loops, mounts, files, firewall, image_users)
    return {look.__name__: look() for look in looks}


def records_of_guests() -> list[dict[str, Any]]:
    """What the provider remembers of each guest."""
    folder = STATE / "compute_local" / "instances"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("[!.]*.json"))]


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # the device went away meanwhile
        return ""
