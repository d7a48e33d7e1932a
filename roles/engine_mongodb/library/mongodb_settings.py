#!/usr/bin/python
"""Writes the settings of a MongoDB and lets the running server take what it can."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_mongodb import CommandError, Connection, Document

DOCUMENTATION = r"""
module: mongodb_settings
short_description: Settings of a MongoDB, at once where it can be
description:
  - Writes the file of settings, unless O(check) says that mongod would not take it.
  - A running server is told what it can take while it runs, and the default of a setting that is
    not in the file. A setting that it cannot take waits for a restart.
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
    description:
      - The settings that a running server takes, each with its default; without one it is in the
        file at all times.
    type: dict
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
differences:
  description: What the server ran with otherwise, as C(name), C(running), C(wanted).
  type: list
  elements: dict
  returned: always
written:
  description: Whether the file of settings already had this text.
  type: bool
  returned: always
applied:
  description: The settings that the running server was told.
  type: list
  elements: str
  returned: always
"""

Flat = dict[str, Any]

WEAK_PROCESSOR = (
    "MongoDB 5 and later need a processor with AVX, which the guest has not: "
    "let the cloud's hypervisors show it (Nova: [libvirt] cpu_mode, cpu_models)"
)


class Live(NamedTuple):
    """How a setting of a running server is read and told."""

    read: Callable[[Server], Any]
    tell: Callable[[Server, Any], Any]
    told: Callable[[Any], Any] = lambda value: value
    """What the server makes of a value."""


class Change(NamedTuple):
    """A setting's running value, and the one that it shall have."""

    before: Any
    after: Any


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


def dotted(name: str) -> str:
    """A parameter's or an option's name as `flat` gives it."""
    return name if "." in name else f"setParameter.{name}"


def plain(value: Any) -> str:
    """A value as the server writes it, whatever type it came in."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return f"{float(value):.15g}"
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

    @cached_property
    def parameters(self) -> Document:
        """All parameters as they were at the first question."""
        return self.ask({"getParameter": "*"})

    def started_with(self) -> Flat:
        """The settings it was started with."""
        return flat(self.ask({"getCmdLineOpts": 1}).get("parsed", {}))


def _megabytes(value: Any) -> float:
    """The server counts in whole ones; in GB."""
    return int(float(value) * 1024) / 1024


def _cache(server: Server) -> float:
    status = server.ask({"serverStatus": 1})["wiredTiger"]["cache"]
    return (int(status["maximum bytes configured"]) >> 20) / 1024


def _set_cache(server: Server, value: Any) -> None:
    size = f"cache_size={int(float(value) * 1024)}M"
    server.ask({"setParameter": 1, "wiredTigerEngineRuntimeConfig": size})


def _parameter(name: str) -> Live:
    return Live(
        lambda server: server.parameters.get(name),
        lambda server, value: server.ask({"setParameter": 1, name: value}),
    )


def _profile(name: str) -> Live:
    return Live(
        lambda server: server.ask({"profile": -1})[name],
        lambda server, value: server.ask({"profile": -1, name: value}),
    )


# Options that a running server takes by other names.
OPTIONS: dict[str, Live] = {
    "storage.wiredTiger.engineConfig.cacheSizeGB": Live(_cache, _set_cache, _megabytes),
    "operationProfiling.slowOpThresholdMs": _profile("slowms"),
    "operationProfiling.slowOpSampleRate": _profile("sampleRate"),
    "storage.syncPeriodSecs": _parameter("syncdelay"),
    "storage.journal.commitIntervalMs": _parameter("journalCommitInterval"),
    "systemLog.verbosity": _parameter("logLevel"),
}


def live(name: str) -> Live:
    """How a setting is read and told."""
    return OPTIONS.get(name) or _parameter(name.removeprefix("setParameter."))


def differing(server: Server, wanted: Flat) -> dict[str, Change]:
    """What a running server has otherwise, of the settings that it takes and knows."""
    if not server.answers:
        return {}
    changes = {name: Change(live(name).read(server), value) for name, value in wanted.items()}
    return {
        name: change
        for name, change in changes.items()
        if change.before is not None
        and plain(change.before) != plain(live(name).told(change.after))
    }


def waiting(new: Flat, started: Flat, free: set[str]) -> dict[str, Change]:
    """What the server was started with otherwise than the file says, but for `free`."""
    names = (set(new) | set(started)) - free - {"config"}
    changes = {name: Change(started.get(name), new.get(name)) for name in names}
    return {
        name: change
        for name, change in changes.items()
        if plain(change.before) != plain(change.after)
    }


def told_of(changes: dict[str, Change], restart: bool) -> list[Document]:
    """Differences as the answer has them; what is not in the file has its default."""
    return [
        {
            "name": name.removeprefix("setParameter."),
            "running": "default" if change.before is None else plain(change.before),
            "wanted": "default" if change.after is None else plain(change.after),
            "restart_required": restart,
        }
        for name, change in sorted(changes.items())
    ]


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
    if "Illegal instruction" in errors:
        module.fail_json(msg=WEAK_PROCESSOR)
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


def tell(server: Server, changes: dict[str, Change]) -> None:
    """Tell the running server; when it refuses one, those told before are back.

    Raises:
        CommandError: it refused.
    """
    done: list[str] = []
    for name, change in changes.items():
        try:
            live(name).tell(server, change.after)
            done.append(name)
        except CommandError:
            for earlier in done:
                live(earlier).tell(server, changes[earlier].before)
            raise


def lines(changes: dict[str, Change], side: str) -> str:
    """One side of the changes, for a diff."""
    return "".join(f"{name} = {plain(getattr(changes[name], side))}\n" for name in sorted(changes))


def work(module: AnsibleModule) -> dict[str, Any]:
    """Check, tell, write: a run that dies between is made good by the next one.

    Raises:
        CommandError, OSError: the running server does not take the settings.
    """
    path, text = module.params["path"], module.params["text"]
    wanted = {**module.params["files"], path: text}
    before = {each: text_of(each) for each in wanted}
    paths = sorted(each for each in wanted if wanted[each] != before[each])
    if path in paths:
        check(module, text)
    server, new = Server(module.params["port"]), settings_of(text)
    dynamic = {dotted(name): value for name, value in module.params["dynamic"].items()}
    changes = differing(server, {name: new.get(name, dynamic[name]) for name in dynamic})
    if not module.check_mode:
        tell(server, changes)
    free = {*dynamic, *module.params["idle"]}
    waits = waiting(new, server.started_with(), free) if server.answers else {}
    for each in [] if module.check_mode else paths:
        write(Path(each), wanted[each])
    return {
        "changed": bool(changes or paths),
        "applied": sorted(changes),
        "paths": paths,
        "restart_required": bool(waits) if server.answers else path in paths,
        "differences": told_of(changes, False) + told_of(waits, True),
        "written": path not in paths,
        "diff": [
            *(difference(each, before[each], wanted[each]) for each in paths),
            difference("running", *(lines(changes, side) for side in Change._fields)),
        ],
    }


def main() -> None:
    """Do what the parameters say."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "text": {"type": "str", "required": True},
            "files": {"type": "dict", "default": {}},
            "check": {"type": "list", "elements": "str", "required": True},
            "dynamic": {"type": "dict", "required": True},
            "idle": {"type": "list", "elements": "str", "default": []},
            "port": {"type": "int", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        done = work(module)
    except (CommandError, OSError) as error:
        module.fail_json(msg=f"MongoDB does not take these settings: {error}")
    module.exit_json(**done)


if __name__ == "__main__":
    main()
