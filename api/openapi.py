"""The OpenAPI 3.1 document, generated from the routes and the types that decode and encode."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from api.endpoint import Spec
from api.policy import Policy
from coffer import __version__

_METHODS = ("get", "post", "put", "patch", "delete")
_REFERENCES = "#/components/schemas/{name}"
_REFUSALS = {
    "400": "malformed; the message names the field",
    "401": "no token, or it opens nothing",
    "403": "the role or the project is not enough",
    "404": "there is no such thing in this project",
    "413": "larger than a quota or a maximum",
    "415": "the body is not JSON",
    "422": "the object's state does not allow it",
    "501": "not supported",
}


def openapi_document(routes: Iterable[tuple[str, Any]], policy: Policy) -> bytes:
    """The document as JSON; `routes` are pairs of path template and resource."""
    responders = [
        (path, method, spec)
        for path, resource in routes
        for method in _METHODS
        if (spec := _spec(resource, method))
    ]
    schemas, components = _schemas(spec for _, _, spec in responders)
    paths: dict[str, dict[str, Any]] = {}
    for path, method, spec in responders:
        described = _operation(path, spec, schemas)
        described["x-coffer-roles"] = policy.needed(method, path, spec.access)
        paths.setdefault(path, {})[method] = described
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Coffer", "version": __version__},
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {
                    "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}
                },
            },
            "security": [{"token": []}],
        }
    )


def _spec(resource: Any, method: str) -> Spec | None:
    found: Spec | None = getattr(getattr(resource, f"on_{method}", None), "spec", None)
    return found


def _schemas(specs: Iterable[Spec]) -> tuple[dict[Any, Any], dict[str, Any]]:
    types = list({kind: None for spec in specs for kind in (spec.body, spec.returns) if kind})
    found, components = msgspec.json.schema_components(types, ref_template=_REFERENCES)
    return dict(zip(types, found, strict=True)), components


def _operation(path: str, spec: Spec, schemas: dict[Any, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": spec.summary}
    if spec.returns:
        answer["content"] = {"application/json": {"schema": schemas[spec.returns]}}
    refusals = {status: {"description": text} for status, text in _REFUSALS.items()}
    operation = {
        "summary": spec.summary,
        "parameters": [*_path_parameters(path), *_query_parameters(spec)],
        "responses": {str(spec.status): answer, **refusals},
    }
    if spec.body:
        content = {"application/json": {"schema": schemas[spec.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(spec: Spec) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": {"type": "string"}} for name in spec.query]
