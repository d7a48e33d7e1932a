"""/inventory: what the Ansible inventory plugin reads."""

from typing import Any

from api.call import Call
from api.endpoint import endpoint
from api.services import Services
from coffer.models import Datastore, DatastoreVersion, Instance


class InventoryDocument:
    """GET /inventory: hosts with their variables, groups, host keys."""

    def __init__(self, services: Services) -> None:
        self._inventory = services.inventory

    @endpoint(
        "The Ansible inventory", access="admin", returns=dict[str, Any], query=("all_projects",)
    )
    def on_get(self, call: Call) -> dict[str, Any]:
        query = (
            Instance.select(Instance, DatastoreVersion, Datastore)
            .join(DatastoreVersion)
            .join(Datastore)
            .where(Instance.deleted.is_null())
            .order_by(Instance.created)
        )
        if not call.flag("all_projects"):
            query = query.where(Instance.project_id == call.project_id)
        return self._inventory.document(query)
