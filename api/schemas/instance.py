"""Instances on the wire (Trove v1.0, instances)."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from api.schemas.common import Closed, Link, Name, Reference, Size, Text, Wire

Password = Annotated[str, Meta(min_length=1, max_length=255)]


class VolumeIn(Wire):
    """`size` in GB."""

    size: Size
    type: str | None = None


class DatastoreIn(Wire):
    """Each part by name or id; absent parts mean the defaults."""

    type: Text | None = None
    version: Text | None = None
    version_number: Text | None = None


class GrantIn(Wire):
    """A database by its name, whatever that is; `access` is Coffer's own."""

    name: Text
    access: Text | None = None


class DatabaseIn(Wire):
    """A database to create."""

    name: Name
    character_set: Text | None = None
    collate: Text | None = None


class UserIn(Wire):
    """A user to create."""

    name: Name
    password: Password
    host: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    databases: list[GrantIn] = []


class AccessIn(Closed):
    """Who may connect."""

    is_public: bool | UnsetType = UNSET
    allowed_cidrs: list[Annotated[str, Meta(max_length=64)]] | UnsetType = UNSET


class RestorePoint(Wire):
    """What a new instance begins with: a backup, by its id or a URL that ends in it.

    Coffer's own: instead of a backup an `instance` by its id, as it was just before the second
    `to` (ISO 8601 with its zone), or at the `latest` time that its logs reach.
    """

    backupRef: Text | UnsetType = UNSET
    instance: Text | UnsetType = UNSET
    to: Text | UnsetType = UNSET


class Nic(Closed, rename={"net_id": "net-id"}):
    """A network to be on; `net-id` is the older name of `network_id`."""

    network_id: Text | UnsetType = UNSET
    net_id: Text | UnsetType = UNSET
    subnet_id: Text | UnsetType = UNSET
    ip_address: Text | UnsetType = UNSET


Locality = Literal["affinity", "soft-affinity", "anti-affinity", "soft-anti-affinity"]


class InstanceIn(Wire):
    """A new instance; `flavor` is openstacksdk's name for `flavorRef`."""

    name: Name
    flavorRef: Text | int | None = None
    flavor: Text | int | Reference | None = None
    volume: VolumeIn | None = None
    datastore: DatastoreIn = field(default_factory=DatastoreIn)
    databases: list[DatabaseIn] | None = None
    users: list[UserIn] | None = None
    access: AccessIn | None = None
    replica_of: Text | UnsetType | None = UNSET
    replica_count: Annotated[int, Meta(ge=1, le=3)] | UnsetType | None = UNSET
    restorePoint: RestorePoint | UnsetType | None = UNSET
    configuration: str | UnsetType | None = UNSET
    modules: list[Any] | UnsetType = UNSET
    nics: list[Nic] | UnsetType | None = UNSET
    locality: Locality | UnsetType | None = UNSET
    availability_zone: Text | UnsetType | None = UNSET
    region_name: Text | UnsetType | None = UNSET


class CreateInstance(Wire):
    """POST /instances."""

    instance: InstanceIn


class InstanceChanges(Closed):
    """A name and at most one other key; nothing at all detaches the configuration group.

    Any value of `replica_of` (older: `slave_of`) detaches the replica. `backup` belongs to
    `datastore_version` (Coffer's own): false makes none before, where none is fresh.
    """

    name: Name | UnsetType = UNSET
    configuration: Text | UnsetType | None = UNSET
    access: AccessIn | UnsetType = UNSET
    replica_of: Any = UNSET
    slave_of: Any = UNSET
    datastore_version: Text | UnsetType = UNSET
    backup: bool = True


class UpdateInstance(Wire):
    """PUT and PATCH /instances/{id}."""

    instance: InstanceChanges


class Resize(Closed):
    """One of a larger volume and another flavor; openstacksdk sends the volume as a number."""

    volume: VolumeIn | Size | UnsetType = UNSET
    flavorRef: Text | int | UnsetType = UNSET


class Restore(Closed):
    """Coffer's own: back to just before the second `to` (ISO 8601 with its zone), or `latest`."""

    to: Text


class InstanceAction(Closed):
    """POST /instances/{id}/action: exactly one key."""

    restart: dict[str, Any] | UnsetType | None = UNSET
    resize: Resize | UnsetType = UNSET
    reset_status: dict[str, Any] | UnsetType | None = UNSET
    promote_to_replica_source: dict[str, Any] | UnsetType | None = UNSET
    eject_replica_source: dict[str, Any] | UnsetType | None = UNSET
    restore: Restore | UnsetType = UNSET


class DatastoreOfInstance(Wire):
    """Names, not ids; `version_number` in details only."""

    type: str
    version: str
    version_number: str | UnsetType = UNSET


class Volume(Wire):
    """GB; `used` while the guest is known to be healthy."""

    size: int
    used: float | UnsetType = UNSET
    used_percent: float | UnsetType = UNSET


class Address(Wire):
    """An address of the instance."""

    address: str
    type: str


class InstanceFault(Wire):
    """The last error, kept after recovery."""

    message: str
    created: str
    details: str | None


class AttachedConfiguration(Wire):
    """The configuration group of an instance."""

    id: str
    name: str
    links: list[Link]


class Replication(Wire):
    """Coffer's own: seconds that a replica is behind its source, null while it does not follow."""

    lag: float | None
    message: str | UnsetType = UNSET


class Instance(Wire):
    """An instance; the second half is shown in details only."""

    id: str
    name: str
    status: str
    operating_status: str
    links: list[Link]
    flavor: Reference
    datastore: DatastoreOfInstance
    region: str | None
    access: dict[str, Any]
    volume: Volume
    replica_of: Reference | UnsetType = UNSET
    replicas: list[Reference] | UnsetType = UNSET
    locality: str | UnsetType = UNSET
    addresses: list[Address] | UnsetType = UNSET
    ip: list[str] | UnsetType = UNSET
    tenant_id: str | UnsetType = UNSET
    created: str | UnsetType = UNSET
    updated: str | UnsetType = UNSET
    service_status_updated: str | UnsetType = UNSET
    fault: InstanceFault | UnsetType = UNSET
    configuration: AttachedConfiguration | UnsetType = UNSET
    server_id: str | UnsetType | None = UNSET
    volume_id: str | UnsetType | None = UNSET
    earliest_restorable_time: str | UnsetType | None = UNSET
    latest_restorable_time: str | UnsetType | None = UNSET
    """Coffer's own, shown of one instance: with zone, null while there is none."""
    last_proven_restorable: str | UnsetType = UNSET
    replication: Replication | UnsetType = UNSET
    pending_packages: int | UnsetType = UNSET
    """Security updates that the guest lacks, as far as it knows."""


class InstanceDocument(Wire):
    """One instance."""

    instance: Instance


class InstanceList(Wire):
    """A page of instances; the links are there while more follow."""

    instances: list[Instance]
    links: list[Link] | UnsetType = UNSET
    instances_links: list[Link] | UnsetType = UNSET


class ClientProgram(Wire):
    """How to start a client of the engine; {user}, {database}, {ca} are left to fill in."""

    program: str
    arguments: list[str]


class Connection(Wire):
    """How to reach an instance's engine."""

    engine: str
    host: str
    port: int
    uri: str
    clients: list[ClientProgram]


class ConnectionDocument(Wire):
    """GET /instances/{id}/connection."""

    connection: Connection
