"""/flavors (Trove v1.0), as the provider's role defines them."""

from api.call import Call
from api.endpoint import endpoint
from api.schemas import datastore as wire
from api.services import Services
from coffer.catalogue import Flavor


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
