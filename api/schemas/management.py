"""Management bodies on the wire (Trove v1.0, /mgmt)."""

from typing import Any

from msgspec import UNSET, UnsetType

from api.schemas.common import Closed, Link, Name, Text, Wire
from api.schemas.instance import Instance


class Server(Wire):
    """The guest as the provider knows it."""

    id: str
    name: str
    status: str
    tenant_id: str
    host: str
    addresses: dict[str, Any] | UnsetType = UNSET


class GuestStatus(Wire):
    """What the guest last said."""

    state_description: str


class ManagedInstance(Instance, kw_only=True):
    """An instance as administrators see it; the last four in GET of one."""

    server: Server | None
    service_status: str
    deleted: bool
    deleted_at: str | None
    task_description: str
    guest_status: GuestStatus | UnsetType = UNSET
    root_enabled: str | UnsetType | None = UNSET
    root_enabled_by: str | UnsetType | None = UNSET


class ManagedInstanceDocument(Wire):
    """One instance."""

    instance: ManagedInstance


class ManagedInstanceList(Wire):
    """A page of instances of all projects."""

    instances: list[ManagedInstance]
    links: list[Link] | UnsetType = UNSET
    instances_links: list[Link] | UnsetType = UNSET


class RebuildIn(Closed):
    """`image_id`: the image of the instance's datastore version.

    `backup` (Coffer's own): false makes none before, where none is fresh.
    """

    image_id: Text
    backup: bool = True


class ManagementAction(Closed, rename={"reset_task_status": "reset-task-status"}):
    """POST /mgmt/instances/{id}/action: exactly one key."""

    stop: dict[str, Any] | UnsetType | None = UNSET
    reboot: dict[str, Any] | UnsetType | None = UNSET
    migrate: dict[str, Any] | UnsetType | None = UNSET
    reset_task_status: dict[str, Any] | UnsetType | None = UNSET
    rebuild: RebuildIn | UnsetType = UNSET


class RootHistory(Wire):
    """Who enabled root when; `Never` and `Nobody` where that has not been."""

    id: str
    enabled: str
    user: str


class RootHistoryDocument(Wire):
    """GET /mgmt/instances/{id}/root."""

    root_history: RootHistory


class Hardware(Wire):
    """MB and processors of the instance's flavor."""

    mem_total: int
    num_cpus: int


class HardwareDocument(Wire):
    """GET /mgmt/instances/{id}/hwinfo."""

    hwinfo: Hardware


class Diagnostics(Wire):
    """What the agent takes of its guest; sizes in kB."""

    version: str
    threads: int
    fdSize: int
    vmSize: int
    vmPeak: int
    vmRss: int
    vmHwm: int


class DiagnosticsDocument(Wire):
    """GET /mgmt/instances/{id}/diagnostics."""

    diagnostics: Diagnostics


class ManagedVersion(Wire):
    """A datastore version as administrators see it."""

    id: str
    name: str
    version: str
    datastore_id: str
    datastore_name: str
    datastore_manager: str
    image: str | None
    image_tags: list[str]
    packages: list[str]
    active: bool
    default: bool
    registry_ext: str
    repl_strategy: str


class ManagedVersionDocument(Wire):
    """One version."""

    version: ManagedVersion


class ManagedVersionList(Wire):
    """All versions of all datastores."""

    versions: list[ManagedVersion]


class VersionIn(Closed):
    """A new version; its datastore is made if it is new too."""

    name: Name
    datastore_name: Name
    datastore_manager: Text
    active: bool
    image: Text | None = None
    image_tags: list[Text] | None = None
    packages: list[Text] | None = None
    default: bool | None = None
    version: Text | None = None
    registry_ext: Text | None = None
    repl_strategy: Text | None = None


class CreateVersion(Wire):
    """POST /mgmt/datastore-versions."""

    version: VersionIn


class VersionChanges(Closed):
    """PATCH of a version; without an envelope."""

    name: Name | UnsetType = UNSET
    datastore_manager: Text | UnsetType = UNSET
    image: Text | UnsetType | None = UNSET
    image_tags: list[Text] | UnsetType | None = UNSET
    packages: list[Text] | UnsetType | None = UNSET
    active: bool | UnsetType | None = UNSET
    default: bool | UnsetType | None = UNSET
    registry_ext: Text | UnsetType | None = UNSET
    repl_strategy: Text | UnsetType | None = UNSET


class ManagedParameter(Wire):
    """A rule with /mgmt's own names for its bounds."""

    name: str
    type: str
    restart_required: bool
    datastore_version_id: str
    min_size: float | int | UnsetType = UNSET
    max_size: float | int | UnsetType = UNSET


class ManagedParameterList(Wire, rename={"parameters": "configuration-parameters"}):
    """All rules of a version."""

    parameters: list[ManagedParameter]
