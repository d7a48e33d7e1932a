"""/instances/{id}/patch: newer packages and the newest engine of the datastore version."""

from api.call import Call
from api.endpoint import Started, endpoint
from api.lookup import find_instance
from api.schemas.patch import PatchInstance
from api.services import Services


class InstancePatch:
    """POST: an operation whose result is what would change, or what has."""

    def __init__(self, services: Services) -> None:
        self._patches = services.patches

    @endpoint("Patch an instance, or plan it", access="patch", body=PatchInstance, status=202)
    def on_post(self, call: Call, body: PatchInstance, instance: str) -> Started:
        row, asked = find_instance(call, instance), body.patch
        if asked.plan:
            return Started(self._patches.plan(row, asked.packages, call.caller).id)
        begun = self._patches.apply(row, asked.packages, call.caller, backup=asked.backup)
        return Started(begun.id)
