"""Images: the one that is meant, and those that are an instance's own."""

from __future__ import annotations

import uuid
from typing import Any

from .errors import CloudRefused
from .site import Site


def image_of(site: Site, reference: str, tags: list[str]) -> Any:
    """By id, by name, or the newest one with a tag of that name; else the newest with all tags.

    CloudRefused if there is none, or if it is not ready to be used.
    """
    found = _by_reference(site, reference) if reference else _newest(site, tags)
    if found is None:
        wanted = f"'{reference}'" if reference else f"with all of the tags {', '.join(tags)}"
        raise CloudRefused(f"there is no active image {wanted}")
    return found


def _by_reference(site: Site, reference: str) -> Any:
    if _is_id(reference):
        found = site.cloud.image.find_image(reference)
        return found if found and found.status == "active" else None
    return _newest(site, [reference]) or _first(_active(site, name=reference))


def _newest(site: Site, tags: list[str]) -> Any:
    found = _active(site, tag=tags[0], sort="created_at:desc") if tags else []
    return _first([each for each in found if set(tags) <= set(each.tags)])


def _active(site: Site, **query: str) -> list[Any]:
    return list(site.cloud.image.images(status="active", **query))


def _first(found: list[Any]) -> Any:
    return found[0] if found else None


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def own_images(site: Site, instance: str) -> list[Any]:
    """Snapshots of the root disk; Nova writes the metadata before anything else."""
    found = site.cloud.image.images(owner=site.project_id, visibility="private")
    return [each for each in found if each.properties.get("coffer_instance") == instance]
