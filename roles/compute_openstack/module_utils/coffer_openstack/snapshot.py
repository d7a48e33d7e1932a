"""Snapshots of an instance: an image of its root disk, a snapshot of its volume."""

from __future__ import annotations

from typing import Any

from .errors import CloudRefused
from .image import own_images
from .server import FIRST_KEY, IMAGE, become, reach, running_step, stopped_step, the_server
from .site import Site
from .steps import Step
from .volume import attachment_step, detach, settled, the_volume

DISKS = ("root", "data")
USED = "(used)"
"""In place of a name, which it never is: the server is made of this image."""
NAME = "coffer_snapshot"
"""Property of an image: the snapshot it is part of, until that is used up."""


def _name(site: Site, instance: str, name: str) -> str:
    return f"{site.settings.name(instance)}@{name}"


def _images(site: Site, instance: str, name: str) -> list[Any]:
    return [each for each in own_images(site, instance) if each.properties.get(NAME) == name]


def volume_snapshots(site: Site, instance: str, name: str | None = None) -> list[Any]:
    """All of the instance, or those of one name."""
    found = site.cloud.block_storage.snapshots()
    return [
        each
        for each in found
        if each.metadata.get("coffer_instance") == instance
        and (name is None or each.name == _name(site, instance, name))
    ]


def taken(site: Site, instance: str, name: str) -> list[Step]:
    """There is a snapshot of both disks by this name."""
    return [
        Step(
            "root",
            lambda: any(i.status == "active" for i in _images(site, instance, name)),
            lambda: _take_root(site, instance, name),
        ),
        Step(
            "data",
            lambda: any(s.status == "available" for s in volume_snapshots(site, instance, name)),
            lambda: _take_data(site, instance, name),
        ),
    ]


def _take_root(site: Site, instance: str, name: str) -> None:
    """What a run that died left unfinished is thrown away."""
    for broken in _images(site, instance, name):
        site.cloud.image.delete_image(broken.id)
    server = reach(site, the_server(site, instance).id, "ACTIVE", "SHUTOFF")
    made_of = {IMAGE: server.metadata.get(IMAGE, "")}
    metadata = {**site.settings.metadata(instance), **made_of, NAME: name}
    made = site.cloud.compute.create_server_image(server, _name(site, instance, name), metadata)
    _await_image(site, made.id)
    for tag in site.settings.tags(instance):
        site.cloud.image.add_tag(made.id, tag)


def _await_image(site: Site, image_id: str) -> None:
    def look() -> Any:
        image = site.cloud.image.find_image(image_id)
        if image is None or image.status in ("killed", "deleted", "error"):
            raise CloudRefused("Nova could not make an image of the root disk")
        return image if image.status == "active" else None

    site.wait("image of the root disk", look)


def _take_data(site: Site, instance: str, name: str) -> None:
    for broken in volume_snapshots(site, instance, name):
        _remove_snapshot(site, broken)
    # Nova may still be busy with the root disk when its image is there, and some drivers ask Nova.
    reach(site, the_server(site, instance).id, "ACTIVE", "SHUTOFF")
    volume = settled(site, the_volume(site, instance).id)
    made = site.cloud.block_storage.create_snapshot(
        volume_id=volume.id,
        name=_name(site, instance, name),
        metadata=site.settings.metadata(instance),
        is_forced=True,
    )

    def look() -> Any:
        snapshot = site.cloud.block_storage.get_snapshot(made.id)
        if snapshot.status.startswith("error"):
            raise CloudRefused(f"Cinder left the snapshot as '{snapshot.status}'")
        return snapshot if snapshot.status == "available" else None

    site.wait("snapshot of the volume", look)


