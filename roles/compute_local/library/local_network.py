"""Network of a guest: address, namespace, link; and what all guests share."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_local import network, store, volume
from ansible.module_utils.coffer_local.files import locked
from ansible.module_utils.coffer_local.module import holding, main
from ansible.module_utils.coffer_local.settings import Settings
from ansible.module_utils.coffer_local.steps import Step, converge

DOCUMENTATION = r"""
module: local_network
short_description: Network of a local guest
description:
  - Gives a guest an address of its own, a network namespace and a link to the bridge.
  - Without I(instance), what all guests share (bridge, firewall, forwarding) alone.
  - The guest's record is made here (present) and forgotten here (absent), so call it first
    when a guest is made and last when it goes.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  instance:
    description: Id of the instance.
    type: str
  state:
    description: Whether it should be there.
    choices: [present, absent]
    default: present
    type: str
author: Coffer
"""


def body(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    instance, check = module.params["instance"], module.check_mode
    present = module.params["state"] == "present"
    if instance is None:
        return {"changed": bool(_host(settings, present, check))}
    with holding(module, settings):
        return _present(settings, instance, check) if present else _absent(settings, instance, check)


def _host(settings: Settings, present: bool, check: bool) -> list[str]:
    steps = network.host_steps(settings) if present else network.host_removal(settings)
    if check or all(step.done() for step in steps):
        return converge(steps, check)
    with locked(settings.host_lock):
        return converge(steps)


def _present(settings: Settings, instance: str, check: bool) -> dict[str, Any]:
    steps = _host(settings, True, check)
    record = store.load(settings, instance)
    if record is None:
        if check:
            return {"changed": True, "steps": [*steps, "address"]}
        record = store.ensure(settings, instance)
        steps.append("record")
    steps += converge(network.guest_steps(settings, record), check)
    return {"changed": bool(steps), "steps": steps, "address": record.address}


def _absent(settings: Settings, instance: str, check: bool) -> dict[str, Any]:
    record = store.load(settings, instance)
    folder = volume.directory(settings, instance)
    steps = [
        *network.guest_removal(settings, instance, record),
        Step("folder", lambda: not folder.exists(), folder.rmdir),
        Step("record", lambda: record is None, lambda: store.forget(settings, instance)),
    ]
    changed = converge(steps, check)
    if not check:
        settings.lock(instance).unlink(missing_ok=True)
    return {"changed": bool(changed), "steps": changed}


if __name__ == "__main__":
    main(
        {
            "instance": {"type": "str"},
            "state": {"choices": ["present", "absent"], "default": "present"},
        },
        body,
    )
