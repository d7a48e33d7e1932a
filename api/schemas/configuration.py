"""Configuration groups and parameters on the wire (Trove v1.0)."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, field

from api.schemas.common import Closed, Link, Name, Wire
from api.schemas.instance import DatastoreIn

Description = Annotated[str, Meta(max_length=4096)]


class ConfigurationIn(Wire):
    """A new group."""

    name: Name
    values: dict[str, Any]
    description: Description | None = None
    datastore: DatastoreIn = field(default_factory=DatastoreIn)


class CreateConfiguration(Wire):
    """POST /configurations."""

    configuration: ConfigurationIn


class ConfigurationChanges(Wire):
    """PATCH merges values; PUT replaces them, absent means none."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    values: dict[str, Any] | UnsetType = UNSET


class UpdateConfiguration(Wire):
    """PATCH and PUT /configurations/{id}."""

    configuration: ConfigurationChanges


class Configuration(Wire):
    """A group; lists leave `values` and `instance_count` out."""

    id: str
    name: str
    description: str | None
    created: str
    updated: str
    datastore_name: str
    datastore_version_id: str
    datastore_version_name: str
    datastore_version_number: str
    values: dict[str, Any] | UnsetType = UNSET
    instance_count: int | UnsetType = UNSET


class Defaults(Wire):
    """Values by the names of parameters."""

    configuration: dict[str, str | int | float | bool]


class DefaultsDocument(Wire):
    """GET /instances/{id}/configuration."""

    instance: Defaults


class ConfigurationDocument(Wire):
    """One group."""

    configuration: Configuration


class ConfigurationList(Wire):
    """A page of groups."""

    configurations: list[Configuration]
    links: list[Link] | UnsetType = UNSET
    configurations_links: list[Link] | UnsetType = UNSET


class DiffIn(Closed):
    """A group by its id, null for none, nothing for the one that is attached; and other values."""

    id: str | UnsetType | None = UNSET
    values: dict[str, Any] = {}


class DiffConfiguration(Closed):
    """POST /instances/{id}/configuration/diff (Coffer's own)."""

    configuration: DiffIn = field(default_factory=DiffIn)


class InstanceName(Wire):
    """An instance that a group is attached to."""

    id: str
    name: str


class AttachedInstances(Wire):
    """GET /configurations/{id}/instances."""

    instances: list[InstanceName]
    links: list[Link] | UnsetType = UNSET
    instances_links: list[Link] | UnsetType = UNSET


class Parameter(Wire):
    """A rule; GET of one has no envelope."""

    name: str
    type: str
    restart_required: bool
    datastore_version_id: str
    min: float | int | UnsetType = UNSET
    max: float | int | UnsetType = UNSET


class ParameterList(Wire, rename={"parameters": "configuration-parameters"}):
    """All rules of a version."""

    parameters: list[Parameter]
