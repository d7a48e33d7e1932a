"""Waits until the guest takes commands, which it does once it has proved its host key."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

PAUSE = 0.02


class ActionModule(ActionBase):  # type: ignore[misc]
    """See library/guest_reached.py for the options."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Try until it works or the time is over."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(
            argument_spec={"timeout": {"type": "int", "default": 60}}
        )
        if self._task.check_mode:
            return {**result, "changed": False}
        deadline = time.monotonic() + options["timeout"]
        while said := self._says():
            if time.monotonic() > deadline:
                host = self._connection.get_option("host")
                raise AnsibleActionFail(f"{host} takes no commands by SSH: {said}")
            time.sleep(PAUSE)
        return {**result, "changed": False}

    def _says(self) -> str:
        """Why it cannot be reached, empty when it can."""
        try:
            done = self._low_level_execute_command("true", sudoable=False)
        except AnsibleConnectionFailure as error:
            return str(error)
        return "" if done["rc"] == 0 else str(done["stderr"] or done["stdout"])
