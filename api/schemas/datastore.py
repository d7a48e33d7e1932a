"""Datastores, versions and flavors on the wire (Trove v1.0)."""

from msgspec import UNSET, UnsetType

from api.schemas.common import Link, Wire


class Version(Wire):
    """A datastore version; nested in its datastore it has no `datastore` key."""

    id: str
    name: str
    version: str
    links: list[Link]
    datastore: str | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    packages: str | UnsetType | None = UNSET
    image: str | UnsetType | None = UNSET
    image_tags: list[str] | UnsetType = UNSET
    registry_ext: str | UnsetType = UNSET
    repl_strategy: str | UnsetType = UNSET


class Datastore(Wire):
    """A datastore; `default_version` only if it is among the versions shown."""

    id: str
    name: str
    links: list[Link]
    versions: list[Version]
    default_version: str | UnsetType = UNSET


class DatastoreDocument(Wire):
    """One datastore."""

    datastore: Datastore


class DatastoreList(Wire):
    """All datastores."""

    datastores: list[Datastore]


class VersionDocument(Wire):
    """One version."""

    version: Version


class VersionList(Wire):
    """The versions of a datastore."""

    versions: list[Version]


class Flavor(Wire):
    """`id` is a number when the flavor's id is all digits, else null; `str_id` always the text."""

    id: int | None
    str_id: str
    name: str
    ram: int
    vcpus: int
    disk: int
    ephemeral: int
    links: list[Link]


class FlavorDocument(Wire):
    """One flavor."""

    flavor: Flavor


class FlavorList(Wire):
    """All flavors."""

    flavors: list[Flavor]


class VolumeTypeList(Wire):
    """The provider has no types of volumes to choose from."""

    volume_types: list[str]
