"""A warm Ansible: a process that has imported it and forks a child for each run.

Importing Ansible takes half a second of every run of a playbook; the child starts in a few
hundredths. The child is what `ansible-playbook` would be: same arguments, environment, directory
and streams. It dies with its client, so that who kills the client (an abort, a worker that goes
on after a crash) has killed the run.
"""

import importlib
import json
import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

_STREAMS = 3
_MODULES = (
    "ansible.cli.playbook",
    "ansible.executor.module_common",
    "ansible.executor.playbook_executor",
    "cryptography.x509",
    "multiprocessing.popen_fork",
    "multiprocessing.synchronize",
    "urllib.request",
)
_WHOLE_KINDS = ("become", "cache", "callback", "connection", "inventory", "shell", "vars")
"""Kinds of plugins of which Ansible looks at every one."""
_PLUGINS = {
    "action": "assert command copy fail gather_facts include_vars normal set_fact set_stats "
    "systemd template uri validate_argument_spec",
    "filter": "bool combine default from_json hash length map selectattr to_json",
    "lookup": "file pipe template vars varnames",
    "strategy": "linear",
    "test": "defined match",
}
"""What our playbooks use; loading one reads its documentation, which defines its options."""


def serve(path: Path) -> None:
    """Listen at `path` until standard input ends: the worker and all its jobs are gone."""
    threading.Thread(target=_end_with_worker, args=(path.parent,), daemon=True).start()
    _preload()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(64)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _child(connection)
            connection.close()


def _preload() -> None:
    for name in _MODULES:
        importlib.import_module(name)
    from ansible.plugins import loader

    loader.init_plugin_loader()
    for kind in _WHOLE_KINDS:
        list(getattr(loader, f"{kind}_loader").all(class_only=True))
    for kind, names in _PLUGINS.items():
        for name in names.split():
            getattr(loader, f"{kind}_loader").get(name, class_only=True)


def _end_with_worker(home: Path) -> None:
    """Nobody is left who could start what lies in this process's directory."""
    os.read(0, 1)  # not sys.stdin, whose lock the children would inherit
    shutil.rmtree(home, ignore_errors=True)
    os._exit(0)


def _child(connection: socket.socket) -> NoReturn:
    """Become the run that the client asks for."""
    code = 254
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        request = _take_over(connection)
        os.setsid()
        threading.Thread(target=_die_with_client, args=(connection,), daemon=True).start()
        code = _play(request["argv"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(bytes([code & 0xFF]))
        os._exit(code & 0xFF)


def _take_over(connection: socket.socket) -> dict[str, Any]:
    """Streams, directory and environment of the client; returns its request."""
    header, streams, _, _ = socket.recv_fds(connection, 4, _STREAMS)
    if not header:  # somebody only asked whether we listen
        os._exit(0)
    size, document = int.from_bytes(header, "big"), b""
    while len(document) < size:
        document += connection.recv(size - len(document))
    request: dict[str, Any] = json.loads(document)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    return request


def _die_with_client(connection: socket.socket) -> None:
    """The client never speaks again; when its end closes, it is gone."""
    if connection.recv(1) == b"":
        os.killpg(os.getpgrp(), signal.SIGKILL)


def _play(argv: list[str]) -> int:
    from ansible import constants
    from ansible.cli.playbook import PlaybookCLI
    from ansible.plugins.loader import callback_loader

    # Settings come from this run's environment; so does where ansible-runner's callback lies.
    for name in constants.config.get_configuration_definitions():
        value = constants.config.get_config_value(name, variables=vars(constants))
        constants.set_constant(name, value)
    for path in constants.DEFAULT_CALLBACK_PLUGIN_PATH:
        callback_loader.add_directory(path)
    sys.argv = argv
    try:
        PlaybookCLI.cli_executor(argv)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
