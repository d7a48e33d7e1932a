"""Processes that a dead attempt left behind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

MARK = "COFFER_OPERATION"
"""Environment variable that Ansible and all it starts inherit; its value is the operation's id."""
_OURS = ("ssh",)


def end_leftovers(operation_id: str) -> int:
    """Kill Ansible's processes of earlier attempts at the operation on this host.

    Only the interpreter of this environment and ssh count: what a module started to stay (a
    guest's monitor) inherits the mark too. Returns how many were killed.
    """
    found = list(_leftovers(operation_id))
    for process in found:
        process.kill()
    psutil.wait_procs(found, timeout=5)
    return len(found)


def _leftovers(operation_id: str) -> Iterator[psutil.Process]:
    python = Path(sys.executable).resolve()
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) != operation_id:
                continue
            program = Path(process.exe()).resolve()
        except (psutil.Error, OSError):
            continue
        if program == python or program.name in _OURS:
            yield process
