"""/flavors (Trove v1.0), as the provider's role defines them."""

from typing import Any

from api.call import Call
from api.endpoint import endpoint
from api.schemas import datastore as wire
from api.services import Services
from coffer.catalogue import Flavor
from coffer.datastores import find_datastore, find_version_of


class FlavorCollection:
    """GET /flavors."""

    def __init__(self, services: Services) -> None:
        self._catalogue = services.catalogue

    @endpoint("List flavors", returns=wire.FlavorList)
    def on_get(self, call: Call) -> wire.FlavorList:
        flavors = self._catalogue.provider.flavors
        return wire.FlavorList(flavors=[_view(call, flavor) for flavor in flavors])


class FlavorItem:
    """GET /flavors/{id}."""

    def __init__(self, services: Services) -> None:
        self._catalogue = services.catalogue

    @endpoint("Show a flavor", returns=wire.FlavorDocument)
    def on_get(self, call: Call, flavor: str) -> wire.FlavorDocument:
        return wire.FlavorDocument(flavor=_view(call, self._catalogue.flavor(flavor)))


class FlavorsOfVersion(FlavorCollection):
    """GET /datastores/{ds}/versions/{v}/flavors: those that the engine can run on."""

    @endpoint("Flavors of a version", returns=wire.FlavorList)
    def on_get(self, call: Call, datastore: str, version: str) -> wire.FlavorList:
        row = find_version_of(find_datastore(datastore), version)
        least = self._catalogue.engine(row.manager).minimum_ram
        flavors = [flavor for flavor in self._catalogue.provider.flavors if flavor.ram >= least]
        return wire.FlavorList(flavors=[_view(call, flavor) for flavor in flavors])


class VolumeTypes:
    """GET /datastores/{ds}/versions/{v}/volume-types."""

    @endpoint("Types of volumes: there are none to choose from", returns=wire.VolumeTypeList)
    def on_get(self, _call: Call, datastore: str, version: str) -> dict[str, Any]:
        find_version_of(find_datastore(datastore), version)
        return {"volume_types": []}


def _view(call: Call, flavor: Flavor) -> wire.Flavor:
    numeric = flavor.id.isascii() and flavor.id.isdigit() and not flavor.id.startswith("0")
    return wire.Flavor(
        id=int(flavor.id) if numeric else None,
        str_id=flavor.id,
        name=flavor.name,
        ram=flavor.ram,
        vcpus=flavor.vcpus,
        disk=flavor.disk,
        ephemeral=0,
        links=call.links("flavors", flavor.id),
    )