def restored(site: Site, instance: str, name: str, disks: list[str]) -> list[Step]:
    """The disks are what the snapshot has, once: it is used up by that.

    The guest is stopped before, and started again only when every disk is back.
    """
    # Asked once, before anything is done: a step that uses its part up must not hide the others.
    back = []
    if "root" in disks and _images(site, instance, name):
        back.append(_root_back(site, instance, name))
    if "data" in disks and volume_snapshots(site, instance, name):
        back.append(_data_back(site, instance, name))
    if not back:
        return _ready(site, instance)
    return [stopped_step(site, instance), *back, *_ready(site, instance)]


def _ready(site: Site, instance: str) -> list[Step]:
    return [
        attachment_step(site, instance, lambda: the_server(site, instance)),
        running_step(site, instance),
    ]


def _root_back(site: Site, instance: str, name: str) -> Step:
    """Nova needs the image for as long as the server is made of it: it only loses its name."""

    def rebuild() -> None:
        image = _images(site, instance, name)[0]
        server = reach(site, the_server(site, instance).id, "SHUTOFF")
        site.cloud.compute.rebuild_server(server, image=image.id)
        become(site, server.id, "SHUTOFF")
        if before := image.properties.get(IMAGE):
            site.cloud.compute.set_server_metadata(server, **{IMAGE: before})
        # The guest that comes back has its own host key.
        if FIRST_KEY in server.metadata:
            site.cloud.compute.delete_server_metadata(server, [FIRST_KEY])
        site.cloud.image.update_image(image.id, **{NAME: USED})
        _prune_images(site, instance)

    return Step("root", lambda: not _images(site, instance, name), rebuild)


def _data_back(site: Site, instance: str, name: str) -> Step:
    def revert() -> None:
        snapshot = volume_snapshots(site, instance, name)[0]
        detach(site, instance, the_server(site, instance).id)
        volume = the_volume(site, instance)
        site.cloud.block_storage.revert_volume_to_snapshot(volume, snapshot)
        settled(site, volume.id)
        _remove_snapshot(site, snapshot)

    return Step("data", lambda: not volume_snapshots(site, instance, name), revert)


def forgotten(site: Site, instance: str, name: str) -> list[Step]:
    """There is no snapshot by this name."""
    return [
        Step(
            "root",
            lambda: not _images(site, instance, name),
            lambda: _forget_images(site, instance, name),
        ),
        Step(
            "data",
            lambda: not volume_snapshots(site, instance, name),
            lambda: [_remove_snapshot(site, s) for s in volume_snapshots(site, instance, name)],
        ),
    ]


def _forget_images(site: Site, instance: str, name: str) -> None:
    for image in _images(site, instance, name):
        site.cloud.image.delete_image(image.id)


def _prune_images(site: Site, instance: str) -> None:
    """Used ones that the server no longer is made of."""
    current = the_server(site, instance).image.id
    for image in _images(site, instance, USED):
        if image.id != current:
            site.cloud.image.delete_image(image.id)


def _remove_snapshot(site: Site, snapshot: Any) -> None:
    def settled_snapshot() -> Any:
        found = site.cloud.block_storage.find_snapshot(snapshot.id)
        return None if found and found.status in ("creating", "deleting", "restoring") else True

    site.wait("snapshot to be idle", settled_snapshot)
    site.cloud.block_storage.delete_snapshot(snapshot.id)

    def gone() -> Any:
        found = site.cloud.block_storage.find_snapshot(snapshot.id)
        if found is not None and found.status.startswith("error"):
            raise CloudRefused(f"Cinder left the snapshot as '{found.status}'")
        return True if found is None else None

    site.wait("snapshot to be gone", gone)


def snapshots_absent(site: Site, instance: str) -> list[Step]:
    """Nothing of any snapshot is left; the server is gone already."""
    return [
        Step(
            "snapshots",
            lambda: not volume_snapshots(site, instance),
            lambda: [_remove_snapshot(site, s) for s in volume_snapshots(site, instance)],
        ),
        Step(
            "images",
            lambda: not own_images(site, instance),
            lambda: [site.cloud.image.delete_image(i.id) for i in own_images(site, instance)],
        ),
    ]
