"""The server of an instance, and the ways between its statuses."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from .errors import CloudRefused
from .network import ports
from .site import PAUSE, Site
from .steps import Step
from .user_data import OnceKey, user_data

FIRST_KEY = "coffer_first_key"
"""Metadata: the public half of the key for the first contact, until that has been."""
IMAGE = "coffer_image"
"""Metadata: the image that the root disk was made of; it comes back with a snapshot."""


def servers(site: Site, instance: str) -> list[Any]:
    """Of this name, and really ours. Nova takes names for regular expressions."""
    name = site.settings.name(instance)
    found = site.cloud.compute.servers(name=f"^{re.escape(name)}$")
    return [
        each
        for each in found
        if each.name == name and each.metadata.get("coffer_instance") == instance
    ]


def the_server(site: Site, instance: str) -> Any:
    """CloudRefused if there is none."""
    for server in servers(site, instance):
        return server
    raise CloudRefused(f"instance {instance} is not in this cloud")


def fault_of(server: Any) -> str:
    """Nova's own words on why a server is as it is."""
    told = server.fault or {}
    return " ".join(str(told.get("message") or "Nova gives no reason").split())


def reach(site: Site, server_id: str, *statuses: str) -> Any:
    """The server once it has one of these statuses and nothing is under way.

    CloudRefused when it ends in another one: with Nova's own words.
    """

    def look() -> Any:
        server = site.cloud.compute.get_server(server_id)
        return None if server.task_state or server.status in _PASSING else server

    server = site.wait(f"server to become {' or '.join(statuses)}", look)
    if server.status not in statuses:
        raise CloudRefused(f"Nova left the server as {server.status}: {fault_of(server)}")
    return server


_PASSING = {"BUILD", "REBUILD", "RESIZE", "REBOOT", "HARD_REBOOT", "REVERT_RESIZE", "PASSWORD"}
"""Statuses that end by themselves."""


@dataclass(frozen=True)
class Wish:
    """What a server is made of: ids of the cloud, and the public key that may log in."""

    image: str
    flavor: str
    login: str


def server_step(site: Site, instance: str, wish: Wish | None) -> Step:
    """There is a server; one that never came up is replaced. It is not waited for."""

    def make() -> None:
        if wish is None:
            raise CloudRefused("a new server needs an image and a flavor")
        for broken in servers(site, instance):
            _remove(site, broken.id)
        key = OnceKey.make()
        settings = site.settings
        site.cloud.compute.create_server(
            name=settings.name(instance),
            image_id=wish.image,
            flavor_id=wish.flavor,
            networks=[{"port": ports(site, instance)[0].id}],
            user_data=user_data(settings.user_data, wish.login, key),
            config_drive=settings.config_drive,
            metadata={
                **settings.metadata(instance),
                FIRST_KEY: key.public,
                IMAGE: wish.image,
            },
            tags=settings.tags(instance),
            **({"availability_zone": zone} if (zone := settings.availability_zone) else {}),
        )

    return Step("server", lambda: any(not _never_came_up(s) for s in servers(site, instance)), make)


def _never_came_up(server: Any) -> bool:
    return server.status == "ERROR" and FIRST_KEY in server.metadata


def running_step(site: Site, instance: str) -> Step:
    """The server runs."""

    def done() -> bool:
        found = servers(site, instance)
        return bool(found) and found[0].status == "ACTIVE" and not found[0].task_state

    def run() -> None:
        server = reach(site, the_server(site, instance).id, "ACTIVE", "SHUTOFF")
        if server.status == "SHUTOFF":
            site.cloud.compute.start_server(server)
            become(site, server.id, "ACTIVE")

    return Step("running", done, run)


def stopped_step(site: Site, instance: str) -> Step:
    """The server does not run; the guest shut down in order."""

    def stop() -> None:
        server = reach(site, the_server(site, instance).id, "ACTIVE", "SHUTOFF")
        if server.status == "ACTIVE":
            site.cloud.compute.stop_server(server)
            become(site, server.id, "SHUTOFF")

    return Step("stopped", lambda: the_server(site, instance).status == "SHUTOFF", stop)


def become(site: Site, server_id: str, *statuses: str) -> Any:
    """The server after an action during which Nova shows another status without a task.

    It is the old one before a server stops or starts; and after a rebuild a server that did not run
    does so for a moment.
    """

    def look() -> Any:
        server = site.cloud.compute.get_server(server_id)
        if server.status == "ERROR":
            raise CloudRefused(f"Nova left the server as ERROR: {fault_of(server)}")
        return server if server.status in statuses and not server.task_state else None

    return site.wait(f"server to become {' or '.join(statuses)}", look)


def rebuilt_step(site: Site, instance: str, wish: Wish) -> Step:
    """The root disk is made of this image; volume, port and address stay."""

    def done() -> bool:
        """Not after a rollback: the server then is made of a snapshot's image."""
        server = the_server(site, instance)
        return bool(server.metadata.get(IMAGE) == server.image.id == wish.image)

    return Step("rebuild", done, lambda: rebuild(site, instance, wish))


def rebuild(site: Site, instance: str, wish: Wish) -> None:
    """A new root disk, which introduces itself like that of a new server.

    The metadata is written first: whoever finds the server later knows what is going on.
    """
    server = reach(site, the_server(site, instance).id, "ACTIVE", "SHUTOFF")
    status = server.status  # the call writes another one into it
    key = OnceKey.make()
    data = user_data(site.settings.user_data, wish.login, key)
    site.cloud.compute.set_server_metadata(server, **{FIRST_KEY: key.public})
    site.cloud.compute.rebuild_server(server, image=wish.image, user_data=data)
    become(site, server.id, status)
    site.cloud.compute.set_server_metadata(server, **{IMAGE: wish.image})


def server_absent(site: Site, instance: str) -> Step:
    """Servers of this name, also those that Nova could not build."""

    def remove() -> None:
        for server in servers(site, instance):
            _remove(site, server.id)

    return Step("server", lambda: not servers(site, instance), remove)


def _remove(site: Site, server_id: str) -> None:
    """Deleting may be asked for at any moment; Nova is asked again when it gave up."""
    deadline = time.monotonic() + site.settings.timeout
    site.cloud.compute.delete_server(server_id)
    while (server := site.cloud.compute.find_server(server_id)) is not None:
        if time.monotonic() > deadline:
            raise CloudRefused(f"Nova did not delete the server: {fault_of(server)}")
        time.sleep(PAUSE)
