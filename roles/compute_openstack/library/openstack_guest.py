"""A guest: a server with its port, its security group and its volume."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_openstack import guest
from ansible.module_utils.coffer_openstack.access import access_steps
from ansible.module_utils.coffer_openstack.facts import facts_of
from ansible.module_utils.coffer_openstack.first_contact import Contact
from ansible.module_utils.coffer_openstack.growth import growth_steps
from ansible.module_utils.coffer_openstack.module import main
from ansible.module_utils.coffer_openstack.preflight import Wanted, preflight
from ansible.module_utils.coffer_openstack.resize import resize_step
from ansible.module_utils.coffer_openstack.server import (
    Wish,
    running_step,
    servers,
    stopped_step,
    the_server,
)
from ansible.module_utils.coffer_openstack.site import Site
from ansible.module_utils.coffer_openstack.steps import Step, converge, converge_all

DOCUMENTATION = r"""
module: openstack_guest
short_description: Guest in an OpenStack cloud
description:
  - Makes, starts, stops, resizes, rebuilds or removes a guest with all that belongs to it.
  - One module and one task, because a task costs a second before it does anything.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  instance:
    description: Id of the instance.
    type: str
    required: true
  state:
    description:
      - C(created) makes what is missing, once it is known that the cloud has all it takes.
      - C(present) changes what is given, of a guest that is there.
      - C(rebuilt) gives it a new root disk of I(image).
    choices: [created, running, stopped, present, rebuilt, absent]
    required: true
    type: str
  image:
    description: Id, name or tag of an image. Empty, I(image_tags) say which.
    type: str
  image_tags:
    description: The newest active image with all of these is meant.
    type: list
    elements: str
  flavor:
    description: Coffer's flavor; Nova has one of the same id or name.
    type: dict
  volume:
    description: GiB of the data volume. It never shrinks.
    type: int
  port:
    description: The engine's TCP port, to which I(allowed_cidrs) are let in and nobody else.
    type: int
  allowed_cidrs:
    description: Networks. Without them who may connect stays as it is.
    type: list
    elements: str
  login:
    description: Public key that may log in as root.
    type: str
  contact:
    description: Keys and script of the first contact.
    type: dict
author: Coffer
"""
STATES = ["created", "running", "stopped", "present", "rebuilt", "absent"]
CONTACT = {
    "login_key_file": {"type": "path", "required": True},
    "host_key": {"type": "str", "default": "", "no_log": True},
    "host_key_public": {"type": "str", "default": ""},
    "script": {"type": "str", "required": True},
    "arguments": {"type": "list", "elements": "str", "required": True},
    "timeout": {"type": "int", "required": True},
}


def body(module: AnsibleModule, site: Site) -> dict[str, Any]:
    params, check = module.params, module.check_mode
    instance = params["instance"]
    if params["state"] == "absent":
        changed = converge_all(guest.absent(site, instance), check)
        return {"changed": bool(changed), "steps": changed}
    changed = converge(_steps(params, site), check)
    return {"changed": bool(changed), "steps": changed, **facts_of(site, instance)}


def _steps(params: dict[str, Any], site: Site) -> list[Step]:
    instance = params["instance"]
    if params["state"] == "created":
        return _creation(params, site)
    if params["state"] == "rebuilt":
        return guest.rebuilt(site, instance, _wish(params, site), _contact(params))
    the_server(site, instance)
    if params["state"] == "stopped":
        return [stopped_step(site, instance)]
    steps = []
    if params["port"] is not None:
        steps += access_steps(site, instance, params["port"], params["allowed_cidrs"])
    if params["volume"] is not None:
        steps += growth_steps(site, instance, params["volume"])
    if params["flavor"] is not None:
        steps.append(resize_step(site, instance, params["flavor"]))
    return [*steps, running_step(site, instance)] if params["state"] == "running" else steps


def _creation(params: dict[str, Any], site: Site) -> list[Step]:
    instance = params["instance"]
    there = servers(site, instance)
    usable = bool(there) and there[0].status != "ERROR"
    wish = None if usable else _wish(params, site)
    return guest.present(
        site,
        instance,
        wish,
        params["volume"],
        _contact(params),
        (params["port"], params["allowed_cidrs"]),
    )


def _wish(params: dict[str, Any], site: Site) -> Wish:
    wanted = Wanted(
        params["instance"],
        params["image"] or "",
        params["image_tags"] or [],
        params["flavor"] or {},
        params["volume"],
        params["login"] or "",
    )
    return preflight(site, wanted)


def _contact(params: dict[str, Any]) -> Contact:
    return Contact(**params["contact"])


if __name__ == "__main__":
    main(
        {
            "instance": {"type": "str", "required": True},
            "state": {"choices": STATES, "required": True},
            "image": {"type": "str"},
            "image_tags": {"type": "list", "elements": "str"},
            "flavor": {"type": "dict"},
            "volume": {"type": "int"},
            "port": {"type": "int"},
            "allowed_cidrs": {"type": "list", "elements": "str"},
            "login": {"type": "str"},
            "contact": {"type": "dict", "options": CONTACT},
        },
        body,
    )
