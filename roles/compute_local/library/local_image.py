"""Golden images of the local provider."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_local import base, claim, guest, image
from ansible.module_utils.coffer_local.command import run
from ansible.module_utils.coffer_local.files import locked
from ansible.module_utils.coffer_local.module import main
from ansible.module_utils.coffer_local.settings import Settings

DOCUMENTATION = r"""
module: local_image
short_description: Golden images of the local provider
description:
  - C(base) makes the stock image of a Debian suite if its inputs changed.
  - C(claimed) asks whether I(name) must be built of these inputs, and if so reserves the
    build for this run and makes the builder's keys.
  - C(published) makes the tree of a stopped builder the current version of I(name).
  - C(released) ends a build, however it went.
  - C(pruned) removes versions of I(name) that no guest uses.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  state:
    description: What to do.
    choices: [base, claimed, published, released, pruned]
    required: true
    type: str
  name:
    description: Name of the image. All states but C(base) need it.
    type: str
  base:
    description: Inputs of the stock image.
    type: dict
  version:
    description: What C(claimed) returned, for C(published).
    type: str
  inputs:
    description: What else the image is made of; another value makes another version.
    type: dict
  paths:
    description: Directories whose files belong to the inputs.
    elements: path
    type: list
  instance:
    description: The builder.
    type: str
  timeout:
    description: Seconds to wait for another run that builds the same image.
    default: 1800
    type: int
author: Coffer
"""
BASE = {
    "suite": {"type": "str", "required": True},
    "packages": {"type": "list", "elements": "str", "required": True},
    "mirror": {"type": "str", "required": True},
    "security_mirror": {"type": "str", "required": True},
    "apt_conf": {"type": "str", "required": True},
    "ca_directory": {"type": "str", "required": True},
    "serial": {"type": "str", "required": True},
}


def _base(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    wanted = _base_of(module)
    found = {"image": wanted.name, "version": wanted.version}
    if image.current(settings, wanted.name) == wanted.version:
        return {"changed": False, **found}
    if not module.check_mode:
        with locked(settings.image_dir / ".build" / f"{wanted.name}.lock"):
            _make_base(settings, wanted)
    return {"changed": True, **found}


def _base_of(module: AnsibleModule) -> base.Base:
    values = dict(module.params["base"] or {})
    certificates = base.certificates_in(values.pop("ca_directory", ""))
    return base.Base(**values, certificates=certificates)


def _make_base(settings: Settings, wanted: base.Base) -> None:
    """Under the lock: another run may have finished it meanwhile."""
    if image.current(settings, wanted.name) == wanted.version:
        return
    place = settings.image_dir / ".build" / wanted.version
    if place.exists():
        shutil.rmtree(place)
    place.mkdir(parents=True)
    tree = place / "tree"
    if not image.path_of(settings, wanted.version).exists():
        tree = base.build(wanted, place)
    image.publish(settings, wanted.name, wanted.version, tree)
    shutil.rmtree(place)


def _claimed(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    """build: whether this run is to build it; stale: a dead run may have left its builder."""
    params = module.params
    name, version = params["name"], _version(module)
    folder = str(claim.folder_of(settings, name))
    found = {"version": version, "folder": folder, "stale": False}
    if image.current(settings, name) == version:
        return {"changed": False, "build": False, **found}
    if module.check_mode:
        return {"changed": True, "build": False, **found}
    found["stale"] = claim.take(settings, name, params["timeout"])
    if image.current(settings, name) == version:
        claim.release(settings, name)
        return {"changed": False, "build": False, **found}
    return {"changed": True, "build": True, **found}


def _version(module: AnsibleModule) -> str:
    paths = [Path(path) for path in module.params["paths"] or []]
    inputs = {"inputs": module.params["inputs"], "files": image.digest_of(paths)}
    return image.version_of(module.params["name"], {**inputs, "base": _base_of(module).version})


def _published(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    """Under the version that was claimed: the files may have changed since."""
    name, version = module.params["name"], module.params["version"]
    if not module.check_mode:
        place = settings.image_dir / ".build" / f"{settings.prefix}-{version}"
        if place.exists():
            shutil.rmtree(place)
        place.mkdir()
        source = guest.root_of(settings, module.params["instance"])
        run("cp", "-a", "--reflink=auto", f"{source}/.", str(place), timeout=1800)
        base.clean(place)
        image.publish(settings, name, version, place)
        if place.exists():  # another installation was faster
            shutil.rmtree(place)
    return {"changed": True, "version": version}


def _released(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    name = module.params["name"]
    held = claim.folder_of(settings, name).exists()
    if held and not module.check_mode:
        claim.release(settings, name)
    return {"changed": held}


def _pruned(module: AnsibleModule, settings: Settings) -> dict[str, Any]:
    name = module.params["name"]
    removed = [path.name for path in image.prunable(settings, name)]
    if removed and not module.check_mode:
        image.prune(settings, name)
    return {"changed": bool(removed), "removed": removed}


BODIES = {
    "base": _base,
    "claimed": _claimed,
    "published": _published,
    "released": _released,
    "pruned": _pruned,
}

if __name__ == "__main__":
    main(
        {
            "state": {"choices": list(BODIES), "required": True},
            "name": {"type": "str"},
            "base": {"type": "dict", "options": BASE},
            "version": {"type": "str"},
            "inputs": {"type": "dict"},
            "paths": {"type": "list", "elements": "path"},
            "instance": {"type": "str"},
            "timeout": {"type": "int", "default": 1800},
        },
        lambda module, settings: BODIES[module.params["state"]](module, settings),
    )
