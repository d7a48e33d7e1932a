"""Every route of the OpenAPI document under generated requests: never a server error."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import response_schema_conformance

from coffer.database import database
from coffer.models import Instance, Operation

CASES = 40
USERS = {"users": [{"name": "u", "password": "p"}]}
BODIES = {
    ("post", "action"): {"restart": {}},
    ("post", "databases"): {"databases": [{"name": "d"}]},
    ("put", "databases"): {"databases": [{"name": "d"}]},
    ("post", "users"): USERS,
    ("put", "users"): USERS,
    ("post", "{user}"): USERS,
    ("put", "{user}"): {"user": {"password": "p"}},
}
"""Bodies that are well formed, so that only the id is wrong."""


@pytest.fixture
def document(api: Any) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", api.client.app)


def test_the_document_names_every_route(api: Any) -> None:
    paths = api.client.simulate_get("/openapi.json").json["paths"]
    assert "/v1.0/{project}/instances/{instance}/action" in paths
    assert all(
        "responses" in operation for methods in paths.values() for operation in methods.values()
    )


def test_generated_requests(document: Any, api: Any) -> None:
    for found in document.get_all_operations():
        _fuzz(found.ok(), api.tokens["admin"])


def _fuzz(operation: Any, token: str) -> None:
    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=CASES,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        derandomize=True,
        database=None,
    )
    def send(case: Any) -> None:
        case.path_parameters["project"] = "p1"
        answer = case.call(headers={"X-Auth-Token": token})
        # 501 is Trove's status for what a datastore does not do.
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        case.validate_response(answer, checks=(response_schema_conformance,))

    send()


@pytest.mark.parametrize("role", ["member", "reader", "stranger", None])
def test_no_route_shows_another_projects_things(api: Any, wish: Any, role: str | None) -> None:
    """Every route with an id, asked by everyone but its project's admin."""
    made = api.call("POST", "/instances", wish, role="admin").json["instance"]["id"]
    with database.connection_context():
        operation = Operation.get().id
        Instance.update(project_id="other").execute()
        Operation.update(project_id="other").execute()
    project = "p2" if role == "stranger" else "p1"
    expected = {401} if role is None else {403, 404}
    paths = api.client.simulate_get("/openapi.json").json["paths"]
    for path, methods in paths.items():
        if "{instance}" not in path and "{operation}" not in path:
            continue
        target = path.format(
            project=project, instance=made, operation=operation, user="u", database="d"
        )
        for method in methods:
            headers = {"X-Auth-Token": api.tokens[role]} if role else {}
            body = BODIES.get((method, path.rsplit("/", 1)[-1]))
            if method == "put" and path.endswith("{instance}"):
                body = {"instance": {"name": "other"}}
            if path.endswith("{operation}/action"):
                body = {"abort": {}}
            answer = api.client.simulate_request(method.upper(), target, headers=headers, json=body)
            assert answer.status_code in expected, f"{method} {path}: {answer.text}"
