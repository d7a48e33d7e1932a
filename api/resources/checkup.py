"""/checkup: how every part of the installation is."""

from api.call import Call
from api.endpoint import endpoint
from api.schemas import checkup as wire
from api.services import Services
from coffer.checkup import checkup


class CheckupDocument:
    """GET /checkup."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @endpoint("How every part of the installation is", access="admin", returns=wire.Checkup)
    def on_get(self, _call: Call) -> wire.Checkup:
        found = checkup(self._services.settings, self._services.redis)
        return wire.Checkup(
            checkup=[
                wire.Finding(
                    part=row.part, health=row.health, message=row.message, remedy=row.remedy
                )
                for row in found
            ]
        )
