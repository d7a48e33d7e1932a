"""An instance as a whole: its steps in order, from nothing to a guest and back."""

from __future__ import annotations

from .access import access_steps
from .first_contact import Contact, first_contact_step
from .network import network_absent, network_steps
from .server import Wish, rebuilt_step, running_step, server_absent, server_step, the_server
from .site import Site
from .snapshot import snapshots_absent
from .steps import Step
from .volume import attachment_step, volume_absent, volume_step

Openness = tuple[int | None, list[str] | None]
"""The engine's port, and who may open it; None leaves that as it is."""


def present(
    site: Site, instance: str, wish: Wish | None, volume: int, contact: Contact, opened: Openness
) -> list[Step]:
    """One guest that runs, with its own host key and its volume; size in GiB."""
    return [
        *network_steps(site, instance),
        *access_steps(site, instance, *opened),
        volume_step(site, instance, volume),
        server_step(site, instance, wish),
        *_ready(site, instance, contact),
    ]


def rebuilt(site: Site, instance: str, wish: Wish, contact: Contact) -> list[Step]:
    """The guest runs on a new root disk; volume, port and address are those it had."""
    return [rebuilt_step(site, instance, wish), *_ready(site, instance, contact)]


def _ready(site: Site, instance: str, contact: Contact) -> list[Step]:
    return [
        running_step(site, instance),
        attachment_step(site, instance, lambda: the_server(site, instance)),
        first_contact_step(site, instance, contact),
    ]


def absent(site: Site, instance: str) -> list[Step]:
    """Nothing is left, whatever was there."""
    return [
        server_absent(site, instance),
        *snapshots_absent(site, instance),
        volume_absent(site, instance),
        *network_absent(site, instance),
    ]
