"""Keystone's tokens, by keystonemiddleware (the extra `keystone`)."""

import hashlib
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from keystonemiddleware.auth_token import AuthProtocol

from coffer.errors import Forbidden, Unauthorized, Unavailable
from coffer.tokens import Identity

KEEP = 30.0
"""Seconds for which an answer of Keystone is believed: a revoked token works that much longer, one
that expires does not."""
_MOST_KEPT = 10_000


class KeystoneAuthenticator:
    """Asks the Keystone that a file's section `[keystone_authtoken]` describes."""

    def __init__(self, config_file: str, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970.

        Without `www_authenticate_uri` in the file Keystone is asked for it.
        """
        self._clock = clock
        told = {"oslo_config_project": "coffer", "oslo_config_file": config_file}
        self._protocol: Any = AuthProtocol(_pass, told)
        self._known: dict[bytes, tuple[float, Identity]] = {}
        self._lock = threading.Lock()
        self.challenge = f'Keystone uri="{self._protocol.www_authenticate_uri}"'

    def identify(self, token: str | None) -> Identity:
        """See `Authenticator.identify`.

        Raises:
            Unauthorized: Keystone does not know the token, or it has expired.
            Forbidden: it is not scoped to a project.
            Unavailable: Keystone does not answer.
        """
        if not token:
            raise Unauthorized("the header X-Auth-Token is missing")
        key, now = hashlib.sha256(token.encode()).digest(), self._clock()
        until, identity = self._known.get(key, (0.0, None))
        if identity is None or until <= now:
            identity, expires = self._ask(token)
            self._remember(key, min(now + KEEP, expires), identity)
        return identity

    def _ask(self, token: str) -> tuple[Identity, float]:
        """Through the middleware's own door: a WSGI request with the token and nothing else."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "HTTP_X_AUTH_TOKEN": token,
        }
        answered: list[str] = []
        self._protocol(environ, lambda status, *_: answered.append(status))
        if not answered[0].startswith("200"):
            raise _refusal(int(answered[0][:3]))
        if not environ.get("HTTP_X_PROJECT_ID"):
            raise Forbidden("the token is not scoped to a project")
        roles = environ.get("HTTP_X_ROLES", "").lower().split(",")
        identity = Identity(
            environ.get("HTTP_X_USER_NAME") or environ["HTTP_X_USER_ID"],
            environ["HTTP_X_PROJECT_ID"],
            frozenset(filter(None, roles)),
        )
        expires = datetime.fromisoformat(environ["keystone.token_info"]["token"]["expires_at"])
        return identity, expires.timestamp()

    def _remember(self, key: bytes, until: float, identity: Identity) -> None:
        with self._lock:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[key] = (until, identity)


def _refusal(status: int) -> Exception:
    if status == 401:
        return Unauthorized("Keystone does not know the token, or it has expired")
    return Unavailable(f"Keystone cannot be asked about tokens now ({status}); try again")


def _pass(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [])
    return [b""]
