"""A token of the role `patcher`: it sees instances and patches them, over all routes."""

import re

from tests.api.conftest import Api
from tests.api.fleet import Fleet

ALLOWED = {
    "get /instances",
    "get /instances/detail",
    "get /instances/{instance}",
    "post /instances/{instance}/patch",
    "get /patches",
    "post /patches",
    "get /patches/{patch}",
    "post /patches/{patch}/action",
}


def test_every_other_route_is_refused(api: Api) -> None:
    paths = api.client.simulate_get("/openapi.json").json["paths"]
    passed = set()
    for path, methods in paths.items():
        for method in methods:
            target = re.sub(r"{\w+}", "x", path.removeprefix("/v1.0/{project}"))
            answer = api.call(method.upper(), target, None, role="patcher")
            if answer.status_code != 403:
                passed.add(f"{method} {path.removeprefix('/v1.0/{project}')}")
    assert passed == ALLOWED
    assert len(paths) > 60


def test_what_it_may(api: Api) -> None:
    fleet = Fleet(api)
    fleet.add("a")
    body = {"selector": {"engine": "mysql"}, "backup": False}
    run = fleet.post(body, role="patcher").json["patch"]["id"]
    fleet.end()
    assert api.call("GET", f"/patches/{run}", role="patcher").json["patch"]["state"] == "done"
    assert api.call("GET", "/instances", role="patcher").json["instances"][0]["name"] == "a"
    elsewhere = {"selector": {"project": "p2"}}
    assert fleet.post(elsewhere, role="patcher").status_code == 403
