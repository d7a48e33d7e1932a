"""PUT and PATCH of an instance: a name, and at most one thing besides."""

from typing import Any

from msgspec import UNSET

from api.call import Call
from api.endpoint import Started
from api.lookup import find_configuration
from api.requests import access_of
from api.schemas import instance as wire
from api.schemas.common import last_segment
from api.services import Services
from coffer.datastores import find_version_of
from coffer.errors import BadRequest, NotFound
from coffer.instances import rename
from coffer.models import Instance, Operation
from coffer.waiting import wait_for_end

_BESIDE = ("name", "backup")
ATTACH_WAIT = 20.0
"""Seconds: terraform attaches right after it detached, and Trove answers when that is done."""


def change(
    services: Services, call: Call, row: Instance, wanted: wire.InstanceChanges
) -> Started | None:
    """Do what the body asks for; an empty object detaches the configuration group.

    Raises:
        BadRequest: more than a name and one thing, or a thing that cannot be.
    """
    given = [
        key
        for key in wanted.__struct_fields__
        if key not in _BESIDE and getattr(wanted, key) is not UNSET
    ]
    if len(given) > 1:
        raise BadRequest(f"instance: give at most one of {', '.join(given)}")
    operation = None
    if given or wanted.name is UNSET:
        what = given[0] if given else "configuration"
        operation = _DOERS[what](services, call, row, wanted)
    if wanted.name is not UNSET:
        rename(row, wanted.name)
    return None if operation is None else Started(operation.id)


def _configuration(services: Services, call: Call, row: Instance, wanted: Any) -> Operation | None:
    if wanted.configuration in (UNSET, None):
        operation = services.configurations.detach(row, call.caller)
    else:
        group = find_configuration(call, last_segment(str(wanted.configuration)))
        operation = services.configurations.attach(row, group, call.caller)
    return None if operation is None else wait_for_end(operation, ATTACH_WAIT)


def _access(services: Services, call: Call, row: Instance, wanted: Any) -> Operation:
    return services.instances.set_access(row, access_of(wanted.access), call.caller)


def _replica(services: Services, call: Call, row: Instance, _wanted: Any) -> Operation:
    return services.replicas.detach(row, call.caller)


def _version(services: Services, call: Call, row: Instance, wanted: Any) -> Operation:
    try:
        version = find_version_of(row.version.datastore, wanted.datastore_version)
    except NotFound as error:
        raise BadRequest(f"datastore_version: {error}") from error
    return services.patches.upgrade(row, version, call.caller, backup=wanted.backup)


_DOERS = {
    "configuration": _configuration,
    "access": _access,
    "replica_of": _replica,
    "slave_of": _replica,
    "datastore_version": _version,
}
