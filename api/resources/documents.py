"""Public documents at the server's root: discovery, health, metrics, CA, OpenAPI."""

from pathlib import Path
from typing import Any

import falcon

from api.metrics import Metrics
from api.services import Services
from coffer.database import database
from coffer.errors import NotFound


class Versions:
    """GET /: what Trove's clients call the root document."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the only version."""
        resp.media = {"versions": [_version(req)]}


class VersionRoot:
    """GET /v1.0, without authentication: openstacksdk asks for it."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the version."""
        resp.media = {"version": _version(req)}


def _version(req: falcon.Request) -> dict[str, Any]:
    return {
        "id": "v1.0",
        "status": "CURRENT",
        "updated": "2012-08-01T00:00:00Z",
        "links": [{"rel": "self", "href": f"{req.context.base_url}/v1.0/"}],
    }


class Healthcheck:
    """GET /healthcheck: 200 when the records answer."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer in plain text."""
        database.execute_sql("SELECT 1")
        resp.text, resp.content_type = "OK", falcon.MEDIA_TEXT


class MetricsDocument:
    """GET /metrics, Prometheus' text format."""

    def __init__(self, services: Services) -> None:
        self._metrics = Metrics(services)

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with what the records and Redis say now."""
        resp.data, resp.content_type = self._metrics.render()


class CertificateAuthority:
    """GET /ca.pem: the CA that signs the engines' certificates."""

    def __init__(self, services: Services) -> None:
        self._path = Path(services.settings.ca_certificate)

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the certificate in PEM."""
        if not self._path.is_file():
            raise NotFound("this installation has no CA certificate yet")
        resp.data, resp.content_type = self._path.read_bytes(), "application/x-pem-file"


class OpenApiDocument:
    """GET /openapi.json."""

    def __init__(self, document: bytes) -> None:
        self._document = document

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the document made from the routes' own types."""
        resp.data, resp.content_type = self._document, falcon.MEDIA_JSON
