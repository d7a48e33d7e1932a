"""What is to know of a guest. Changes nothing."""

from __future__ import annotations

import shutil
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_local import podman, store, volume
from ansible.module_utils.coffer_local.module import main
from ansible.module_utils.coffer_local.mounts import source_of
from ansible.module_utils.coffer_local.settings import Settings

DOCUMENTATION = r"""
module: local_guest_info
short_description: Facts of a local guest
description:
  - Returns the address, image, state and volume of a guest. A guest that is not there is
    no error; the answer then has C(exists) false and nothing else.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  instance:
    description: Id of the instance.
    type: str
    required: true
author: Coffer
"""


def body(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    instance = module.params["instance"]
    record = store.load(settings, instance)
    if record is None or record.guest is None:
        return {"changed": False, "exists": False}
    return {
        "changed": False,
        "exists": True,
        "address": record.address,
        "image": record.guest.image,
        "state": podman.state(settings.name(instance)) or "absent",
        "wanted": record.guest.wanted,
        "cpus": record.guest.cpus,
        "memory": record.guest.memory,
        "volume": {"size": record.volumes["data"], **_usage(settings, instance)},
    }


def _usage(settings: Settings, instance: str) -> dict[str, int]:
    """Bytes, when the volume is mounted."""
    mountpoint = volume.directory(settings, instance) / "data"
    if source_of(mountpoint) is None:
        return {}
    return {"used": shutil.disk_usage(mountpoint).used}


if __name__ == "__main__":
    main({"instance": {"type": "str", "required": True}}, body)
