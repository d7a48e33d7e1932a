"""Another flavor: Nova moves the server, we look at it, and confirm or go back."""

from __future__ import annotations

import socket
from typing import Any

from .errors import CloudRefused
from .network import address
from .server import become, fault_of, reach, the_server
from .site import Site
from .steps import Step

_SSH = 22


def flavor_of(site: Site, flavor: dict[str, Any]) -> Any:
    """Nova's flavor by Coffer's id or name; CloudRefused if there is none."""
    for reference in (flavor.get("id"), flavor.get("name")):
        found = site.cloud.compute.find_flavor(reference) if reference else None
        if found is not None:
            return found
    raise CloudRefused(f"flavor '{flavor.get('name') or flavor.get('id')}' does not exist")


def resize_step(site: Site, instance: str, flavor: dict[str, Any]) -> Step:
    """The server has this flavor, and nothing is left to confirm."""

    def done() -> bool:
        server = the_server(site, instance)
        return server.status in ("ACTIVE", "SHUTOFF") and _has(server, flavor_of(site, flavor))

    return Step("flavor", done, lambda: _resize(site, instance, flavor_of(site, flavor)))


def _has(server: Any, flavor: Any) -> bool:
    return bool(server.flavor.name == flavor.name)


def _resize(site: Site, instance: str, flavor: Any) -> None:
    server = reach(site, the_server(site, instance).id, "ACTIVE", "SHUTOFF", "VERIFY_RESIZE")
    if server.status == "VERIFY_RESIZE" and not _has(server, flavor):
        _revert(site, server)
        server = reach(site, server.id, "ACTIVE", "SHUTOFF")
    if server.status != "VERIFY_RESIZE":
        site.cloud.compute.resize_server(server, flavor)
        server = reach(site, server.id, "ACTIVE", "SHUTOFF", "VERIFY_RESIZE")
        if server.status != "VERIFY_RESIZE":
            raise CloudRefused(f"Nova did not resize the server: {_reason(site, server)}")
    if server.power_state == _RUNNING and not _answers(site, instance):
        _revert(site, server)
        raise CloudRefused(f"the guest does not answer as {flavor.name}; it has its old flavor")
    site.cloud.compute.confirm_server_resize(server)
    become(site, server.id, "ACTIVE", "SHUTOFF")


_RUNNING = 1


def _revert(site: Site, server: Any) -> None:
    site.cloud.compute.revert_server_resize(server)
    become(site, server.id, "ACTIVE", "SHUTOFF")


def _answers(site: Site, instance: str) -> bool:
    """Whether its SSH server says who it is within the time that anything may take."""
    try:
        site.wait("SSH", lambda: _greets(str(address(site, instance))))
    except CloudRefused:
        return False
    return True


def _greets(host: str) -> bool | None:
    try:
        with socket.create_connection((host, _SSH), timeout=5) as stream:
            stream.settimeout(5)
            return True if stream.recv(4) == b"SSH-" else None
    except OSError:
        return None


def _reason(site: Site, server: Any) -> str:
    """Nova keeps why an action failed with the action."""
    if server.fault:
        return fault_of(server)
    for action in site.cloud.compute.server_actions(server):
        if action.action == "resize":
            told = site.cloud.compute.get_server_action(action.request_id, server)
            events = [event.get("result") for event in told.events or []]
            return f"its events ended as {', '.join(map(str, events))}"
    return "it gives no reason"
