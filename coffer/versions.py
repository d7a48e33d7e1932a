"""What administrators do with datastore versions: put on offer, change, take away."""

from typing import Any

import peewee

from coffer.catalogue import Catalogue
from coffer.database import transaction
from coffer.errors import BadRequest
from coffer.models import Backup, Configuration, Datastore, DatastoreVersion, Instance

_LISTS = ("image_tags", "packages")
_TEXTS = ("registry_ext", "repl_strategy")
Row = dict[str, Any]


class Versions:
    """Requests about datastore versions."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def create(self, wanted: Row) -> DatastoreVersion:
        """Write a version, and its datastore if that is new.

        `wanted` has `name`, `datastore_name`, `datastore_manager`, `active`, and what else Trove
        lets say of one; absent keys are not set.

        Raises:
            BadRequest: it exists, nothing says what it is made of, or no role knows the engine.
        """
        row = dict(wanted)
        store, default = row.pop("datastore_name"), row.pop("default", False)
        row["manager"] = self._manager(row.pop("datastore_manager"))
        row.setdefault("version", self._number(row["manager"], row["name"]))
        _check_image(row.get("image"), row.get("image_tags"))
        _check_default(default, row["active"])
        try:
            with transaction():
                datastore, _ = Datastore.get_or_create(name=store)  # type: ignore[no-untyped-call]
                made = DatastoreVersion.create(datastore=datastore, **row)
                if default:
                    _make_default(made)
        except peewee.IntegrityError as error:
            raise BadRequest(f"version.name: '{row['name']}' of {store} exists already") from error
        return made

    def change(self, row: DatastoreVersion, changes: Row) -> None:
        """Change columns and whether it is the datastore's default; all or nothing.

        Raises:
            BadRequest: as for a new one, or an inactive version was to be the default.
        """
        wanted = _meant(changes)
        default = wanted.pop("default", None)
        if "datastore_manager" in wanted:
            wanted["manager"] = self._manager(wanted.pop("datastore_manager"))
        for key, value in wanted.items():
            setattr(row, key, value)
        _check_image(row.image, row.image_tags)
        _check_default(default, row.active)
        try:
            with transaction():
                row.save()
                if default:
                    _make_default(row)
                elif default is False and row.datastore.default_version_id == row.id:
                    _set_default(row, None)
        except peewee.IntegrityError as error:
            raise BadRequest(f"name: '{row.name}' exists already") from error

    def delete(self, row: DatastoreVersion) -> None:
        """Take a version away.

        Raises:
            BadRequest: something is made of it.
        """
        with transaction():
            users = ((Instance, "instance"), (Configuration, "configuration"), (Backup, "backup"))
            for model, what in users:
                if model.select().where(model.version == row).exists():
                    raise BadRequest(
                        f"version {row.id} is used by an {what}, or was by a deleted one"
                    )
            if row.datastore.default_version_id == row.id:
                _set_default(row, None)
            row.delete_instance()

    def _manager(self, name: str) -> str:
        return self._catalogue.engine(name).name

    def _number(self, manager: str, name: str) -> str:
        """The exact number that the engine's role has for a name, else the name."""
        known = {
            version.name: version.version for version in self._catalogue.engine(manager).versions
        }
        return known.get(name, name)


def delete_datastore(datastore: Datastore) -> None:
    """Take a datastore away.

    Raises:
        BadRequest: it has versions.
    """
    with transaction():
        if DatastoreVersion.select().where(DatastoreVersion.datastore == datastore).exists():
            raise BadRequest(f"datastore '{datastore.name}' has versions: delete those first")
        datastore.delete_instance()


def _meant(changes: Row) -> Row:
    """What a PATCH stands for: null empties lists and texts, tags alone take the image away."""
    empty: Row = {**{key: [] for key in _LISTS}, **dict.fromkeys(_TEXTS, "")}
    meant = {
        key: empty.get(key) if value is None else value
        for key, value in changes.items()
        if not (value is None and key in ("active", "default"))
    }
    if meant.get("image_tags") and "image" not in meant:
        meant["image"] = None
    return meant


def _check_image(image: str | None, tags: list[str] | None) -> None:
    if not image and not tags:
        raise BadRequest("image: give an image, or image_tags")
    if len(tags or []) > 5 or any(len(tag) > 20 for tag in tags or []):
        raise BadRequest("image_tags: at most 5, each of at most 20 characters")


def _check_default(default: bool | None, active: bool) -> None:
    if default and not active:
        raise BadRequest("default: an inactive version cannot be the default")


def _make_default(row: DatastoreVersion) -> None:
    _set_default(row, row.id)


def _set_default(row: DatastoreVersion, version_id: str | None) -> None:
    Datastore.update(default_version_id=version_id).where(
        Datastore.id == row.datastore_id
    ).execute()
