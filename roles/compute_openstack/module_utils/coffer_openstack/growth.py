"""A larger data volume: in place where its driver can do that, else between stop and start."""

from __future__ import annotations

from .server import reach, running_step, servers, stopped_step, the_server
from .site import Site
from .steps import Step
from .volume import attachment_step, detach, extend, the_volume


def growth_steps(site: Site, instance: str, size: int) -> list[Step]:
    """The volume has at least this many GiB, and hangs on a server that runs as it did."""

    def done() -> bool:
        return bool(the_volume(site, instance).size >= size)

    if site.settings.grow_online:
        return [Step("grow the volume", done, lambda: extend(site, instance, size))]
    return [
        Step("grow the volume", done, lambda: _grow_offline(site, instance, size)),
        attachment_step(site, instance, lambda: the_server(site, instance)),
        *([running_step(site, instance)] if _should_run(site, instance) else []),
    ]


def _should_run(site: Site, instance: str) -> bool:
    """A volume that hangs nowhere tells of a run that died while it grew."""
    found = servers(site, instance)
    detached = the_volume(site, instance).status != "in-use"
    return bool(found) and (found[0].status == "ACTIVE" or detached)


def _grow_offline(site: Site, instance: str, size: int) -> None:
    stop = stopped_step(site, instance)
    if not stop.done():
        stop.do()
    detach(site, instance, reach(site, the_server(site, instance).id, "SHUTOFF").id)
    extend(site, instance, size)
