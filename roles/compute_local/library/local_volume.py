"""Data volume of a guest: XFS in a file of the pool."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_local import store, volume
from ansible.module_utils.coffer_local.files import locked
from ansible.module_utils.coffer_local.module import holding, main
from ansible.module_utils.coffer_local.settings import Settings
from ansible.module_utils.coffer_local.steps import Step, converge

DOCUMENTATION = r"""
module: local_volume
short_description: Data volume of a local guest
description:
  - Makes, mounts and grows a volume (online), or unmounts and removes it.
  - Without I(instance), the pool of disk files alone.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  instance:
    description: Id of the instance; local_network has met it before.
    type: str
  name:
    description: Name of the volume among the guest's volumes.
    default: data
    type: str
  size:
    description: GiB. A volume never shrinks. Needed when I(state=present).
    type: int
  state:
    description: Whether it should be there.
    choices: [present, absent]
    default: present
    type: str
author: Coffer
"""


def body(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    present, check = module.params["state"] == "present", module.check_mode
    if module.params["instance"] is None:
        changed = _pool(settings, present, check)
        return {"changed": bool(changed), "steps": changed}
    with holding(module, settings):
        changed = _present(module, settings) if present else _absent(module, settings)
    return {"changed": bool(changed), "steps": changed}


def _pool(settings: Settings, present: bool, check: bool) -> list[str]:
    steps = volume.pool_steps if present else volume.pool_removal
    wanted = steps(settings)
    if check or all(step.done() for step in wanted):
        return converge(wanted, check)
    with locked(settings.host_lock):
        return converge(steps(settings))


def _present(module: AnsibleModule, settings: Settings) -> list[str]:
    name, size = module.params["name"], module.params["size"]
    if size is None:
        raise ValueError("size is needed to make a volume")
    steps = _pool(settings, True, module.check_mode)
    record = store.load(settings, module.params["instance"])
    if record is None:
        if module.check_mode:
            return [*steps, name]
        raise ValueError(f"instance {module.params['instance']} has no network yet")
    known = record.volumes.get(name, 0)
    if size < known:
        raise ValueError(f"volume {name} has {known} GiB and cannot shrink to {size}")
    record.volumes[name] = size
    remember = Step("record", lambda: size == known, lambda: store.save(settings, record))
    wanted = [remember, *volume.volume_steps(settings, record, name)]
    return steps + converge(wanted, module.check_mode)


def _absent(module: AnsibleModule, settings: Settings) -> list[str]:
    instance, name = module.params["instance"], module.params["name"]
    record = store.load(settings, instance)
    steps = volume.volume_removal(settings, instance, name)
    changed = converge(steps, module.check_mode)
    if record and record.volumes.pop(name, None) and not module.check_mode:
        store.save(settings, record)
    return changed


if __name__ == "__main__":
    main(
        {
            "instance": {"type": "str"},
            "name": {"default": "data"},
            "size": {"type": "int"},
            "state": {"choices": ["present", "absent"], "default": "present"},
        },
        body,
    )
