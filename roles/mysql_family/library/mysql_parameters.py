#!/usr/bin/python
"""Brings new settings to a MySQL or MariaDB: what can change while it runs does so at once."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_mysql import variables
from ansible.module_utils.coffer_mysql.server import (
    UNREACHABLE,
    ProblemError,
    Server,
    connect,
)
from ansible_collections.community.mysql.plugins.module_utils.mysql import (
    mysql_common_argument_spec,
)

DOCUMENTATION = r"""
module: mysql_parameters
short_description: New settings for a running MySQL or MariaDB
description:
  - The server itself reads the new file and says what each variable would be after a start with
    it. Those that differ from the running server's are set there, those that cannot be are
    returned. So a setting that left the file gets the value that a start would give it.
  - Settings with which the server would not start, or that it does not take while it runs, are
    refused as a whole, and everything stays as it was.
  - The server is never restarted. One that does not run takes everything when it is started.
options:
  path:
    description: The file with all settings.
    type: path
    required: true
  content:
    description: What shall be in it.
    type: str
    required: true
  validate:
    description: Command that fails if the server would not start; V(%s) stands for the file.
    type: list
    elements: str
    required: true
  explain:
    description: Command that prints the variables' values after reading the file V(%s).
    type: list
    elements: str
    required: true
  rules:
    description: The settings that may be changed, with C(name), C(type), C(restart_required).
    type: list
    elements: dict
    required: true
author: Coffer
"""

RETURN = r"""
applied:
  description: Names of the variables that were given a new value.
  type: list
  returned: success
pending:
  description: Names of those that get theirs when the server is started again.
  type: list
  returned: success
differences:
  description: What the server ran with otherwise, as C(name), C(running), C(wanted).
  type: list
  returned: success
written:
  description: Whether the file already had this content.
  type: bool
  returned: success
"""


class Settings:
    """The file: what is in it, and what shall be."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self.path = Path(module.params["path"])
        self.new: str = module.params["content"]
        self.old = self.path.read_text(encoding="utf-8") if self.path.exists() else ""

    @property
    def names(self) -> set[str]:
        """Names of all settings in the old file and the new."""
        return set(re.findall(r"(?m)^([a-z]\w*) *=", f"{self.old}\n{self.new}"))

    def read_by_server(self) -> str:
        """What the server says that the new file makes of its variables.

        Raises:
            ProblemError: it would not start with that.
        """
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as stream:
            stream.write(self.new)
            stream.flush()
            if self.old != self.new:
                self._run("validate", stream.name)
            return self._run("explain", stream.name)

    def _run(self, command: str, path: str) -> str:
        words = [word.replace("%s", path) for word in self._module.params[command]]
        code, output, errors = self._module.run_command(words)
        if code != 0:
            reason = (errors or output).replace(path, str(self.path)).strip()
            raise ProblemError(f"{self.path} would not do: {reason[-2000:]}")
        return str(output)

    def write(self) -> None:
        """Put the new file in the old one's place, whole."""
        descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".coffer-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(self.new)
            stream.flush()
            os.fchmod(descriptor, 0o644)
            os.fsync(descriptor)
        Path(temporary).replace(self.path)


def running_server(module: AnsibleModule) -> Server | None:
    """The server, None if it does not run."""
    try:
        return connect(module)
    except ProblemError as problem:
        if problem.number in UNREACHABLE:
            return None
        raise


def work(module: AnsibleModule) -> dict[str, Any]:
    """Apply, then write: a run that dies between is made good by the next one."""
    settings = Settings(module)
    wanted = variables.explained(settings.read_by_server())
    server = running_server(module)
    differing: dict[str, variables.Change] = {}
    applied: dict[str, variables.Change] = {}
    pending: list[str] = []
    if server:
        rules = [rule for rule in module.params["rules"] if rule["name"] in wanted]
        differing = variables.differing(server, rules, wanted, settings.names)
        applied, pending = variables.apply(server, differing)
    changed = settings.old != settings.new
    if changed and not module.check_mode:
        settings.write()
    files = {"before_header": str(settings.path), "after_header": str(settings.path)}
    lines = [variables.lines(applied, side) for side in ("before", "after")]
    return {
        "changed": changed or bool(applied),
        "applied": sorted(applied),
        "pending": sorted(pending),
        "differences": [
            {
                "name": name,
                "running": differing[name].before,
                "wanted": differing[name].after,
                "restart_required": name in pending,
            }
            for name in sorted(differing)
        ],
        "written": not changed,
        "diff": [
            {**files, "before": settings.old, "after": settings.new},
            {"before_header": "running", "after_header": "running"}
            | dict(zip(("before", "after"), lines, strict=True)),
        ],
    }


def main() -> None:
    """Do what the parameters say."""
    words = {"type": "list", "elements": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            **mysql_common_argument_spec(),
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "required": True},
            "validate": words,
            "explain": words,
            "rules": {"type": "list", "elements": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        done = work(module)
    except ProblemError as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(**done)


if __name__ == "__main__":
    main()
