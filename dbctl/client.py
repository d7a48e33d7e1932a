"""The API over HTTP: one kept-alive connection, answers as documents, errors as exceptions."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from dbctl.config import Endpoint
from dbctl.errors import NotFound, Refused, Unreachable

Document = dict[str, Any]
PAGE = 1000
DOWNLOAD_PART = 1 << 20
# What a gateway answers while the server behind it is being restarted.
AWAY = frozenset({502, 503, 504})
# What urllib3 puts around the reason that the system gave.
NOISE = re.compile(r"^\w+\(.*?\): |\[Errno -?\d+\] |Failed to establish a new connection: ")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Reply:
    """What a change answered: its document ({} when empty) and the operation that it started."""

    document: Document
    operation_id: str | None
    age: int = 0
    """Seconds since what the document says was seen."""


class Api:
    """Trove v1.0 and what Coffer has beside it, for one project."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.request_id = f"req-{uuid.uuid4()}"
        """One for all that a run of dbctl asks for: logs, operations and the audit have it."""
        self._pool = make_pool(endpoint.url)
        self.age = 0
        """Seconds since what the last document says was seen; 0 where nothing ages."""

    def get(self, path: str, **query: str | int | None) -> Document:
        """The document at `path` (below the project); query values of None are left out."""
        given = {key: value for key, value in query.items() if value is not None}
        target = f"{path}?{urlencode(given)}" if given else path
        reply = self._send("GET", self.endpoint.url + target)
        self.age = reply.age
        return reply.document

    def pages(self, path: str, collection: str, **query: str | int | None) -> list[Document]:
        """All rows of a collection, over as many pages as it has."""
        rows: list[Document] = []
        marker: str | None = None
        while True:
            page = self.get(path, **query, limit=PAGE, marker=marker)
            rows += page[collection]
            following = next_marker(page)
            if following is None or following == marker:
                return rows
            marker = following

    def post(self, path: str, body: Document) -> Reply:
        """Ask for a change; never repeated by itself, since it may have been heard."""
        return self._send("POST", self.endpoint.url + path, body)

    def put(self, path: str, body: Document) -> Reply:
        """Ask for a change; never repeated by itself, since it may have been heard."""
        return self._send("PUT", self.endpoint.url + path, body)

    def patch(self, path: str, body: Document) -> Reply:
        """Ask for a change; never repeated by itself, since it may have been heard."""
        return self._send("PATCH", self.endpoint.url + path, body)

    def delete(self, path: str, body: Document | None = None) -> Reply:
        """Ask for a deletion."""
        return self._send("DELETE", self.endpoint.url + path, body)

    def download(self, path: str, take: Callable[[bytes], Any]) -> None:
        """Hand the bytes of an answer over as they come.

        Raises:
            Unreachable: it broke off; what was handed over is only a part.
        """
        headers = {
            "X-Auth-Token": self.endpoint.token(),
            "X-OpenStack-Request-Id": self.request_id,
        }
        url = self.endpoint.url + path
        try:
            with self._pool.request("GET", url, headers=headers, preload_content=False) as answer:
                if answer.status >= 300:
                    answer.read(cache_content=True)
                    check(answer)
                for part in answer.stream(DOWNLOAD_PART):
                    take(part)
        except urllib3.exceptions.HTTPError as error:
            raise unreachable(self.endpoint.root, error) from error

    def ca_certificate(self) -> str:
        """The PEM of the authority that signs the instances' certificates."""
        answer = self._request("GET", self.endpoint.root + "/ca.pem", None)
        check(answer)
        return answer.data.decode("ascii", "replace")

    def _send(self, method: str, url: str, body: Document | None = None) -> Reply:
        answer = self._request(method, url, None if body is None else json.dumps(body).encode())
        check(answer)
        age = answer.headers.get("Age", "")
        return Reply(
            parse(answer.data, url),
            answer.headers.get("Coffer-Operation-Id"),
            int(age) if age.isdigit() else 0,
        )

    def _request(self, method: str, url: str, body: bytes | None) -> urllib3.BaseHTTPResponse:
        headers = {
            "X-Auth-Token": self.endpoint.token(),
            "Accept": "application/json",
            "X-OpenStack-Request-Id": self.request_id,
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            return self._pool.request(method, url, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise unreachable(self.endpoint.root, error) from error


def make_pool(url: str) -> urllib3.PoolManager:
    """A pool through the environment's proxy if there is one; a redirect never gets our token."""
    options: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=5, read=30),
        "retries": urllib3.Retry(0, redirect=False),
        "maxsize": 1,
    }
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    host = parts.hostname or ""
    if proxy and host not in LOOPBACK and not proxy_bypass(host):
        return urllib3.ProxyManager(proxy, **options)
    return urllib3.PoolManager(**options)


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="").replace(".", "%2E")


def next_marker(page: Document) -> str | None:
    """The marker of the next page. The API encodes it twice (Trove's rule), so decode twice."""
    for link in page.get("links") or []:
        if link.get("rel") == "next":
            values = parse_qs(urlsplit(link["href"]).query).get("marker")
            return unquote(values[0]) if values else None
    return None


def parse(data: bytes, url: str) -> Document:
    """The JSON object in `data`; {} when there is none."""
    if not data:
        return {}
    try:
        document = json.loads(data)
    except ValueError:
        document = None
    if isinstance(document, dict):
        return document
    raise Refused(f"{url} does not speak like a Coffer server", "Check COFFER_URL.", status=200)


def check(answer: urllib3.BaseHTTPResponse) -> None:
    """Raise what an answer that is not a success stands for."""
    status = answer.status
    if status < 300:
        return
    said = fault_message(answer.data)
    if status in AWAY:
        detail = said or "try again in a moment"
        raise Unreachable(f"the Coffer API is not ready (HTTP {status}): {detail}")
    message = said or f"the server answered HTTP {status}"
    if status == 401:
        raise Refused(message, "Check the token (COFFER_TOKEN or dbctl.toml).", status=status)
    if status == 404:
        raise NotFound(message)
    raise Refused(message, *status_hints(status), status=status)


def status_hints(status: int) -> tuple[str, ...]:
    """What to do next, where the status alone tells."""
    if 300 <= status < 400:
        return ("The server redirects. Set COFFER_URL to where it really is.",)
    if status == 403:
        return ("The project in COFFER_URL must be the token's own.",)
    if status >= 500:
        return ("This is a fault of the server; its log says more.",)
    return ()


def fault_message(data: bytes) -> str:
    """The sentence in Trove's `{"<fault>": {"code": …, "message": …}}`, or an empty string."""
    try:
        (fault,) = json.loads(data).values()
        return str(fault["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def unreachable(root: str, error: Exception) -> Unreachable:
    """A sentence for a server that did not answer, with what to check."""
    cause = getattr(error, "reason", None) or error
    text = NOISE.sub("", str(cause))
    return Unreachable(
        f"cannot reach the Coffer API at {root}: {text}",
        "Does it run? On the machine that serves it: make up",
        "Is the address right? It comes from COFFER_URL or dbctl.toml.",
    )
