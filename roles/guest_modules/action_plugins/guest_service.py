"""Starts or stops a systemd unit in the guest in one round, without Python there."""

from __future__ import annotations

import shlex
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

STATES = {"started": "start", "restarted": "restart", "stopped": "stop"}
STEPS = """\
case "$2 $(systemctl is-active "$1")" in
'start active' | 'stop inactive' | 'stop failed') exit 0 ;;
esac
echo changed
[ -n "$3" ] || exec systemctl "$2" "$1"
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """See library/guest_service.py for the options."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Start the unit unless it runs, start it anew, or stop it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(
            argument_spec={
                "name": {"type": "str", "required": True},
                "state": {"type": "str", "choices": list(STATES), "default": "started"},
            }
        )
        check = "check" if self._task.check_mode else ""
        words = ["sh", "-s", "--", options["name"], STATES[options["state"]], check]
        done = self._low_level_execute_command(
            shlex.join(words), sudoable=False, in_data=STEPS.encode()
        )
        if done["rc"] != 0:
            raise AnsibleActionFail(
                f"{options['name']} was not {options['state']}: {done['stderr']}"
            )
        return {**result, "changed": bool(done["stdout"])}
