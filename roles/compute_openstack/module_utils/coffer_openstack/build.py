"""Images that engines start from: what they are made of, and which one is current.

An image is public to nobody but its project. Its tag is the name that versions ask for; its
properties say who made it and of what, so that nothing is built twice.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .errors import CloudRefused
from .server import IMAGE, reach, the_server
from .site import Site

INPUTS = "coffer_inputs"
INSTALLATION = "coffer_installation"
_OF_ONE_IMAGE = (
    *("id", "name", "status", "visibility", "protected", "tags", "owner", "size", "virtual_size"),
    *("checksum", "min_disk", "min_ram", "disk_format", "container_format", "created_at"),
    *("updated_at", "file", "self", "schema", "direct_url", "locations", "stores", "os_hash_"),
    *("os_hidden", "owner_specified", "image_", "base_image_ref", "instance_uuid", "user_id"),
    "os_glance_",
)
"""How the names begin of what Glance and Nova say of one image, and no other has."""


def inputs_of(paths: list[Path], inputs: Any, stock: str) -> str:
    """One word that is another one when anything that the image is made of is."""
    files = {
        f"{top.name}/{path.relative_to(top)}": hashlib.sha256(path.read_bytes()).hexdigest()
        for top in paths
        for path in sorted(top.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    text = json.dumps({"files": files, "inputs": inputs, "stock": stock}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def built(site: Site, name: str) -> list[Any]:
    """Our active images of this name, newest first."""
    found = site.cloud.image.images(
        status="active", tag=name, owner=site.project_id, sort="created_at:desc"
    )
    ours = site.settings.prefix
    return [each for each in found if each.properties.get(INSTALLATION) == ours]


def current(site: Site, name: str, inputs: str) -> Any:
    """The newest one, if it is made of that."""
    for image in built(site, name)[:1]:
        return image if image.properties.get(INPUTS) == inputs else None
    return None


def builder_flavor(site: Site, wanted: str, memory: int) -> dict[str, str]:
    """The one that is named, else the smallest with enough memory (MiB)."""
    if wanted:
        return {"id": wanted, "name": wanted}
    fitting = [each for each in site.cloud.compute.flavors() if each.ram >= memory]
    if not fitting:
        raise CloudRefused(f"no flavor of the cloud has {memory} MiB for the builder")
    smallest = min(fitting, key=lambda each: (each.ram, each.vcpus, each.disk))
    return {"id": smallest.id, "name": smallest.name}


def properties(site: Site, inputs: str, engine: str) -> dict[str, str]:
    """What says whose an image is, and what it is made of."""
    return {INSTALLATION: site.settings.prefix, INPUTS: inputs, "coffer_engine": engine}


def snapshot(site: Site, name: str, instance: str, made_of: dict[str, str]) -> Any:
    """An image of a builder that does not run."""
    server = reach(site, the_server(site, instance).id, "SHUTOFF")
    made = site.cloud.compute.create_server_image(server, _title(site, name), made_of)

    def look() -> Any:
        image = site.cloud.image.find_image(made.id)
        if image is None or image.status in ("killed", "deleted", "error"):
            raise CloudRefused("Nova could not make an image of the builder")
        return image if image.status == "active" else None

    return site.wait(f"image {name}", look)


def upload(
    site: Site, name: str, path: Path, size: int, stock: Any, made_of: dict[str, str]
) -> Any:
    """An image of a file whose disk has `size` GiB; all else is as the stock image has it."""
    told = site.cloud.image.get(f"/images/{stock.id}").json()
    kept = {key: value for key, value in told.items() if not key.startswith(_OF_ONE_IMAGE)}
    with path.open("rb") as stream:
        return site.cloud.image.create_image(
            _title(site, name),
            data=stream,
            disk_format=stock.disk_format,
            container_format=stock.container_format,
            visibility="private",
            min_disk=size,
            min_ram=stock.min_ram,
            **kept | made_of,
        )


def tag(site: Site, image: Any, name: str) -> None:
    """Last: with its name as a tag an image is the one that instances start from."""
    for word in ("coffer", f"coffer-installation={site.settings.prefix}", name):
        site.cloud.image.add_tag(image.id, word)


def _title(site: Site, name: str) -> str:
    return f"{site.settings.prefix}-image-{name}"


def prunable(site: Site, name: str) -> list[Any]:
    """Older ones that no server of ours is made of, and those that were never finished."""
    used = {
        found
        for server in site.cloud.compute.servers()
        for found in (server.metadata.get(IMAGE), (server.image or {}).get("id"))
    }
    named = site.cloud.image.images(name=_title(site, name), owner=site.project_id)
    newest = {each.id for each in built(site, name)[:1]}
    passing = {"queued", "saving", "importing", "uploading"}
    return [each for each in named if each.id not in used | newest and each.status not in passing]
