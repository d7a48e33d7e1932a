"""What all guests of this host share, and all guests at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_local import guest, network, store, volume
from ansible.module_utils.coffer_local.command import CommandFailed
from ansible.module_utils.coffer_local.module import main
from ansible.module_utils.coffer_local.mounts import no_directory
from ansible.module_utils.coffer_local.settings import Settings
from ansible.module_utils.coffer_local.steps import Step, StepFailed, converge

DOCUMENTATION = r"""
module: local_host
short_description: The host of local guests
description:
  - C(resumed) brings back what the last restart of the host took away and starts every
    guest that should run. It tries all guests before it fails for one.
  - C(absent) takes bridge, firewall and pool away, once no guest is left.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  state:
    description: What to do.
    choices: [resumed, absent]
    default: resumed
    type: str
author: Coffer
"""
AT_ONCE = 4


def _resumed(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    """Returns guests: instance -> what was done, for those to which something was."""
    instances = [record.instance for record in store.everything(settings) if record.guest]
    resume = partial(_resume, settings, module.check_mode)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = dict(zip(instances, pool.map(resume, instances), strict=True))
    failed = [f"{key}: {found}" for key, found in results.items() if isinstance(found, str)]
    if failed:
        module.fail_json(msg="; ".join(failed), guests=results)
    done = {key: steps for key, steps in results.items() if steps}
    return {"changed": bool(done), "guests": done}


def _resume(settings: Settings, check: bool, instance: str) -> list[str] | str:
    """The steps done, or as text why not. A guest may have gone while we waited."""
    with store.holding(settings, instance, check):
        record = store.load(settings, instance)
        if record is None or record.guest is None or not record.guest.applied:
            return []
        try:
            return guest.bring_up(settings, record, check=check)
        except (CommandFailed, StepFailed, ValueError, OSError) as error:
            return str(error)


def _absent(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    left = [record.instance for record in store.everything(settings)]
    if left:
        raise ValueError(f"{len(left)} guests are left, the first is {left[0]}")
    changed = converge(_removal(settings), module.check_mode)
    return {"changed": bool(changed), "steps": changed}


def _removal(settings: Settings) -> list[Step]:
    files = [settings.state_dir / "last-address", settings.host_lock]
    folders = [settings.state_dir / name for name in ("locks", "instances", "guests")]
    return [
        *network.host_removal(settings),
        *volume.pool_removal(settings),
        *(Step(f"remove {path.name}", partial(_gone, path), path.unlink) for path in files),
        *(no_directory(path) for path in (*folders, settings.state_dir)),
    ]


def _gone(path: Any) -> bool:
    return not path.exists()


BODIES = {"resumed": _resumed, "absent": _absent}

if __name__ == "__main__":
    main(
        {"state": {"choices": list(BODIES), "default": "resumed"}},
        lambda module, settings: BODIES[module.params["state"]](module, settings),
    )
