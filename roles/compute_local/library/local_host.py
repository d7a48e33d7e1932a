"""What all guests of this host share, and all guests at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_local import guest, network, store, volume
from ansible.module_utils.coffer_local.command import CommandFailed
from ansible.module_utils.coffer_local.files import temp_of
from ansible.module_utils.coffer_local.module import main
from ansible.module_utils.coffer_local.mounts import no_directory
from ansible.module_utils.coffer_local.private import private_steps
from ansible.module_utils.coffer_local.settings import Settings
from ansible.module_utils.coffer_local.steps import Step, StepFailed, converge

DOCUMENTATION = r"""
module: local_host
short_description: The host of local guests
description:
  - C(resumed) brings back what the last restart of the host took away, bridge and firewall
    first, and starts every guest that should run. It tries all guests before it fails for one.
  - C(suspended) stops all guests; what was wanted stays wanted, so that C(resumed) starts them.
  - C(absent) takes bridge, firewall and pool away, once no guest is left.
  - C(purged) deletes all guests with their data, then the same.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  state:
    description: What to do.
    choices: [resumed, suspended, absent, purged]
    default: resumed
    type: str
author: Coffer
"""
AT_ONCE = 4
Act = Callable[[Settings, store.Record, bool], list[str]]


def _resumed(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    """Returns guests: instance -> what was done, for those to which something was."""
    with store.holding_host(settings, module.check_mode):
        steps = [*private_steps(settings), *network.host_steps(settings)]
        shared = converge(steps, module.check_mode)
    return _with_all(module, settings, _bring_up, {"host": shared})


def _suspended(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    return _with_all(module, settings, _stop, {})


def _with_all(
    module: AnsibleModule, settings: Settings, act: Act, done: dict[str, list[str]]
) -> dict[str, Any]:
    """Do the same to every guest, some at a time, and fail only after the last one."""
    instances = [record.instance for record in store.everything(settings) if record.guest]
    each = partial(_each, settings, module.check_mode, act)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = dict(zip(instances, pool.map(each, instances), strict=True))
    failed = [f"{key}: {found}" for key, found in results.items() if isinstance(found, str)]
    if failed:
        module.fail_json(msg="; ".join(failed), guests=results)
    changed = {key: steps for key, steps in (done | results).items() if steps}
    return {"changed": bool(changed), "guests": changed}


def _each(settings: Settings, check: bool, act: Act, instance: str) -> list[str] | str:
    """The steps done, or as text why not. A guest may have gone while we waited."""
    with store.holding(settings, instance, check):
        record = store.load(settings, instance)
        if record is None or record.guest is None or not record.guest.applied:
            return []
        try:
            return act(settings, record, check)
        except (CommandFailed, StepFailed, ValueError, OSError) as error:
            return str(error)


def _bring_up(settings: Settings, record: store.Record, check: bool) -> list[str]:
    return guest.bring_up(settings, record, check=check)


def _stop(settings: Settings, record: store.Record, check: bool) -> list[str]:
    return converge(guest.stopped(settings, record), check)


def _purged(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    steps: list[str] = []
    for record in store.everything(settings):
        with store.holding(settings, record.instance, module.check_mode):
            steps += converge(guest.absent(settings, record.instance), module.check_mode)
    if module.check_mode:
        return {"changed": True, "steps": steps}
    left = _absent(module, settings)
    return {"changed": bool(steps) or left["changed"], "steps": steps + left["steps"]}


def _absent(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    left = [record.instance for record in store.everything(settings)]
    if left:
        raise ValueError(f"{len(left)} guests are left, the first is {left[0]}")
    changed = converge(_removal(settings), module.check_mode)
    return {"changed": bool(changed), "steps": changed}


def _removal(settings: Settings) -> list[Step]:
    cursor = store.cursor_of(settings)
    files = [cursor, temp_of(cursor), settings.host_lock]
    folders = [settings.state_dir / name for name in ("locks", "instances", "guests")]
    return [
        *network.host_removal(settings),
        *volume.pool_removal(settings),
        *(Step(f"remove {path.name}", partial(_gone, path), path.unlink) for path in files),
        *(no_directory(path) for path in (*folders, settings.state_dir)),
    ]


def _gone(path: Any) -> bool:
    return not path.exists()


BODIES = {
    "resumed": _resumed,
    "suspended": _suspended,
    "absent": _absent,
    "purged": _purged,
}

if __name__ == "__main__":
    main(
        {"state": {"choices": list(BODIES), "default": "resumed"}},
        lambda module, settings: BODIES[module.params["state"]](module, settings),
    )
