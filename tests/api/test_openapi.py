"""Every route of the OpenAPI document under generated requests: never a server error."""

import os
import re
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import response_schema_conformance

from coffer.database import database
from coffer.models import Configuration, Instance, Operation

CASES = {"admin": 25, "member": 6, "reader": 3, "stranger": 3}
"""Generated requests for each route, by role; COFFER_FUZZ multiplies them."""
TIMES = int(os.environ.get("COFFER_FUZZ", "1"))


@pytest.fixture
def document(api: Any) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", api.client.app)


def test_the_document_names_every_route(api: Any) -> None:
    paths = api.client.simulate_get("/openapi.json").json["paths"]
    assert "/v1.0/{project}/instances/{instance}/action" in paths
    assert all(
        "responses" in operation for methods in paths.values() for operation in methods.values()
    )


@pytest.mark.parametrize("role", CASES)
def test_generated_requests(document: Any, api: Any, role: str) -> None:
    project = "p2" if role == "stranger" else "p1"
    for found in document.get_all_operations():
        _fuzz(found.ok(), api.tokens[role], project, CASES[role] * TIMES)


def _fuzz(operation: Any, token: str, project: str, cases: int) -> None:
    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=cases,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        derandomize=TIMES == 1,
        database=None,
    )
    def send(case: Any) -> None:
        case.path_parameters["project"] = project
        answer = case.call(headers={"X-Auth-Token": token})
        # 501 is Trove's status for what a datastore does not do.
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        case.validate_response(answer, checks=(response_schema_conformance,))

    send()


OURS = ("instance", "operation", "configuration", "backup", "schedule", "patch", "window")
"""Parameters of paths that name a project's own things."""
FORBIDDEN = {
    "member": ["admin"],
    "stranger": ["admin"],
    "reader": ["admin", "member"],
}
"""What a role is not: it is told so before anything is looked up."""


def minimal(schema: Any, components: Any) -> Any:
    """A small body that the schema accepts, so that only the id in the path is wrong."""
    if "$ref" in schema:
        return minimal(components[schema["$ref"].rsplit("/", 1)[-1]], components)
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return minimal(schema[either][0], components)
    if schema.get("type") == "object":
        known = schema.get("properties", {})
        names = schema.get("required") or list(known)[:1]
        return {name: minimal(known[name], components) for name in names}
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [minimal(schema["items"], components)] * schema.get("minItems", 0)
    by_type = {"string": "x1", "integer": schema.get("minimum", 1), "boolean": True}
    return by_type.get(schema.get("type", ""))


@pytest.fixture
def elsewhere(api: Any, wish: Any) -> dict[str, str]:
    """Ids of another project's things, by the name of the path's parameter."""
    made = api.call("POST", "/instances", wish, role="admin").json["instance"]["id"]
    group = {"configuration": {"name": "g", "values": {}}}
    group_id = api.call("POST", "/configurations", group, role="admin").json["configuration"]["id"]
    with database.connection_context():
        operation = Operation.get().id
        for model in (Instance, Operation, Configuration):
            model.update(project_id="other").execute()
    return {"instance": made, "operation": operation, "configuration": group_id}


@pytest.mark.parametrize("role", ["member", "reader", "stranger", None])
def test_another_projects_things_are_not_there(
    api: Any, elsewhere: dict[str, str], role: str | None
) -> None:
    """Every route with an id: 404, unless the role is refused the whole route."""
    project = "p2" if role == "stranger" else "p1"
    document = api.client.simulate_get("/openapi.json").json
    checked = 0
    for path, methods in document["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        if not set(OURS) & set(names):
            continue
        ids = {name: elsewhere.get(name, "00000000-0000-4000-8000-000000000000") for name in names}
        target = path.format(**ids | {"project": project})
        for method, operation in methods.items():
            body = operation.get("requestBody")
            given = body and minimal(
                body["content"]["application/json"]["schema"], document["components"]["schemas"]
            )
            headers = {"X-Auth-Token": api.tokens[role]} if role else {}
            answer = api.client.simulate_request(
                method.upper(), target, headers=headers, json=given
            )
            refused = operation["x-coffer-roles"][0] in FORBIDDEN.get(role or "", [])
            expected = 401 if role is None else 403 if refused else 404
            assert answer.status_code == expected, f"{method} {path} {given}: {answer.text}"
            checked += 1
    assert checked > 30
