"""Databases, users and root on the wire (Trove v1.0)."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from api.schemas.common import Link, Text, Wire
from api.schemas.instance import DatabaseIn, GrantIn, Password, UserIn


class CreateDatabases(Wire):
    """POST databases; `database` is what openstacksdk sends."""

    databases: list[DatabaseIn] | UnsetType = UNSET
    database: DatabaseIn | UnsetType = UNSET


class CreateUsers(Wire):
    """POST users; openstacksdk sends a single object."""

    users: list[UserIn] | UserIn


class PasswordIn(Wire):
    """A user that is there, with a new password."""

    name: Text
    password: Password
    host: Text | None = None


class ChangePasswords(Wire):
    """PUT users."""

    users: list[PasswordIn]


class UserKey(Wire):
    """A user that is there."""

    name: Text
    host: Text = "%"


class DeleteUsers(Wire):
    """DELETE users (Coffer's own): several in one operation."""

    users: Annotated[list[UserKey], Meta(min_length=1)]


class UserChanges(Wire):
    """What may change of a user."""

    name: Text | UnsetType | None = UNSET
    password: Password | UnsetType | None = UNSET
    host: Text | UnsetType | None = UNSET


class UpdateUser(Wire):
    """PUT users/{user}."""

    user: UserChanges


class GrantAccess(Wire):
    """PUT users/{user}/databases."""

    databases: list[GrantIn]


class EnableRoot(Wire):
    """POST root; nothing is required."""

    password: Password | UnsetType | None = UNSET


class Name(Wire):
    """A name."""

    name: str


class DatabaseList(Wire):
    """A page of databases."""

    databases: list[Name]
    links: list[Link] | UnsetType = UNSET
    databases_links: list[Link] | UnsetType = UNSET


class Grant(Name):
    """A database that a user may use; `access` where it is not everything in it."""

    access: str | UnsetType = UNSET


class User(Wire):
    """A user; `databases` is always there."""

    name: str
    host: str
    databases: list[Grant]


class UserList(Wire):
    """A page of users."""

    users: list[User]
    links: list[Link] | UnsetType = UNSET
    users_links: list[Link] | UnsetType = UNSET


class UserDocument(Wire):
    """One user."""

    user: User


class UserDatabases(Wire):
    """What a user may use."""

    databases: list[Grant]


class RootEnabled(Wire):
    """GET root."""

    rootEnabled: bool


class RootUser(Wire):
    """The superuser with its password, shown once."""

    name: str
    password: str


class RootDocument(Wire):
    """POST root."""

    user: RootUser
