#!/usr/bin/python
"""Writes several small files in one round to the guest."""

from __future__ import annotations

import os
import pwd
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: guest_files
short_description: Write several small files at once
description:
  - Writes files whole, each under a temporary name that is then renamed.
  - One task over SSH takes longer than writing a hundred files, so they go together.
  - Directories that are missing are made, with mode 0755.
options:
  files:
    description: Content by path, readable by everybody.
    type: dict
    default: {}
  secrets:
    description: Content by path, readable by O(owner) alone.
    type: dict
    default: {}
  validate:
    description:
      - Command by path that must succeed on the new content before anything is written.
      - The words V(%s) in it stand for a file with the new content.
    type: dict
    default: {}
  owner:
    description: User that the secrets belong to.
    type: str
    default: root
author: Coffer
"""

RETURN = r"""
paths:
  description: The files that were written, or would be in check mode.
  type: list
  elements: str
  returned: always
"""


def main() -> None:
    """Write what differs."""
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "dict", "default": {}},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "validate": {"type": "dict", "default": {}},
            "owner": {"type": "str", "default": "root"},
        },
        supports_check_mode=True,
    )
    wanted = [(path, text, 0, 0, 0o644) for path, text in module.params["files"].items()]
    if module.params["secrets"]:
        owner = _owner(module)
        wanted += [(path, text, *owner, 0o600) for path, text in module.params["secrets"].items()]
    differing = [file for file in wanted if not _fits(*file)]
    for path, text, *_ in differing:
        if path in module.params["validate"]:
            _validate(module, path, text, module.params["validate"][path])
    diff = [_difference(path, text) for path, text, _, _, mode in differing if mode != 0o600]
    if not module.check_mode:
        for file in differing:
            _write(*file)
    paths = [file[0] for file in differing]
    module.exit_json(changed=bool(differing), paths=paths, diff=diff)


def _owner(module: AnsibleModule) -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(module.params["owner"])
    except KeyError:
        module.fail_json(msg=f"there is no user {module.params['owner']}")
    return entry.pw_uid, entry.pw_gid


def _fits(path: str, text: str, uid: int, gid: int, mode: int) -> bool:
    try:
        stat = os.lstat(path)
        content = Path(path).read_bytes()
    except OSError:
        return False
    return content == text.encode() and (stat.st_uid, stat.st_gid, stat.st_mode) == (
        uid,
        gid,
        0o100000 | mode,
    )


def _validate(module: AnsibleModule, path: str, text: str, command: list[str]) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        words = [word.replace("%s", stream.name) for word in command]
        code, output, errors = module.run_command(words)
    if code != 0:
        reason = (errors + output).strip()
        module.fail_json(msg=f"{path} would not do: {reason}", paths=[path])


def _difference(path: str, text: str) -> dict[str, Any]:
    try:
        before = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        before = ""
    return {"before_header": path, "after_header": path, "before": before, "after": text}


def _write(path: str, text: str, uid: int, gid: int, mode: int) -> None:
    directory = Path(path).parent
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".coffer-")
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    Path(temporary).replace(path)


if __name__ == "__main__":
    main()
