#!/usr/bin/python
"""Writes the settings of a MongoDB and lets the running server take what it can."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_mongodb import CommandError, Connection, Document

DOCUMENTATION = r"""
module: mongodb_settings
short_description: Settings of a MongoDB, at once where it can be
description:
  - Writes the file of settings, unless O(check) says that mongod would not take it.
  - A running server is told the parameters that it can take while it runs. A setting that it
    cannot take, and one that is gone and so has its default again, wait for a restart.
options:
  path:
    description: The file.
    type: path
    required: true
  text:
    description: The whole file, JSON below lines of comment.
    type: str
    required: true
  check:
    description: Command that must succeed on a file with the new text.
    type: list
    elements: str
    required: true
  dynamic:
    description: Names of the parameters that a running server takes.
    type: list
    elements: str
    required: true
  port:
    description: Port of the server.
    type: int
    required: true
author: Coffer
"""

RETURN = r"""
restart_required:
  description: Whether something waits for a restart.
  type: bool
  returned: always
applied:
  description: The parameters that the running server was told.
  type: list
  elements: str
  returned: always
"""

Flat = dict[str, Any]


def settings_of(text: str) -> Flat:
    """Settings by dotted name; parameters below `setParameter.`."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return flat(json.loads("\n".join(lines) or "{}"))


def flat(tree: Document, prefix: str = "") -> Flat:
    """A nested document as one by dotted name."""
    found: Flat = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def plain(value: Any) -> str:
    """A value as the server writes it, whatever type it came in."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value)


class Server:
    """The running server, which may not run."""

    def __init__(self, port: int) -> None:
        try:
            self._connection: Connection | None = Connection(port, "root")
        except OSError:
            self._connection = None

    def started_with(self) -> Flat | None:
        """The settings it was started with, None if it does not run."""
        if not self._connection:
            return None
        return flat(self._connection.command("admin", {"getCmdLineOpts": 1})["parsed"])

    def get(self, names: list[str]) -> Flat:
        """Values of parameters."""
        if not names or not self._connection:
            return {}
        reply = self._connection.command("admin", {"getParameter": 1, **dict.fromkeys(names, 1)})
        return {name: reply[name] for name in names}

    def set(self, values: Flat) -> None:
        """Set parameters, all or none."""
        if values and self._connection:
            self._connection.command("admin", {"setParameter": 1, **values})


def _parameters(settings: Flat, dynamic: list[str]) -> Flat:
    found = {
        name.removeprefix("setParameter."): value
        for name, value in settings.items()
        if name.startswith("setParameter.")
    }
    return {name: value for name, value in found.items() if name in dynamic}


def wait_for_restart(old: Flat, new: Flat, started: Flat, dynamic: list[str]) -> bool:
    """Whether the server runs with something else than the new file says."""
    live = {f"setParameter.{name}" for name in dynamic}
    if (set(old) | set(started)) & live - set(new):
        return True
    fixed = [{key: plain(each[key]) for key in each if key not in live} for each in (started, new)]
    fixed[0].pop("config", None)
    return fixed[0] != fixed[1]


def differing(server: Server, wanted: Flat) -> Flat:
    """The parameters that the server has otherwise."""
    present = server.get(sorted(wanted))
    return {name: wanted[name] for name in present if plain(present[name]) != plain(wanted[name])}


def write(path: Path, text: str) -> None:
    """Beside the place, then renamed."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".coffer-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fchmod(descriptor, 0o644)
        os.fsync(descriptor)
    Path(temporary).replace(path)


def check(module: AnsibleModule, text: str) -> None:
    """Fail unless mongod would take the text."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        code, _, errors = module.run_command([*module.params["check"], stream.name])
    if code != 0:
        module.fail_json(msg=f"MongoDB would not start with these settings: {errors.strip()}")


def main() -> None:
    """Check, apply, write."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "text": {"type": "str", "required": True},
            "check": {"type": "list", "elements": "str", "required": True},
            "dynamic": {"type": "list", "elements": "str", "required": True},
            "port": {"type": "int", "required": True},
        },
        supports_check_mode=True,
    )
    path, text, dynamic = Path(module.params["path"]), module.params["text"], module.params["dynamic"]
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if text != before:
        check(module, text)
    server, new = Server(module.params["port"]), settings_of(text)
    try:
        told = differing(server, _parameters(new, dynamic))
        started = server.started_with()
        if not module.check_mode:
            server.set(told)
    except (CommandError, OSError) as error:
        module.fail_json(msg=f"MongoDB does not take these settings: {error}")
    if text != before and not module.check_mode:
        write(path, text)
    module.exit_json(
        changed=bool(told) or text != before,
        applied=sorted(told),
        restart_required=started is not None
        and wait_for_restart(settings_of(before), new, started, dynamic),
        diff={"before_header": str(path), "after_header": str(path), "before": before, "after": text},
    )


if __name__ == "__main__":
    main()
