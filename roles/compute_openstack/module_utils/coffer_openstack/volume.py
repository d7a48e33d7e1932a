"""The data volume of an instance."""

from __future__ import annotations

from typing import Any

from .errors import CloudRefused
from .site import Site
from .steps import Step

_PASSING = {
    "creating",
    "attaching",
    "detaching",
    "extending",
    "reserved",
    "deleting",
    "reverting",
    "downloading",
    "uploading",
    "backing-up",
    "restoring-backup",
    "retyping",
}
"""Statuses that end by themselves."""


def volumes(site: Site, instance: str) -> list[Any]:
    """Of this name, and really ours: names are not unique in Cinder."""
    found = site.cloud.block_storage.volumes(name=site.settings.name(instance))
    return [each for each in found if each.metadata.get("coffer_instance") == instance]


def the_volume(site: Site, instance: str) -> Any:
    """CloudRefused if there is none."""
    for volume in volumes(site, instance):
        return volume
    raise CloudRefused(f"the data volume {site.settings.name(instance)} does not exist")


def settled(site: Site, volume_id: str) -> Any:
    """The volume once it is not on its way to another status; CloudRefused on an error."""

    def look() -> Any:
        volume = site.cloud.block_storage.get_volume(volume_id)
        return None if volume.status in _PASSING else volume

    volume = site.wait(f"volume {volume_id}", look)
    if volume.status.startswith("error"):
        why = _why(site, volume)
        raise CloudRefused(f"Cinder left volume {volume_id} as '{volume.status}'{why}")
    return volume


def _why(site: Site, volume: Any) -> str:
    """Cinder tells the reason of a failure in a message of its own."""
    found = site.cloud.block_storage.get("/messages", microversion="3.5")
    told = found.json().get("messages", []) if found.ok else []
    for message in told:
        if message.get("resource_uuid") == volume.id:
            return f": {message.get('user_message')}"
    return ""


def volume_step(site: Site, instance: str, size: int) -> Step:
    """There is a volume; size in GiB. It is not waited for."""

    def make() -> None:
        site.cloud.block_storage.create_volume(
            name=site.settings.name(instance),
            size=size,
            metadata=site.settings.metadata(instance),
            volume_type=site.settings.volume_type or None,
            availability_zone=site.settings.volume_availability_zone or None,
        )

    return Step("volume", lambda: bool(volumes(site, instance)), make)


def attachment_step(site: Site, instance: str, server: Any) -> Step:
    """The volume hangs on the server; `server` gives its id when it is asked."""

    def done() -> bool:
        there = volumes(site, instance)
        return bool(there) and there[0].status == "in-use"

    def attach() -> None:
        volume = settled(site, the_volume(site, instance).id)
        if volume.status != "in-use":
            site.cloud.compute.create_volume_attachment(server(), volume_id=volume.id)
            _await(site, volume.id, "in-use")

    return Step("attach the volume", done, attach)


def detach(site: Site, instance: str, server_id: str) -> None:
    """Only from a server that does not run: the guest has the volume mounted."""
    volume = settled(site, the_volume(site, instance).id)
    if volume.status == "in-use":
        site.cloud.compute.delete_volume_attachment(server_id, volume.id)
        _await(site, volume.id, "available")


def _await(site: Site, volume_id: str, status: str) -> None:
    def look() -> Any:
        volume = settled(site, volume_id)
        return volume if volume.status == status else None

    site.wait(f"volume {volume_id} to become '{status}'", look)


def extend(site: Site, instance: str, size: int) -> None:
    """GiB. Attached or not: not every driver can do both."""
    volume = settled(site, the_volume(site, instance).id)
    site.cloud.block_storage.extend_volume(volume, size)

    def look() -> Any:
        now = settled(site, volume.id)
        return now if now.size >= size else None

    site.wait(f"volume {volume.id} to grow", look)


def volume_absent(site: Site, instance: str) -> Step:
    """With the server gone first."""

    def remove() -> None:
        for volume in volumes(site, instance):
            _remove(site, volume.id)

    return Step("volume", lambda: not volumes(site, instance), remove)


def _remove(site: Site, volume_id: str) -> None:
    def idle() -> Any:
        found = site.cloud.block_storage.find_volume(volume_id)
        return None if found and found.status in _PASSING - {"deleting"} else True

    site.wait(f"volume {volume_id} to be idle", idle)
    site.cloud.block_storage.delete_volume(volume_id)

    def gone() -> Any:
        found = site.cloud.block_storage.find_volume(volume_id)
        if found is not None and found.status == "error_deleting":
            raise CloudRefused(f"Cinder could not delete volume {volume_id}{_why(site, found)}")
        return True if found is None else None

    site.wait(f"volume {volume_id} to be gone", gone)
