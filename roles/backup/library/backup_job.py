#!/usr/bin/python
"""Runs a backup inside the guest, as a unit of its own that outlives this connection."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: backup_job
short_description: A backup inside a guest of Coffer
description:
  - C(finished) brings the programs and the job, starts the unit and waits for its end. Of a job
    with the same id that runs already it only waits for the end, and of one that has ended it
    returns the result.
  - C(stopped) ends whatever runs, and undoes what that had done to the engine.
options:
  state:
    description: What to do.
    choices: [finished, stopped]
    required: true
    type: str
  programs:
    description: Texts of Python programs by file name; C(backup.py) is the one that is run.
    type: dict
    default: {}
  job:
    description: What they shall do; C(id) names the job.
    type: dict
    default: {}
  secrets:
    description: Keys of the repository, which the job is given besides.
    type: dict
    default: {}
  timeout:
    description: Seconds after which the job is ended.
    type: int
    default: 14400
author: Coffer
"""

RETURN = r"""
missing:
  description: Whether nothing was done because restic is not installed.
  type: bool
  returned: always
result:
  description: What the job says of the backup.
  type: dict
  returned: success
"""

UNIT = "coffer-backup.service"
PLACE = Path("/run/coffer-backup")
LAST = Path("/run/coffer-backup.json")
LOOK_EVERY = 0.2
RUNNING = ("active", "activating", "deactivating", "reloading")


class Job:
    """The unit and its private directory, which lies in memory."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._id = module.params["job"].get("id")

    def is_mine(self) -> bool:
        """Whether what lies there is this very job."""
        try:
            return json.loads((PLACE / "job.json").read_text())["id"] == self._id
        except (OSError, ValueError, KeyError):
            return False

    def done_before(self) -> dict[str, Any] | None:
        """What this very job has made, if it has: who waited for it then may have died since."""
        try:
            last = json.loads(LAST.read_text())
            return dict(last["result"]) if last["id"] == self._id else None
        except (OSError, ValueError, KeyError):
            return None

    def keep(self, result: dict[str, Any]) -> None:
        """Remember what was made, and take all else away."""
        if "error" not in result:
            new = LAST.with_suffix(".new")
            new.write_text(json.dumps({"id": self._id, "result": result}))
            new.replace(LAST)
        shutil.rmtree(PLACE, ignore_errors=True)

    def start(self) -> None:
        """Bring everything and start the unit."""
        self.stop()
        PLACE.mkdir(mode=0o700)
        for name, text in self._module.params["programs"].items():
            (PLACE / name).write_text(text)
        job = {**self._module.params["job"], **self._module.params["secrets"]}
        (PLACE / "job.json").write_text(json.dumps(job))
        program = ["/usr/bin/python3", "-s", str(PLACE / "backup.py")]
        properties = {
            # The engine's own work comes first, and with the memory short the backup goes.
            "Nice": "10",
            "OOMScoreAdjust": "800",
            "RuntimeMaxSec": str(self._module.params["timeout"]),
            "TimeoutStopSec": "30",
            "ExecStopPost": " ".join([*program, "release"]),
        }
        options = [f"--property={key}={value}" for key, value in properties.items()]
        self._run(
            "systemd-run", "--quiet", "--collect", f"--unit={UNIT}", *options, *program, "run"
        )

    def state(self) -> str:
        """systemd's word for the unit."""
        shown = self._run("systemctl", "show", "--property=ActiveState", "--value", UNIT)
        return str(shown.strip())

    def wait(self) -> dict[str, Any]:
        """Until the unit has ended and its traces are gone; what it left."""
        while self.state() in RUNNING:
            time.sleep(LOOK_EVERY)
        try:
            result: dict[str, Any] = json.loads((PLACE / "result.json").read_text())
        except (OSError, ValueError):
            return {
                "error": "the backup was ended from outside: killed, out of memory or out of time"
            }
        return result

    def stop(self) -> None:
        """End the unit; systemd runs what undoes its work."""
        if self.state() in RUNNING:
            self._run("systemctl", "stop", UNIT)
        shutil.rmtree(PLACE, ignore_errors=True)

    def _run(self, *command: str) -> str:
        _code, output, _errors = self._module.run_command(list(command), check_rc=True)
        return str(output)


def main() -> None:
    """Do what the parameters say."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["finished", "stopped"], "required": True},
            "programs": {"type": "dict", "default": {}},
            "job": {"type": "dict", "default": {}},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "timeout": {"type": "int", "default": 14400},
        },
        supports_check_mode=True,
    )
    job = Job(module)
    if module.check_mode:
        module.exit_json(changed=module.params["state"] == "finished", missing=False, result={})
    if module.params["state"] == "stopped":
        found = PLACE.exists() or job.state() in RUNNING
        job.stop()
        module.exit_json(changed=found)
    if shutil.which("restic") is None:
        module.exit_json(changed=False, missing=True, result={})
    result = job.done_before()
    if result is None:
        if not job.is_mine():
            job.start()
        result = job.wait()
        job.keep(result)
    if "error" in result:
        module.fail_json(msg=result["error"])
    module.exit_json(changed=True, missing=False, result=result)


if __name__ == "__main__":
    main()
