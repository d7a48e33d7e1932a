"""The API on a fresh database; Redis is away, which no request may notice."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
from cryptography.fernet import Fernet

from api.app import create_app
from api.authentication import TokenAuthenticator
from api.services import Services, make_services
from coffer.database import connect, database, migrate
from coffer.datastores import register
from coffer.settings import Settings
from coffer.tokens import ROLES, create_token


@dataclass
class Api:
    """A client of the app that knows its tokens."""

    client: falcon.testing.TestClient
    services: Services
    tokens: dict[str, str]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str | None = "member",
        project: str = "p1",
        **kwargs: Any,
    ) -> falcon.testing.Result:
        """Send a request below the project's path with the role's token."""
        headers = {"X-Auth-Token": self.tokens[role]} if role else {}
        if body is not None:
            kwargs["json"] = body
        return self.client.simulate_request(
            method, f"/v1.0/{project}{path}", headers=headers | kwargs.pop("headers", {}), **kwargs
        )


def settings_in(home: Path, redis_socket: Path | str) -> Settings:
    """Of an installation whose files are all in one directory, with a key of its own."""
    key_file = home / "fernet.keys"
    key_file.write_text(Fernet.generate_key().decode())
    return Settings(
        database_url=f"sqlite:///{home}/coffer.db",
        redis_url=f"unix://{redis_socket}",
        key_file=str(key_file),
        ssh_key=str(home / "id"),
        ca_certificate=str(home / "ca.crt"),
        run_directory=str(home / "run"),
        gateway_users=str(home / "gateway.htpasswd"),
    )


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    settings = settings_in(tmp_path, tmp_path / "nobody.sock")
    connect(settings.database_url)
    migrate()
    services = make_services(settings)
    with database.connection_context():
        register(services.catalogue, "mysql", None, "mysql-9.7")
        tokens = {role: create_token(role, "p1", [role]) for role in ROLES}
        tokens["stranger"] = create_token("stranger", "p2", ["member"])
    yield Api(
        falcon.testing.TestClient(create_app(services, TokenAuthenticator())), services, tokens
    )
    database.obj.close_all()


@pytest.fixture
def wish() -> dict[str, Any]:
    """The body of a creation that is granted."""
    return {
        "instance": {
            "name": "db1",
            "flavorRef": "small",
            "volume": {"size": 1},
            "datastore": {"type": "mysql", "version": "9.7"},
            "databases": [{"name": "app"}],
            "users": [{"name": "u", "password": "p'\"{{ 7*7 }}", "databases": [{"name": "app"}]}],
        }
    }
