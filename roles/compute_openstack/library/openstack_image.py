"""The image of an engine's version in Glance."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_openstack import build
from ansible.module_utils.coffer_openstack.image import image_of
from ansible.module_utils.coffer_openstack.module import main
from ansible.module_utils.coffer_openstack.site import Site

DOCUMENTATION = r"""
module: openstack_image
short_description: Image that instances of an engine start from
description:
  - Says whether an image has to be built, makes it of a builder, or removes those of no use.
options:
  settings:
    description: The provider's settings.
    type: dict
    required: true
  state:
    description:
      - C(wanted) returns C(build), and if it is true makes keys for a builder in I(folder).
      - C(published) makes it of the I(file), or else of the I(instance), which must be stopped.
      - C(pruned) removes older ones that no server is made of.
    choices: [wanted, published, pruned]
    required: true
    type: str
  name:
    description: Its tag, which versions ask for.
    type: str
    required: true
  stock:
    description: Id, name or tag of the image that the builder starts from. A I(file) becomes an
      image like it.
    type: str
  inputs:
    description: What it is made of beside files.
    type: dict
  paths:
    description: Directories of the files that it is made of.
    type: list
    elements: path
  folder:
    description: Where C(wanted) makes a directory for the builder's keys.
    type: path
  flavor:
    description: Nova's flavor of the builder. Empty for the smallest that is enough.
    type: str
    default: ""
  memory:
    description: MiB that are enough.
    type: int
    default: 1024
  instance:
    description: The builder.
    type: str
  file:
    description: What M(openstack_tree) packed, and how large its disk is (GiB, I(size)).
    type: path
  size:
    description: See I(file).
    type: int
  digest:
    description: What C(wanted) returned as C(digest).
    type: str
  engine:
    description: The engine, for who looks at the image.
    type: str
author: Coffer
"""


def _wanted(module: AnsibleModule, site: Site) -> dict[str, Any]:
    params = module.params
    stock = image_of(site, params["stock"], [])
    paths = [Path(path) for path in params["paths"] or []]
    digest = build.inputs_of(paths, params["inputs"], stock.id)
    there = build.current(site, params["name"], digest)
    if there is not None:
        return {"changed": False, "build": False, "digest": digest, "image": there.id}
    found = {"changed": True, "digest": digest, "image": None}
    if module.check_mode:
        return {**found, "build": False}
    flavor = build.builder_flavor(site, params["flavor"], params["memory"])
    return {**found, "build": True, "flavor": flavor, "folder": _keys(Path(params["folder"]))}


def _keys(folder: Path) -> str:
    """A fresh pair of keys for the builder and one for us, in place of a dead run's."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    for key in ("host_key", "login_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
        subprocess.run(command, check=True)
    public = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text(f"builder {public}")
    return str(folder)


def _published(module: AnsibleModule, site: Site) -> dict[str, Any]:
    params = module.params
    if module.check_mode:
        return {"changed": True, "image": None}
    made_of = build.properties(site, params["digest"], params["engine"])
    if params["file"]:
        stock = image_of(site, params["stock"], [])
        image = build.upload(
            site, params["name"], Path(params["file"]), params["size"], stock, made_of
        )
    else:
        image = build.snapshot(site, params["name"], params["instance"], made_of)
    build.tag(site, image, params["name"])
    return {"changed": True, "image": image.id}


def _pruned(module: AnsibleModule, site: Site) -> dict[str, Any]:
    found = build.prunable(site, module.params["name"])
    for image in [] if module.check_mode else found:
        site.cloud.image.delete_image(image.id)
    return {"changed": bool(found), "removed": [image.id for image in found]}


BODIES = {"wanted": _wanted, "published": _published, "pruned": _pruned}

if __name__ == "__main__":
    main(
        {
            "state": {"choices": list(BODIES), "required": True},
            "name": {"type": "str", "required": True},
            "stock": {"type": "str"},
            "inputs": {"type": "dict"},
            "paths": {"type": "list", "elements": "path"},
            "folder": {"type": "path"},
            "flavor": {"type": "str", "default": ""},
            "memory": {"type": "int", "default": 1024},
            "instance": {"type": "str"},
            "file": {"type": "path"},
            "size": {"type": "int"},
            "digest": {"type": "str"},
            "engine": {"type": "str"},
        },
        lambda module, site: BODIES[module.params["state"]](module, site),
    )
