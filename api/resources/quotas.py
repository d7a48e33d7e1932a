"""/limits and /mgmt/quotas (Trove v1.0)."""

import msgspec

from api.call import Call
from api.endpoint import endpoint
from api.schemas import quota as wire
from api.services import Services
from coffer.errors import Forbidden


class Limits:
    """GET /limits."""

    def __init__(self, services: Services) -> None:
        self._quotas = services.quotas

    @endpoint("What the project may have", returns=wire.LimitList)
    def on_get(self, call: Call) -> wire.LimitList:
        limits = {f"max_{key}": most for key, most in self._quotas.limits(call.project_id).items()}
        return wire.LimitList(limits=[wire.AbsoluteLimits(verb="ABSOLUTE", **limits)])


class ProjectQuotas:
    """GET and PUT /mgmt/quotas/{project}."""

    def __init__(self, services: Services) -> None:
        self._quotas = services.quotas

    @endpoint("Quotas of a project, and what it uses", returns=wire.QuotaList)
    def on_get(self, call: Call, tenant: str) -> wire.QuotaList:
        if tenant != call.project_id and not call.identity.is_admin:
            raise Forbidden("another project's quotas need the role 'admin'")
        return msgspec.convert(
            {"quotas": self._quotas.usage(tenant)}, wire.QuotaList, from_attributes=True
        )

    @endpoint(
        "Set quotas of a project",
        access="admin",
        body=wire.QuotaChanges,
        returns=wire.QuotaChanges,
    )
    def on_put(self, _call: Call, body: wire.QuotaChanges, tenant: str) -> wire.QuotaChanges:
        return wire.QuotaChanges(quotas=dict(self._quotas.change(tenant, body.quotas)))
