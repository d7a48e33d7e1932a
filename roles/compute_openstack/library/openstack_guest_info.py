"""What is to know of a guest. Changes nothing."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_openstack.facts import facts_of
from ansible.module_utils.coffer_openstack.module import main
from ansible.module_utils.coffer_openstack.site import Site

DOCUMENTATION = r"""
module: openstack_guest_info
short_description: Facts of a guest in an OpenStack cloud
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


def body(module: AnsibleModule, site: Site) -> dict[str, Any]:
    return {"changed": False, **facts_of(site, module.params["instance"])}


if __name__ == "__main__":
    main({"instance": {"type": "str", "required": True}}, body)
