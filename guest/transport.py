"""Carries reports to the conductor: HTTPS with the instance's token, one kept connection.

The few lines of HTTP/1.1 that a report needs stand here: http.client would cost a megabyte and
a half of memory.
"""

from __future__ import annotations

import json
import socket
import ssl

from guest import VERSION
from guest.files import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from guest.config import Config

PATH = "/conductor/v1/reports"
ACCEPTED = range(200, 300)
REVOKED = (401, 403, 404)
LONGEST_ANSWER = 65536


class SendError(Exception):
    """The report did not arrive; sending later may help."""


class RevokedError(SendError):
    """The conductor does not take reports with this token."""


class Conductor:
    """The conductor as this instance sees it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._authority = config.conductor_url.removeprefix("https://")
        self._channel: ssl.SSLSocket | None = None

    def send(self, report: dict[str, Any]) -> None:
        """Deliver one report.

        Raises:
            RevokedError: answered 401, 403 or 404.
            SendError: no connection, no trust, or any other answer but success.
        """
        request = self._request(json.dumps(report, ensure_ascii=False).encode())
        try:
            status = self._post(request)
        except (OSError, ValueError) as error:
            self._close()
            raise SendError(f"{type(error).__name__}: {error}") from None
        if status in REVOKED:
            raise RevokedError(f"the conductor answered {status}")
        if status not in ACCEPTED:
            raise SendError(f"the conductor answered {status}")

    def _request(self, body: bytes) -> bytes:
        token = read(self._config.token_file)
        if not token or not token.isascii() or not token.isprintable():
            raise SendError(f"{self._config.token_file} holds no token")
        lines = (
            f"POST {PATH} HTTP/1.1",
            f"Host: {self._authority}",
            f"Authorization: Bearer {token}",
            f"User-Agent: coffer-agent/{VERSION}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join((*lines, "", "")).encode() + body

    def _post(self, request: bytes) -> int:
        if self._channel is not None:
            try:
                return self._exchange(self._channel, request)
            except (OSError, ValueError):
                # The server may close an idle connection at any time; a report may come twice.
                self._close()
        return self._exchange(self._connect(), request)

    def _exchange(self, channel: ssl.SSLSocket, request: bytes) -> int:
        channel.sendall(request)
        status, keep = _answer(channel)
        if not keep:
            self._close()
        return status

    def _connect(self) -> ssl.SSLSocket:
        host, _, port = self._authority.rpartition(":")
        if not port.isdigit():
            host, port = self._authority, "443"
        host = host.strip("[]")
        context = ssl.create_default_context(cafile=self._config.ca_file)
        plain = socket.create_connection((host, int(port)), self._config.send_timeout)
        try:
            self._channel = context.wrap_socket(plain, server_hostname=host)
        except (OSError, ValueError):
            plain.close()
            raise
        return self._channel

    def _close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None


def _answer(channel: ssl.SSLSocket) -> tuple[int, bool]:
    """The status of the answer, and whether the connection is good for another request.

    Raises:
        ValueError: this is no answer in HTTP/1.
    """
    head, body = _head(channel)
    first, *lines = head.decode("latin-1").split("\r\n")
    protocol, _, rest = first.partition(" ")
    if not protocol.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ValueError("the conductor does not speak HTTP/1")
    status = int(rest[:3])
    fields = {name.strip().lower(): value.strip() for name, _, value in _fields(lines)}
    length = fields.get("content-length", "0" if status == 204 else "")
    keep = protocol == "HTTP/1.1" and fields.get("connection", "").lower() != "close"
    if not keep or not length.isdigit() or int(length) > LONGEST_ANSWER:
        return status, False
    left = int(length) - len(body)
    while left > 0 and (chunk := channel.recv(min(left, 4096))):
        left -= len(chunk)
    return status, left == 0


def _fields(lines: list[str]) -> list[tuple[str, str, str]]:
    return [line.partition(":") for line in lines]


def _head(channel: ssl.SSLSocket) -> tuple[bytes, bytes]:
    """The answer up to the empty line, and what of its body came along."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = channel.recv(4096)
        if not chunk or len(received) > LONGEST_ANSWER:
            raise ConnectionResetError("the conductor closed the connection without an answer")
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body
