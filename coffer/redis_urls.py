"""Redis by URL: one server, or whichever of several its sentinels name."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from redis import Redis, SSLConnection
from redis.sentinel import Sentinel, SentinelManagedConnection

_PATIENCE = 2
"""Seconds after which a server that cannot be connected to is dead."""
_TIMEOUTS = {"socket_connect_timeout": _PATIENCE, "socket_timeout": _PATIENCE}
_SENTINEL_PORT = 26379
_PLAIN, _TLS = "redis+sentinel", "rediss+sentinel"


class _Connection(SentinelManagedConnection):
    """Closes itself when nobody waits for an answer any more, as redis-py's others do.

    Who asked next over it would wait for an answer that is not its own: a worker that is told to
    stop while it waits for a job could not end.
    """

    def read_response(
        self, disable_decoding: bool = False, *, disconnect_on_error: Any = True, **more: Any
    ) -> Any:
        """The next answer."""
        return super().read_response(
            disable_decoding, disconnect_on_error=disconnect_on_error, **more
        )


class _TlsConnection(_Connection, SSLConnection):
    pass


def connect_redis(url: str) -> Redis:
    """A client that gives up on a dead Redis within two seconds.

    Of `redis+sentinel://[[user]:password@]host[:port][,host[:port]…]/service[/number]` it is that
    of the server that the sentinels name at the moment; `?sentinel_password=…` opens these, and
    `rediss+sentinel` speaks TLS with all of them. Other URLs are redis-py's.

    Raises:
        ValueError: the URL is malformed.
    """
    if urlsplit(url).scheme not in (_PLAIN, _TLS):
        return Redis.from_url(url, socket_connect_timeout=_PATIENCE)
    return _named_by_sentinels(url)


def _named_by_sentinels(url: str) -> Redis:
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    service, _, number = parts.path.strip("/").partition("/")
    if not hosts or not service or not (number or "0").isdecimal():
        raise ValueError(
            "redis_url: write redis+sentinel://HOST:PORT,HOST:PORT/SERVICE, "
            "and /NUMBER behind it for another database than 0"
        )
    tls = parts.scheme == _TLS
    password = parse_qs(parts.query).get("sentinel_password", [None])[0]
    sentinels = Sentinel(
        [_address(host) for host in hosts.split(",")],
        sentinel_kwargs={**_TIMEOUTS, "ssl": tls, "password": password},
    )
    client: Redis = sentinels.master_for(
        service,
        connection_class=_TlsConnection if tls else _Connection,
        socket_connect_timeout=_PATIENCE,
        db=int(number or 0),
        **_login(login),
    )
    return client


def _login(text: str) -> dict[str, str | None]:
    user, _, password = text.partition(":")
    return {"username": unquote(user) or None, "password": unquote(password) or None}


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):  # an IPv6 address without a port
        return text.strip("[]"), _SENTINEL_PORT
    if not port.isdecimal():
        raise ValueError(f"redis_url: '{port}' is not the port of a sentinel")
    return host.strip("[]"), int(port)
