"""A guest: a container with systemd as init on its own root disk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_local import access, guest, image, store
from ansible.module_utils.coffer_local.module import main
from ansible.module_utils.coffer_local.settings import Settings
from ansible.module_utils.coffer_local.steps import converge

DOCUMENTATION = r"""
module: local_guest
short_description: Local guest
description:
  - Makes, starts, stops, resizes or removes a guest with its network and its disks.
  - One module and one task, because a task costs more than all that it does here.
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
      - C(running) makes it if there is an I(image) to make it of, and starts it.
      - C(present) gives it new limits and sizes and leaves it running or stopped.
      - C(rebuilt) gives it a new root disk of the I(image) and starts it; its data stay.
    choices: [running, stopped, present, rebuilt, absent]
    default: running
    type: str
  image:
    description: Name of the golden image. Only a new guest needs it, and one that is rebuilt.
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
  volume:
    description: GiB of the data volume. It never shrinks.
    type: int
  host_key:
    description: Private host key of the guest's SSH server. Without it what is there stays.
    type: str
  public_key:
    description: Public key that may log in as root.
    type: str
  port:
    description: The engine's TCP port, to which I(allowed_cidrs) are let in and nobody else.
    type: int
  allowed_cidrs:
    description: Networks. Without them who may connect stays as it is.
    type: list
    elements: str
author: Coffer
"""
STATES = ["running", "stopped", "present", "rebuilt", "absent"]
NEEDED = ("image", "data_directory", "cpus", "memory", "disk", "volume")


def body(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    params = module.params
    with store.holding(settings, params["instance"], module.check_mode):
        record = store.load(settings, params["instance"])
        if params["state"] == "absent":
            return _absent(module, settings, record)
        if record is None and params["image"] is None:
            raise ValueError(f"instance {params['instance']} is not on this host")
        if record is None and module.check_mode:
            return {"changed": True, "steps": ["guest"]}
        known = record or store.ensure(settings, params["instance"])
        changed = (["record"] if record is None else []) + _up(module, settings, known)
    return {
        "changed": bool(changed),
        "steps": changed,
        "address": known.address,
        "image": known.guest.image if known.guest else None,
    }


def _absent(
    module: AnsibleModule, settings: Settings, record: store.Record | None
) -> dict[str, Any]:
    """The record loses its guest first: from then on no resume brings it back."""
    if record and record.guest and not module.check_mode:
        record.guest = None
        store.save(settings, record)
    steps = guest.absent(settings, module.params["instance"])
    changed = converge(steps, module.check_mode)
    return {"changed": bool(changed), "steps": changed}


def _up(module: AnsibleModule, settings: Settings, record: store.Record) -> list[str]:
    """Write down what is wanted before anything is made of it."""
    params, check = module.params, module.check_mode
    changed = _remember(module, settings, record)
    if params["state"] == "rebuilt":
        changed += _rebuild(module, settings, record)
    if params["state"] == "stopped":
        return changed + converge(guest.stopped(settings, record), check)
    seed = guest.Seed(params["host_key"], params["public_key"])
    changed += guest.bring_up(settings, record, seed, check)
    return changed


def _rebuild(module: AnsibleModule, settings: Settings, record: store.Record) -> list[str]:
    """Take the root disk away. The image before stays chosen: a snapshot may need it."""
    guest_ = record.guest
    if guest_ is None or not guest_.applied or guest_.rebuild == "make":
        return []  # it has not run since it was made anew
    if module.check_mode:
        return ["rebuild"]
    name = settings.name(record.instance)
    guest_.image = image.use(settings, module.params["image"], name)
    guest_.rebuild = "remove"
    store.save(settings, record)
    steps = converge(guest.without_root(settings, record), False)
    guest_.rebuild = "make"
    store.save(settings, record)
    return ["rebuild", *steps]


def _remember(module: AnsibleModule, settings: Settings, record: store.Record) -> list[str]:
    before = replace(record)
    size = max(module.params["volume"] or 0, record.volumes.get("data", 0))
    record.volumes = {"data": size}
    params = module.params
    record.access = access.wanted(params["port"], params["allowed_cidrs"]) or record.access
    record.guest = _changed(module, record.guest or _new(module, settings))
    if record == before:
        return []
    if not module.check_mode:
        store.save(settings, record)
    return ["wanted"]


def _new(module: AnsibleModule, settings: Settings) -> store.Guest:
    params = module.params
    if missing := [name for name in NEEDED if params[name] is None]:
        raise ValueError(f"a new guest needs {', '.join(missing)}")
    name = settings.name(params["instance"])
    if module.check_mode:
        version = image.current(settings, params["image"]) or params["image"]
    else:
        version = image.use(settings, params["image"], name)
    limits = {name: params[name] for name in ("cpus", "memory", "disk")}
    return store.Guest(image=version, data_directory=params["data_directory"], **limits)


def _changed(module: AnsibleModule, before: store.Guest) -> store.Guest:
    """The image and the place of the data never change; the root disk never shrinks."""
    params = module.params
    wanted = {"present": before.wanted, "rebuilt": "running"}.get(params["state"], params["state"])
    return replace(
        before,
        cpus=params["cpus"] or before.cpus,
        memory=params["memory"] or before.memory,
        disk=max(params["disk"] or 0, before.disk),
        wanted=wanted,
    )


if __name__ == "__main__":
    main(
        {
            "instance": {"type": "str", "required": True},
            "state": {"choices": STATES, "default": "running"},
            "image": {"type": "str"},
            "data_directory": {"type": "path"},
            "cpus": {"type": "float"},
            "memory": {"type": "int"},
            "disk": {"type": "int"},
            "volume": {"type": "int"},
            "host_key": {"type": "str", "no_log": True},
            "public_key": {"type": "str", "no_log": False},
            "port": {"type": "int"},
            "allowed_cidrs": {"type": "list", "elements": "str"},
        },
        body,
    )
