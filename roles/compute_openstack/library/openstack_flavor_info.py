"""Nova's flavors, as Coffer's catalogue has them. Changes nothing."""

from __future__ import annotations

import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_openstack.module import main
from ansible.module_utils.coffer_openstack.site import Site

DOCUMENTATION = r"""
module: openstack_flavor_info
short_description: Flavors of an OpenStack cloud
description:
  - Returns C(flavors), smallest first, each with id, name, vcpus, ram (MiB) and disk (GiB).
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  matching:
    description: A regular expression that the whole name of a flavor must match.
    type: str
    default: ".*"
author: Coffer
"""


def body(module: AnsibleModule, site: Site) -> dict[str, Any]:
    wanted = re.compile(module.params["matching"])
    found = [each for each in site.cloud.compute.flavors() if wanted.fullmatch(each.name)]
    if not found:
        raise ValueError(f"no flavor of the cloud has a name that matches '{wanted.pattern}'")
    ordered = sorted(found, key=lambda each: (each.ram, each.vcpus, each.disk, each.name))
    return {"changed": False, "flavors": [_shown(each) for each in ordered]}


def _shown(flavor: Any) -> dict[str, Any]:
    return {key: getattr(flavor, key) for key in ("id", "name", "vcpus", "ram", "disk")}


if __name__ == "__main__":
    main({"matching": {"type": "str", "default": ".*"}}, body)
