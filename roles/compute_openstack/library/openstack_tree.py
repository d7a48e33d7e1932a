"""A stock image on this host, in which an engine is installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_openstack.errors import CloudRefused
from ansible.module_utils.coffer_openstack.image import image_of
from ansible.module_utils.coffer_openstack.module import main
from ansible.module_utils.coffer_openstack.site import Site
from ansible.module_utils.coffer_openstack.tree import Tree

DOCUMENTATION = r"""
module: openstack_tree
short_description: Stock image of the cloud, opened on this host
description:
  - Brings an image from Glance to this host, opens it so that it can be worked in over SSH, and
    packs it again for M(openstack_image). Needs root.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  state:
    description:
      - C(opened) returns the C(port) of this host at which SSH answers.
      - C(packed) ends what runs in it and returns the C(file), and the C(size) of its disk in GiB.
      - C(absent) leaves nothing of it on this host.
    choices: [opened, packed, absent]
    required: true
    type: str
  place:
    description: Directory of its own, which need not exist.
    type: path
    required: true
  stock:
    description: Id, name or tag of the image.
    type: str
  size:
    description: GiB that the disk has at least.
    type: int
    default: 3
  keys:
    description: Directory with C(host_key) and C(login_key.pub).
    type: path
  script:
    description: What runs in namespaces of its own and opens the tree.
    type: str
author: Coffer
"""


def _opened(module: AnsibleModule, site: Site) -> dict[str, Any]:
    params = module.params
    if os.geteuid() != 0:
        raise CloudRefused("an image is built on this host by root; or on a server of the cloud")
    if module.check_mode:
        return {"changed": True, "port": 0}
    stock = image_of(site, params["stock"], [])
    tree, keys = Tree(Path(params["place"])), Path(params["keys"])
    return {
        "changed": True,
        "port": tree.open(site, stock, params["size"], keys, params["script"]),
    }


def _packed(module: AnsibleModule, site: Site) -> dict[str, Any]:
    if module.check_mode:
        return {"changed": True, "file": "", "size": 0}
    tree, stock = Tree(Path(module.params["place"])), image_of(site, module.params["stock"], [])
    return {"changed": True, "file": str(tree.pack(stock.disk_format)), "size": tree.size}


def _absent(module: AnsibleModule, _site: Site) -> dict[str, Any]:
    tree = Tree(Path(module.params["place"]))
    there = tree.exists
    if there and not module.check_mode:
        tree.remove()
    return {"changed": there}


BODIES = {"opened": _opened, "packed": _packed, "absent": _absent}

if __name__ == "__main__":
    main(
        {
            "state": {"choices": list(BODIES), "required": True},
            "place": {"type": "path", "required": True},
            "stock": {"type": "str"},
            "size": {"type": "int", "default": 3},
            "keys": {"type": "path", "no_log": False},
            "script": {"type": "str"},
        },
        lambda module, site: BODIES[module.params["state"]](module, site),
    )
