"""Endpoints of the Trove API that Coffer answers with 501: known, but not built.

Which they are, and why, is a table: `docs/trove.md` shows the same.
"""

from collections.abc import Callable
from typing import Any

from api.call import Call
from api.endpoint import Access, endpoint
from api.lookup import find_instance
from coffer.errors import NotSupported

SSL = "ssl: certificates are Coffer's own; every instance has TLS from the start"
MODULES = "modules: not supported"
CLUSTERS = "clusters: not supported; an engine's replicas are instances"
RULES = "configuration-parameter: the rules are data of the engine's role and change with it"
ENDPOINTS: tuple[tuple[str, str, str], ...] = (
    ("/instances/{instance}/ssl", "get post", SSL),
    ("/instances/{instance}/modules", "post", MODULES),
    ("/instances/{instance}/modules/{module}", "delete", MODULES),
    ("/clusters", "post", CLUSTERS),
    ("/clusters/{cluster}", "get post delete", CLUSTERS),
    ("/clusters/{cluster}/root", "get post", CLUSTERS),
    ("/clusters/{cluster}/instances/{member}", "get", CLUSTERS),
    ("/modules", "post", MODULES),
    ("/modules/{module}", "get put delete", MODULES),
    ("/modules/{module}/instances", "get put", MODULES),
    (
        "/mgmt/instances/{instance}/upgrade",
        "post",
        "upgrade: PUT instances/{id} with datastore_version does it",
    ),
    ("/mgmt/datastores/versions/{version}/parameters", "post", RULES),
    ("/mgmt/datastores/versions/{version}/parameters/{parameter}", "put delete", RULES),
    ("/mgmt/clusters", "get", CLUSTERS),
    ("/mgmt/clusters/{cluster}", "get", CLUSTERS),
    ("/mgmt/clusters/{cluster}/action", "post", CLUSTERS),
)


def add_unsupported(resources: dict[str, Any]) -> None:
    """Give every endpoint of the table that no resource answers a responder that says so."""
    for path, methods, reason in ENDPOINTS:
        resource = resources.setdefault(path, _Unsupported())
        for method in methods.split():
            access: Access = "admin" if path.startswith("/mgmt/") else _ACCESS[method]
            responder = _responder(reason, access)
            setattr(resource, f"on_{method}", responder.__get__(resource))


class _Unsupported:
    """Its responders are added one by one."""


_ACCESS: dict[str, Access] = {"get": "read", "post": "write", "put": "write", "delete": "write"}


def _responder(reason: str, access: Access) -> Callable[..., None]:
    @endpoint("Not supported", access=access)
    def respond(_self: Any, call: Call, **path: str) -> None:
        if "instance" in path:
            find_instance(call, path["instance"])
        raise NotSupported(reason)

    return respond
