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
        done = self._low_level_execute_command(
            command, sudoable=False, in_data=options["script"].encode()
        )
        result |= {key: done[key] for key in ("rc", "stdout", "stdout_lines", "stderr")}
        result |= {"changed": True, "failed": done["rc"] != 0}
        if result["failed"]:
            result["msg"] = done["stderr"].strip() or f"the script ended with status {done['rc']}"
        return result
