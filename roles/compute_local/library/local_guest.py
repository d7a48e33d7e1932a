"""A guest: a container with systemd as init on its own root disk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_local import guest, image, ssh, store
from ansible.module_utils.coffer_local.module import holding, main
from ansible.module_utils.coffer_local.settings import Settings
from ansible.module_utils.coffer_local.steps import converge

DOCUMENTATION = r"""
module: local_guest
short_description: Local guest
description:
  - Makes, starts, stops, resizes or removes a guest whose network and volume are there.
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
      - C(running) makes and starts it, with its network and disks as its record says.
      - C(present) gives it new limits and leaves it running or stopped.
    choices: [running, stopped, present, absent]
    default: running
    type: str
  image:
    description: Name of the golden image. Only a new guest needs it.
    type: str
  data_directory:
    description: Where the guest sees its data volume. Only a new guest needs it.
    type: path
  cpus:
    description: Number of CPUs. Without it the limits stay.
    type: float
  memory:
    description: MiB.
    type: int
  disk:
    description: GiB of the root disk. It never shrinks.
    type: int
  host_key:
    description: Private host key of the guest's SSH server. Without it what is there stays.
    type: str
  host_key_public:
    description: Public host key; the guest must prove it before the module is content.
    type: str
  public_key:
    description: Public key that may log in as root.
    type: str
  timeout:
    description: Seconds until the SSH server must answer.
    default: 60
    type: int
author: Coffer
"""


def body(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    with holding(module, settings):
        record = store.load(settings, module.params["instance"])
        return BODIES[module.params["state"]](module, settings, record)


def _running(
    module: AnsibleModule, settings: Settings, record: store.Record | None
) -> dict[str, Any]:
    if record is None and module.check_mode:
        return _result(["guest"], None)
    params = module.params
    known = _known(module, record)
    changed = _remember(module, settings, known)
    seed = guest.Seed(params["host_key"], params["public_key"])
    make, check = params["image"] is not None, module.check_mode
    changed += guest.bring_up(settings, known, seed, make, check)
    if not check:
        ssh.wait(known.address, params["host_key_public"], params["timeout"])
    return _result(changed, known)


def _stopped(
    module: AnsibleModule, settings: Settings, record: store.Record | None
) -> dict[str, Any]:
    known = _known(module, record)
    if known.guest and not module.check_mode:
        known.guest.wanted = "stopped"
        store.save(settings, known)
    return _result(converge(guest.stopped(settings, known), module.check_mode), known)


def _present(
    module: AnsibleModule, settings: Settings, record: store.Record | None
) -> dict[str, Any]:
    known = _known(module, record)
    changed = _remember(module, settings, known)
    return _result(changed + converge(guest.resized(settings, known), module.check_mode), known)


def _absent(
    module: AnsibleModule, settings: Settings, record: store.Record | None
) -> dict[str, Any]:
    """The record loses its guest first: from then on no resume brings it back."""
    if record and record.guest and not module.check_mode:
        record.guest = None
        store.save(settings, record)
    steps = guest.absent(settings, module.params["instance"])
    return _result(converge(steps, module.check_mode), None)


BODIES = {"running": _running, "stopped": _stopped, "present": _present, "absent": _absent}


def _known(module: AnsibleModule, record: store.Record | None) -> store.Record:
    if record is None:
        raise ValueError(f"instance {module.params['instance']} is not on this host")
    return record


def _remember(module: AnsibleModule, settings: Settings, record: store.Record) -> list[str]:
    """Write down what is wanted before anything is made of it."""
    before = record.guest
    if before is None:
        record.guest = _new(module, settings)
    else:
        record.guest = _changed(module, before)
    if record.guest == before:
        return []
    if not module.check_mode:
        store.save(settings, record)
    return ["record"]


def _new(module: AnsibleModule, settings: Settings) -> store.Guest:
    params = module.params
    needed = ("image", "data_directory", "cpus", "memory", "disk")
    if missing := [name for name in needed if params[name] is None]:
        raise ValueError(f"a new guest needs {', '.join(missing)}")
    name = settings.name(params["instance"])
    if module.check_mode:
        version = image.current(settings, params["image"]) or params["image"]
    else:
        version = image.use(settings, params["image"], name)
    return store.Guest(version, **{name: params[name] for name in needed[1:]})


def _changed(module: AnsibleModule, before: store.Guest) -> store.Guest:
    """The image and the place of the data never change; the root disk never shrinks."""
    params = module.params
    return replace(
        before,
        cpus=params["cpus"] or before.cpus,
        memory=params["memory"] or before.memory,
        disk=max(params["disk"] or 0, before.disk),
        wanted="running" if params["state"] == "running" else before.wanted,
    )


def _result(steps: list[str], record: store.Record | None) -> dict[str, Any]:
    found = {"address": record.address} if record else {}
    if record and record.guest:
        found |= {"image": record.guest.image}
    return {"changed": bool(steps), "steps": steps, **found}


if __name__ == "__main__":
    main(
        {
            "instance": {"type": "str", "required": True},
            "state": {"choices": list(BODIES), "default": "running"},
            "image": {"type": "str"},
            "data_directory": {"type": "path"},
            "cpus": {"type": "float"},
            "memory": {"type": "int"},
            "disk": {"type": "int"},
            "host_key": {"type": "str", "no_log": True},
            "host_key_public": {"type": "str", "no_log": False},
            "public_key": {"type": "str", "no_log": False},
            "timeout": {"type": "int", "default": 60},
        },
        body,
    )
