"""Built-in API tokens: projects and roles without Keystone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from coffer.clock import utcnow
from coffer.models import Token
from coffer.secrets import hash_token, new_token

ROLES = ("admin", "member", "reader", "patcher")


@dataclass(frozen=True)
class Identity:
    """Who asks: what every authenticator finds out from a request's token."""

    user: str
    project_id: str
    roles: frozenset[str]

    @property
    def is_admin(self) -> bool:
        """May see and change all projects."""
        return "admin" in self.roles

    @property
    def may_write(self) -> bool:
        """May change things of its own project."""
        return bool(self.roles & {"admin", "member"})


def create_token(
    name: str,
    project_id: str,
    roles: Sequence[str],
    *,
    user: str = "",
    expires: datetime | None = None,
) -> str:
    """Make a token; the text is returned once and only its hash is stored.

    Raises:
        ValueError: a role is unknown.
    """
    for role in roles:
        if role not in ROLES:
            raise ValueError(f"roles: '{role}' is not one of {', '.join(ROLES)}")
    token = new_token()
    Token.create(
        hash=hash_token(token),
        name=name,
        user=user or name,
        project_id=project_id,
        roles=list(roles),
        expires=expires,
    )
    return token


def find_identity(token: str, clock: Callable[[], datetime] = utcnow) -> Identity | None:
    """Whom the token belongs to; None when it is unknown or has expired."""
    row = Token.get_or_none(Token.hash == hash_token(token))
    if row is None or (row.expires and row.expires <= clock()):
        return None
    return Identity(row.user, row.project_id, frozenset(row.roles))
