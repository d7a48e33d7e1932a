"""Runs a shell script in the guest in one round, without Python there."""

from __future__ import annotations

import shlex
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]
    """See library/guest_script.py for the options."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Send the script on standard input; nothing is stored in the guest."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(
            argument_spec={
                "script": {"type": "str", "required": True},
                "arguments": {"type": "list", "elements": "str", "default": []},
            }
        )
        if self._task.check_mode:
            return {**result, "skipped": True, "msg": "a script may change the guest"}
        command = shlex.join(["sh", "-s", "--", *options["arguments"]])
        script = self._note(task_vars or {}) + options["script"]
        done = self._low_level_execute_command(command, sudoable=False, in_data=script.encode())
        result |= {key: done[key] for key in ("rc", "stdout", "stdout_lines", "stderr")}
        result |= {"changed": True, "failed": done["rc"] != 0}
        if result["failed"]:
            result["msg"] = done["stderr"].strip() or f"the script ended with status {done['rc']}"
        return result

    def _note(self, task_vars: dict[str, Any]) -> str:
        """A line for the guest's own log: for whose request this is done."""
        request = task_vars.get("coffer_request_id")
        if not request:
            return ""
        text = shlex.quote(f"{request}: {self._task.get_name()}")
        return f"logger --tag coffer -- {text} 2>/dev/null || :\n"
