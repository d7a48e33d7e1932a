"""Collections of the Trove API that hold nothing here: clients list them before they go on."""

from typing import Any

from api.call import Call
from api.endpoint import endpoint
from api.lookup import find_instance
from api.schemas.common import EmptyClusters, EmptyModules


class ClusterCollection:
    """GET /clusters."""

    @endpoint("List clusters: there are none", returns=EmptyClusters)
    def on_get(self, _call: Call) -> dict[str, Any]:
        return {"clusters": []}


class ModuleCollection:
    """GET /modules."""

    @endpoint("List modules: there are none", returns=EmptyModules)
    def on_get(self, _call: Call) -> dict[str, Any]:
        return {"modules": []}


class InstanceModules:
    """GET /instances/{id}/modules."""

    @endpoint("Modules of an instance: it has none", returns=EmptyModules)
    def on_get(self, call: Call, instance: str) -> dict[str, Any]:
        find_instance(call, instance)
        return {"modules": []}
