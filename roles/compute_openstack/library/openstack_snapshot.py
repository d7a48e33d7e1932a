"""A snapshot of a guest's disks, and the way back to it."""

from __future__ import annotations

import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_openstack import snapshot
from ansible.module_utils.coffer_openstack.module import main
from ansible.module_utils.coffer_openstack.server import the_server
from ansible.module_utils.coffer_openstack.site import Site
from ansible.module_utils.coffer_openstack.steps import converge

DOCUMENTATION = r"""
module: openstack_snapshot
short_description: Snapshot of a guest in an OpenStack cloud
description:
  - Takes an image of the root disk and a snapshot of the volume, forgets them, or puts the guest
    back to them.
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
      - C(restored) stops the guest, puts the disks back, uses the snapshot of these up and starts
        the guest.
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


def body(module: AnsibleModule, site: Site) -> dict[str, Any]:
    params = module.params
    instance, name = params["instance"], params["name"]
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
        raise ValueError(f"name: {name!r} is not a name of a snapshot")
    the_server(site, instance)
    if params["state"] == "present":
        steps = snapshot.taken(site, instance, name)
    elif params["state"] == "absent":
        steps = snapshot.forgotten(site, instance, name)
    else:
        steps = snapshot.restored(site, instance, name, params["disks"])
    changed = converge(steps, module.check_mode)
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
