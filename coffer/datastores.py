"""Datastores and versions: finding the one that a request means, registering new ones."""

from coffer.catalogue import Catalogue, EngineVersion
from coffer.database import transaction
from coffer.errors import BadRequest, NotFound
from coffer.models import Datastore, DatastoreVersion


def find_datastore(reference: str) -> Datastore:
    """By name or id.

    Raises:
        NotFound: there is none.
    """
    row = Datastore.get_or_none((Datastore.name == reference) | (Datastore.id == reference))
    if row is None:
        raise NotFound(f"datastore '{reference}' does not exist")
    return row


def find_version_of(datastore: Datastore, reference: str) -> DatastoreVersion:
    """An active version by name or id, for those who look at it.

    Raises:
        NotFound: there is none.
    """
    for row in active_versions(datastore):
        if reference in (row.name, row.id):
            return row
    raise NotFound(f"version '{reference}' of datastore '{datastore.name}' does not exist")


def find_version_by_id(reference: str) -> DatastoreVersion:
    """An active version by its id.

    Raises:
        NotFound: there is none.
    """
    row = DatastoreVersion.get_or_none(DatastoreVersion.id == reference)
    if row is None or not row.active:
        raise NotFound(f"version '{reference}' does not exist")
    return row


def find_any_version(reference: str) -> DatastoreVersion:
    """A version by its id, active or not, for administrators.

    Raises:
        NotFound: there is none.
    """
    row = DatastoreVersion.get_or_none(DatastoreVersion.id == reference)
    if row is None:
        raise NotFound(f"version '{reference}' does not exist")
    return row


def active_versions(datastore: Datastore) -> list[DatastoreVersion]:
    """What is on offer, by name and number."""
    query = DatastoreVersion.select().where(
        DatastoreVersion.datastore == datastore, DatastoreVersion.active
    )
    return list(query.order_by(DatastoreVersion.name, DatastoreVersion.version))


def find_version(
    datastore: Datastore,
    reference: str | None,
    number: str | None = None,
    only_active: bool = True,
) -> DatastoreVersion:
    """The version that a new thing is made of, by name or id, optionally of an exact number.

    None means the default.

    Raises:
        BadRequest: unknown, ambiguous, inactive, or there is no default (Trove's statuses).
    """
    reference = reference or datastore.default_version_id
    if not reference:
        raise BadRequest(f"datastore.version: '{datastore.name}' has no default, so name one")
    query = DatastoreVersion.select().where(
        DatastoreVersion.datastore == datastore,
        (DatastoreVersion.name == reference) | (DatastoreVersion.id == reference),
    )
    rows = [row for row in query if number in (None, row.version)]
    if not rows:
        raise BadRequest(f"datastore.version: '{reference}' of {datastore.name} does not exist")
    if len(rows) > 1:
        raise BadRequest(f"datastore.version: '{reference}' is ambiguous, give version_number")
    if only_active and not rows[0].active:
        raise BadRequest(f"datastore.version: '{reference}' is not active")
    return rows[0]


def register(
    catalogue: Catalogue, engine_name: str, version_name: str | None, image: str | None
) -> tuple[DatastoreVersion, bool]:
    """Put an engine's version on offer as the catalogue describes it.

    A row of an earlier number moves on: its instances are brought there by patches. Returns the
    row and whether anything changed. The first version, and the engine's own default,
    become the datastore's default.

    Raises:
        BadRequest: the engine or the version is not in the catalogue.
    """
    engine = catalogue.engine(engine_name)
    wanted = engine.version(version_name)
    with transaction():
        datastore, _ = Datastore.get_or_create(  # type: ignore[no-untyped-call]
            name=engine.name
        )
        present = _present(datastore, wanted)
        created = present is None
        row = present or DatastoreVersion(
            datastore=datastore, name=wanted.name, manager=engine.name
        )
        changed = created or (row.image, row.version) != (image, wanted.version)
        row.image, row.version = image, wanted.version
        row.save(force_insert=created)
        if not datastore.default_version_id or (created and wanted.name == engine.default_version):
            datastore.default_version_id = row.id
            datastore.save()
    return row, changed


def _present(datastore: Datastore, wanted: EngineVersion) -> DatastoreVersion | None:
    """The row of exactly this number, else the only one of the name whose manager is the engine."""
    rows = list(
        DatastoreVersion.select().where(
            DatastoreVersion.datastore == datastore,
            DatastoreVersion.name == wanted.name,
            DatastoreVersion.manager == datastore.name,
        )
    )
    exact = [row for row in rows if row.version == wanted.version]
    if exact:
        return exact[0]
    return rows[0] if len(rows) == 1 else None
