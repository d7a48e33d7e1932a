"""dbctl's words about replicas, against a real HTTP server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbctl.main import main
from tests.unit.dbctl_documents import TOKEN
from tests.unit.dbctl_server import Server

CREATE = ["instance", "create", "db2", "--replica-of", "db1"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("COFFER_URL", server.url)
    monkeypatch.setenv("COFFER_TOKEN", TOKEN)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield server
    server.stop()


def test_a_replica_is_asked_for_by_its_source_alone(server: Server) -> None:
    source = server.coffer.add_instance("db1")
    assert main([*CREATE, "--count", "2"]) == 0
    sent = [body for verb, _, body in server.coffer.requests if verb == "POST"]
    wanted = {"name": "db2", "replica_of": source["id"], "replica_count": 2}
    assert sent == [{"instance": wanted}]


@pytest.mark.parametrize(
    "arguments",
    [
        [*CREATE, "--flavor", "small"],
        [*CREATE, "--user", "app"],
        ["instance", "create", "mysql", "db2", "--replica-of", "db1"],
        ["instance", "create", "mysql", "db2", "--flavor", "small"],
        ["instance", "create", "db2", "--flavor", "small", "--volume", "1"],
        ["instance", "create", "mysql", "db2", *"--flavor small --volume 1 --count 2".split()],
    ],
)
def test_arguments_that_do_not_go_together(server: Server, arguments: list[str]) -> None:
    server.coffer.add_instance("db1")
    assert main(arguments) == 2
    assert not [verb for verb, _, _ in server.coffer.requests if verb == "POST"]


def test_roles_and_lag_are_shown(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instance", "list"]) == 0
    assert "ROLE" not in capsys.readouterr().out
    source = server.coffer.add_instance("db1", replicas=[{"id": "2" * 36}])
    followed: dict[str, Any] = {"replica_of": {"id": source["id"]}, "replication": {"lag": 2.0}}
    replica = server.coffer.add_instance("db2", "2" * 36, **followed)
    assert main(["instance", "list"]) == 0
    listed = {line.split()[0]: line.split()[2] for line in capsys.readouterr().out.splitlines()}
    assert listed == {"NAME": "ROLE", "db1": "source", "db2": "replica"}
    assert main(["instance", "show", "db2"]) == 0
    assert f"{source['id']} (2 s behind)" in capsys.readouterr().out
    replica["replication"] = {"lag": None, "message": "no room"}
    assert main(["instance", "show", "db2"]) == 0
    out = capsys.readouterr().out
    assert "(not following)" in out
    assert "no room" in out


@pytest.mark.parametrize(
    ("verb", "action"),
    [("promote", "promote_to_replica_source"), ("eject", "eject_replica_source")],
)
def test_places_are_changed(server: Server, verb: str, action: str) -> None:
    server.coffer.add_instance("db1")
    assert main(["instance", verb, "db1"]) == 0
    assert [body for method, _, body in server.coffer.requests if method == "POST"] == [
        {action: {}}
    ]
