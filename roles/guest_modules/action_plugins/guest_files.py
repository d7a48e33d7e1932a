"""Writes several small files in one round to the guest, without Python there."""

from __future__ import annotations

import base64
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

STEPS = Path(__file__).with_suffix(".sh")
SPEC: dict[str, Any] = {
    "files": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "validate": {"type": "dict", "default": {}},
    "owner": {"type": "str", "default": "root"},
}


@dataclass(frozen=True)
class File:
    """A file as it should be; mode in octal digits."""

    path: str
    text: str
    owner: str = "root"
    mode: str = "644"
    validate: list[str] = field(default_factory=list)

    def script(self, number: int) -> str:
        """Shell: bring it beside its place, and look whether it would do."""
        content = base64.encodebytes(self.text.encode()).decode()
        wanted = shlex.join([str(number), self.path, self.owner, self.mode])
        valid = f"  {shlex.join(['valid', str(number), *self.validate])}\n" if self.validate else ""
        begin = f"if stage {wanted} <<'END'\n{content}END\nthen\n{valid}"
        return f'{begin}  to_place="$to_place {number}"\nfi\n'

    def place(self, number: int) -> str:
        """Shell: rename it into its place if it differs."""
        wanted = shlex.join([str(number), self.path, self.owner, self.mode])
        return f'case " $to_place " in *" {number} "*) place {wanted} ;; esac\n'


class ActionModule(ActionBase):  # type: ignore[misc]
    """See library/guest_files.py for the options."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Write what differs."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(argument_spec=SPEC)
        files = _files(options)
        steps = [STEPS.read_text(), "to_place=\n"]
        steps += [file.script(number) for number, file in enumerate(files)]
        steps += [file.place(number) for number, file in enumerate(files)]
        modes = ["check" if self._task.check_mode else "", "diff" if self._task.diff else ""]
        done = self._low_level_execute_command(
            shlex.join(["sh", "-s", "--", *modes]), sudoable=False, in_data="".join(steps).encode()
        )
        said = _Said.of(done["stdout"])
        if done["rc"] != 0:
            raise AnsibleActionFail(_reason(files, said, done["stderr"].strip()))
        diff = [_difference(files[each], said.before.get(each, "")) for each in said.differing]
        paths = [files[each].path for each in said.differing]
        return {**result, "changed": bool(paths), "paths": paths, "diff": diff}


def _files(options: dict[str, Any]) -> list[File]:
    validate = options["validate"]
    files = [
        File(path, str(text), validate=[str(word) for word in validate.get(path, [])])
        for path, text in options["files"].items()
    ]
    secrets = options["secrets"].items()
    return files + [File(path, str(text), options["owner"], "600") for path, text in secrets]


def _reason(files: list[File], said: _Said, errors: str) -> str:
    if said.invalid is None:
        return errors or "the guest did not answer"
    return f"{files[said.invalid].path} would not do: {errors}"


@dataclass
class _Said:
    """What the guest found, by number of the file."""

    differing: list[int] = field(default_factory=list)
    before: dict[int, str] = field(default_factory=dict)
    invalid: int | None = None

    @classmethod
    def of(cls, output: str) -> _Said:
        said = cls()
        for kind, number, *rest in (line.split() for line in output.splitlines()):
            if kind == "differs":
                said.differing.append(int(number))
            elif kind == "invalid":
                said.invalid = int(number)
            elif kind == "before":
                said.before[int(number)] = "".join(rest)
        return said


def _difference(file: File, before: str) -> dict[str, str]:
    """What --diff shows of a file; a secret is not shown."""
    if file.mode == "600":
        return {"header": file.path, "prepared": "(a secret)"}
    old = base64.b64decode(before).decode(errors="replace")
    return {
        "before_header": file.path,
        "after_header": file.path,
        "before": old,
        "after": file.text,
    }
