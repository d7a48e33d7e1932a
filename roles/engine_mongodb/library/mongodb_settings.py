#!/usr/bin/python
"""Writes the settings of a MongoDB and lets the running server take what it can."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_mongodb import CommandError, Connection, Document

DOCUMENTATION = r"""
module: mongodb_settings
short_description: Settings of a MongoDB, at once where it can be
description:
  - Writes the file of settings, unless O(check) says that mongod would not take it.
  - A running server is told what it can take while it runs. A setting that it cannot take, and
    one that is gone and so has its default again, wait for a restart.
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
  files:
    description: Other files to write in the same round, content by path.
    type: dict
    default: {}
  idle:
    description: Settings that can wait for any restart to come.
    type: list
    elements: str
    default: []
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
paths:
  description: The files that were written, or would be in check mode.
  type: list
  elements: str
  returned: always
applied:
  description: The settings that the running server was told.
  type: list
  elements: str
  returned: always
"""

Flat = dict[str, Any]
Live = tuple[Callable[[Any, Any], bool], Callable[[Any, Any], Any]]


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
    """The running server. It may not run, or not know root yet: then nothing is told to it."""

    def __init__(self, port: int) -> None:
        try:
            self._connection: Connection | None = Connection(port, "root")
        except (OSError, CommandError):
            self._connection = None

    @property
    def answers(self) -> bool:
        """Whether it can be asked."""
        return self._connection is not None

    def ask(self, body: Document) -> Document:
        """Run a command; an empty answer if it cannot be asked."""
        return self._connection.command("admin", body) if self._connection else {}

    def started_with(self) -> Flat:
        """The settings it was started with."""
        return flat(self.ask({"getCmdLineOpts": 1}).get("parsed", {}))


def _has_cache(server: Server, value: Any) -> bool:
    """The server counts in whole MB."""
    status = server.ask({"serverStatus": 1})["wiredTiger"]["cache"]
    return int(status["maximum bytes configured"]) >> 20 == int(float(value) * 1024)


def _set_cache(server: Server, value: Any) -> None:
    size = f"cache_size={int(float(value) * 1024)}M"
    server.ask({"setParameter": 1, "wiredTigerEngineRuntimeConfig": size})


def _parameter(name: str) -> Live:
    return (
        lambda server, value: plain(server.ask({"getParameter": 1, name: 1})[name]) == plain(value),
        lambda server, value: server.ask({"setParameter": 1, name: value}),
    )


def _profile(name: str) -> Live:
    return (
        lambda server, value: plain(server.ask({"profile": -1})[name]) == plain(value),
        lambda server, value: server.ask({"profile": -1, name: value}),
    )


# Options that a running server takes by other names: whether it has a value, how to tell it one.
OPTIONS: dict[str, Live] = {
    "storage.wiredTiger.engineConfig.cacheSizeGB": (_has_cache, _set_cache),
    "operationProfiling.slowOpThresholdMs": _profile("slowms"),
    "operationProfiling.slowOpSampleRate": _profile("sampleRate"),
    "storage.syncPeriodSecs": _parameter("syncdelay"),
    "storage.journal.commitIntervalMs": _parameter("journalCommitInterval"),
    "systemLog.verbosity": _parameter("logLevel"),
}


def live(dynamic: list[str]) -> dict[str, Live]:
    """All settings that a running server takes."""
    return OPTIONS | {f"setParameter.{name}": _parameter(name) for name in dynamic}


def differing(server: Server, wanted: Flat, takes: dict[str, Live]) -> Flat:
    """The settings that a running server takes and has otherwise."""
    if not server.answers:
        return {}
    return {
        name: value
        for name, value in wanted.items()
        if name in takes and not takes[name][0](server, value)
    }


def wait_for_restart(old: Flat, new: Flat, started: Flat, takes: set[str], idle: set[str]) -> bool:
    """Whether the server runs with something else than the new file says."""
    if (set(old) | set(started)) & takes - set(new):
        return True
    left = takes | idle | {"config"}
    fixed = [{key: plain(each[key]) for key in each if key not in left} for each in (started, new)]
    return fixed[0] != fixed[1]


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


def text_of(path: str) -> str:
    """What a file holds; nothing if it is not there."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def difference(path: str, before: str, after: str) -> Document:
    """What `--diff` shows of a file."""
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def tell(module: AnsibleModule, server: Server, new: Flat, takes: dict[str, Live]) -> list[str]:
    """Tell the running server what it has otherwise; returns the names."""
    try:
        told = differing(server, new, takes)
        for name, value in {} if module.check_mode else told.items():
            takes[name][1](server, value)
    except (CommandError, OSError) as error:
        module.fail_json(msg=f"MongoDB does not take these settings: {error}")
    return sorted(told)


def main() -> None:
    """Check, tell, write."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "text": {"type": "str", "required": True},
            "files": {"type": "dict", "default": {}},
            "check": {"type": "list", "elements": "str", "required": True},
            "dynamic": {"type": "list", "elements": "str", "required": True},
            "idle": {"type": "list", "elements": "str", "default": []},
            "port": {"type": "int", "required": True},
        },
        supports_check_mode=True,
    )
    path, text, takes = module.params["path"], module.params["text"], live(module.params["dynamic"])
    wanted = {**module.params["files"], path: text}
    before = {each: text_of(each) for each in wanted}
    paths = sorted(each for each in wanted if wanted[each] != before[each])
    if path in paths:
        check(module, text)
    server, new, old = Server(module.params["port"]), settings_of(text), settings_of(before[path])
    told, started = tell(module, server, new, takes), server.started_with()
    waits = wait_for_restart(old, new, started, set(takes), set(module.params["idle"]))
    for each in [] if module.check_mode else paths:
        write(Path(each), wanted[each])
    module.exit_json(
        changed=bool(told or paths),
        applied=told,
        paths=paths,
        restart_required=waits if server.answers else path in paths,
        diff=[difference(each, before[each], wanted[each]) for each in paths],
    )


if __name__ == "__main__":
    main()
