"""Who asks: authenticators behind one interface. Built-in tokens are the default."""

from typing import Protocol

from coffer.errors import Unauthorized
from coffer.settings import Settings
from coffer.tokens import Identity, find_identity


class Authenticator(Protocol):
    """Finds out whom a token belongs to."""

    challenge: str
    """What `WWW-Authenticate` says on a 401."""

    def identify(self, token: str | None) -> Identity:
        """The token's owner.

        Raises:
            Unauthorized: no token, or it opens nothing.
        """


class TokenAuthenticator:
    """Tokens of the table `token`."""

    challenge = 'Coffer realm="coffer"'

    def identify(self, token: str | None) -> Identity:
        """See `Authenticator.identify`."""
        if not token:
            raise Unauthorized("the header X-Auth-Token is missing")
        identity = find_identity(token)
        if identity is None:
            raise Unauthorized("the token is unknown or has expired")
        return identity


class EitherAuthenticator:
    """Built-in tokens, and for those that are none another authenticator."""

    def __init__(self, other: Authenticator) -> None:
        self._other = other
        self.challenge = other.challenge

    def identify(self, token: str | None) -> Identity:
        """See `Authenticator.identify`."""
        return (find_identity(token) if token else None) or self._other.identify(token)


def make_authenticator(settings: Settings) -> Authenticator:
    """Built-in tokens, with Keystone's beside them when a Keystone is configured.

    Raises:
        ValueError: Keystone is configured but the extra `keystone` is not installed.
    """
    if not settings.keystone_config:
        return TokenAuthenticator()
    try:
        from api.keystone import KeystoneAuthenticator
    except ImportError as error:
        raise ValueError(
            "keystone_config: needs the extra: pip install coffer[keystone]"
        ) from error
    return EitherAuthenticator(KeystoneAuthenticator(settings.keystone_config))
