"""Starts a worker's warm Ansible and says where runs find what to start."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from coffer.paths import ANSIBLE_CONFIG
from worker import warm_client

VARIABLE = "COFFER_WARM"
"""Names the directory of the warm program, for the jobs of the worker that started it."""
_BIN = Path(sys.executable).parent


def start(run_directory: Path) -> "subprocess.Popen[bytes]":
    """Start a warm Ansible for this process and its children; it ends with the last of them."""
    _discard_those_of_the_dead(run_directory / "warm")
    home = run_directory / "warm" / str(os.getpid())
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    listening, program = home / "socket", home / "ansible-playbook"
    source = Path(warm_client.__file__).read_text()
    program.write_text(
        f"#!{sys.executable} -IS\n{source}\n"
        f"sys.exit(hand_over({str(listening)!r}, {str(_BIN / 'ansible-playbook')!r}))\n"
    )
    program.chmod(0o700)
    server = subprocess.Popen(
        [sys.executable, "-m", "worker.warm", str(listening)],
        # a service that is not root has no home to write to
        env={**os.environ, "ANSIBLE_CONFIG": str(ANSIBLE_CONFIG), "ANSIBLE_HOME": str(home)},
        cwd="/",
        stdin=subprocess.PIPE,
    )
    os.environ[VARIABLE] = str(home)
    return server


def _discard_those_of_the_dead(place: Path) -> None:
    """Directories that killed workers left; each is named by its worker's process.

    A job that outlived its worker keeps the warm Ansible alive, and goes on with it.
    """
    for path in place.glob("[0-9]*"):
        if not Path("/proc", path.name).exists() and not _listens(path / "socket"):
            shutil.rmtree(path, ignore_errors=True)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


def search_path() -> str:
    """PATH of a run: the way to the warm Ansible first, where there is one."""
    warm = os.environ.get(VARIABLE)
    places = [*([warm] if warm else []), str(_BIN), os.environ.get("PATH", os.defpath)]
    return ":".join(places)
