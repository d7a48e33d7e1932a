"""Everything that an installation holds in its project."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_openstack import guest
from ansible.module_utils.coffer_openstack.holdings import holdings
from ansible.module_utils.coffer_openstack.module import main
from ansible.module_utils.coffer_openstack.site import Site
from ansible.module_utils.coffer_openstack.steps import converge_all

DOCUMENTATION = r"""
module: openstack_holdings
short_description: What an installation holds in an OpenStack cloud
description:
  - Lists the instances of which anything is left, or removes them.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  state:
    description:
      - C(listed) returns C(instances), kinds of things by the instance's id.
      - C(absent) removes all of them but those that are to be kept.
    choices: [listed, absent]
    default: listed
    type: str
  keep:
    description: Ids of instances that are not looked at.
    type: list
    elements: str
    default: []
author: Coffer
"""


def body(module: AnsibleModule, site: Site) -> dict[str, Any]:
    params = module.params
    kept = set(params["keep"])
    found = {key: kinds for key, kinds in holdings(site).items() if key not in kept}
    if params["state"] == "listed":
        return {"changed": False, "instances": found}
    steps = [step for key in found for step in guest.absent(site, key)]
    changed = converge_all(steps, module.check_mode)
    return {"changed": bool(changed), "instances": found}


if __name__ == "__main__":
    main(
        {
            "state": {"choices": ["listed", "absent"], "default": "listed"},
            "keep": {"type": "list", "elements": "str", "default": []},
        },
        body,
    )
