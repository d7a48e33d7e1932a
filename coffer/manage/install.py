"""Commands that run the playbooks of the control plane's own host."""

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from coffer.paths import ANSIBLE_CONFIG, PLAYBOOKS

_BIN = Path(sys.executable).parent
_NOT_FOUND = 3
"""dbctl's exit code."""


def add_commands(verbs: Any) -> None:
    """Add the commands of this file."""
    for name, text, run in (
        ("setup", "install and start the control plane on this host", _setup),
        ("up", "setup, then a first MySQL to connect to", _up),
        ("down", "stop everything, keep all data", _down),
        ("purge", "remove everything that setup and up made, data included", _purge),
        ("resume", "bring the guests back after a restart of the host", _resume),
    ):
        parser = verbs.add_parser(name, help=text, description=text)
        parser.add_argument(
            "-e",
            "--extra-vars",
            action="append",
            default=[],
            help="variables of the role control_plane and of the provider (repeatable)",
        )
        parser.set_defaults(run=run)


def _setup(arguments: argparse.Namespace) -> int:
    return play("control_plane", arguments.extra_vars)


def _down(arguments: argparse.Namespace) -> int:
    return play("control_plane_down", arguments.extra_vars)


def _purge(arguments: argparse.Namespace) -> int:
    return play("control_plane_purge", arguments.extra_vars)


def _resume(arguments: argparse.Namespace) -> int:
    return play("provider_resume", arguments.extra_vars)


def _up(arguments: argparse.Namespace) -> int:
    """The quick start, each step of which changes nothing when it was done before."""
    began = time.monotonic()
    image = [part for text in arguments.extra_vars for part in ("-e", text)]
    steps: list[tuple[str, list[str]]] = [
        ("Control plane", _command("control_plane", arguments.extra_vars)),
        ("Image of MySQL", [str(_BIN / "coffer-manage"), "image", "build", "mysql", *image]),
    ]
    for number, (title, command) in enumerate(steps, 1):
        _say(f"[{number}/3] {title} ({time.monotonic() - began:.0f} s)")
        code = _run(command)
        if code:
            _say(f"'{title}' failed; mend it and run the same command again")
            return code
    _say(f"[3/3] Instance demo ({time.monotonic() - began:.0f} s)")
    return _demo()


def _demo() -> int:
    dbctl = str(_BIN / "dbctl")
    shown = subprocess.run(
        [dbctl, "instance", "show", "demo", "--json"], capture_output=True, text=True, check=False
    )
    if shown.returncode == 0:
        _say("The instance demo is there already: dbctl connect demo --user app --database app")
    if shown.returncode != _NOT_FOUND:
        sys.stderr.write(shown.stderr)
        return shown.returncode
    wish = ["mysql", "demo", "--flavor", "small", "--volume", "1", "--database", "app"]
    code = _run([dbctl, "instance", "create", *wish, "--user", "app"])
    if not code:
        _say("Connect with the line above, or: dbctl connect demo --user app --database app")
    return code


def play(playbook: str, extra_vars: list[str]) -> int:
    """Run a playbook of this host; its exit code."""
    return _run(_command(playbook, extra_vars))


def _command(playbook: str, extra_vars: list[str]) -> list[str]:
    variables = [part for text in extra_vars for part in ("-e", text)]
    return [
        str(_BIN / "ansible-playbook"),
        "-i",
        os.devnull,  # the implicit localhost: local connection, this environment's Python
        *variables,
        str(PLAYBOOKS / f"{playbook}.yml"),
    ]


def _run(command: list[str]) -> int:
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ANSIBLE_CONFIG),
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "PATH": f"{_BIN}:{os.environ.get('PATH', os.defpath)}",
    }
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    except KeyboardInterrupt:
        _say(f"interrupted: {shlex.join(command)}")
        return 130


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
