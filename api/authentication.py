"""Who asks: authenticators behind one interface. Built-in tokens are the default."""

from typing import Protocol

from coffer.errors import Unauthorized
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
