#!/usr/bin/python
"""A snapshot of a guest's disks, and the way back to it."""

from __future__ import annotations

import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_local import snapshot, store
from ansible.module_utils.coffer_local.module import main
from ansible.module_utils.coffer_local.settings import Settings
from ansible.module_utils.coffer_local.steps import converge

DOCUMENTATION = r"""
module: local_snapshot
short_description: Snapshot of a local guest
description:
  - Takes a snapshot of root disk and data volume, forgets it, or puts the guest back to it.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  instance:
    description: Id of the instance.
    type: str
    required: true
  name:
    description: Name of the snapshot. Letters, digits and hyphens.
    type: str
    required: true
  state:
    description:
      - C(present) takes it unless it is there.
      - C(restored) stops the guest, puts the disks back and uses the snapshot of these up.
      - C(absent) forgets what is left of it.
    choices: [present, restored, absent]
    default: present
    type: str
  disks:
    description: What C(restored) puts back.
    type: list
    elements: str
    choices: [root, data]
    default: [root, data]
author: Coffer
"""


def body(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    params, check = module.params, module.check_mode
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", params["name"]):
        raise ValueError(f"name: {params['name']!r} is not a name of a snapshot")
    with store.holding(settings, params["instance"], check):
        record = store.load(settings, params["instance"])
        if record is None or record.guest is None:
            raise ValueError(f"instance {params['instance']} is not on this host")
        if params["state"] == "present":
            changed = converge(snapshot.taken(settings, record, params["name"]), check)
        elif params["state"] == "absent":
            changed = converge(snapshot.forgotten(settings, record, params["name"]), check)
        else:
            steps = snapshot.restored(settings, record, params["name"], params["disks"])
            changed = converge(steps, check)
    return {"changed": bool(changed), "steps": changed}


if __name__ == "__main__":
    main(
        {
            "instance": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "state": {"choices": ["present", "restored", "absent"], "default": "present"},
            "disks": {
                "type": "list",
                "elements": "str",
                "choices": list(snapshot.DISKS),
                "default": list(snapshot.DISKS),
            },
        },
        body,
    )
