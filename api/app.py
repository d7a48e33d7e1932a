"""The API's app factory: it takes its collaborators, so that tests hand it theirs."""

from typing import Any

import falcon

from api import errors
from api.authentication import Authenticator
from api.middleware import Audit, Authentication, DatabaseConnection, RequestContext
from api.openapi import openapi_document
from api.policy import load_policy, table_of
from api.resources.documents import (
    CertificateAuthority,
    Healthcheck,
    MetricsDocument,
    OpenApiDocument,
    VersionRoot,
    Versions,
)
from api.routes import project_routes
from api.services import Services


def create_app(services: Services, authenticator: Authenticator) -> "falcon.App[Any, Any]":
    """The WSGI app of the REST API.

    Raises:
        ValueError: the policy file does not fit the routes.
    """
    settings = services.settings
    policy = load_policy(settings.policy_file)
    middleware: list[Any] = [
        RequestContext(settings.public_url, settings.maximum_body),
        DatabaseConnection(),
        Authentication(authenticator, policy),
        Audit(),
    ]
    app = falcon.App(middleware=middleware)
    app.req_options.strip_url_path_trailing_slash = True
    app.req_options.auto_parse_qs_csv = False
    errors.install(app, authenticator.challenge)
    routes = project_routes(services)
    policy.check(table_of(routes))
    for path, resource in routes:
        app.add_route(path, resource)
    _add_documents(app, services, openapi_document(routes, policy))
    return app


def _add_documents(app: "falcon.App[Any, Any]", services: Services, openapi: bytes) -> None:
    app.add_route("/", Versions())
    app.add_route("/v1.0", VersionRoot())
    app.add_route("/healthcheck", Healthcheck())
    app.add_route("/metrics", MetricsDocument(services))
    app.add_route("/ca.pem", CertificateAuthority(services))
    app.add_route("/openapi.json", OpenApiDocument(openapi))
