"""A real Keystone on loopback with SQLite: two projects, and a user for each role."""

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
import openstack
from cryptography.fernet import Fernet

from tests.clients.service import BIN, clean, free_port

PASSWORD = "a-password"
CONFIG = """
[DEFAULT]
log_dir = {home}
[database]
connection = sqlite:///{home}/keystone.db
[fernet_tokens]
key_repository = {home}/fernet
[credential]
key_repository = {home}/credential
"""
AUTHTOKEN = """
[keystone_authtoken]
www_authenticate_uri = {url}
auth_url = {url}
auth_type = password
username = admin
password = {password}
project_name = admin
user_domain_id = default
project_domain_id = default
service_token_roles_required = true
"""


class Keystone:
    """A running Keystone."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = f"http://127.0.0.1:{free_port()}"
        self.url = f"{self.root}/v3"
        self.config = home / "keystone.conf"
        self.config.write_text(CONFIG.format(home=home))
        self.authtoken = home / "authtoken.conf"
        self.authtoken.write_text(AUTHTOKEN.format(url=self.url, password=PASSWORD))
        self.served = home / "gunicorn.conf.py"
        self.served.write_text('wsgi_app = "keystone.wsgi.api:application"\n')
        for name in ("fernet", "credential"):
            (home / name).mkdir(mode=0o700)
        ids = [f"--keystone-user={os.getuid()}", f"--keystone-group={os.getgid()}"]
        self._manage("db_sync")
        self._manage("fernet_setup", *ids)
        self._manage("credential_setup", *ids)
        places = [f"--bootstrap-{kind}-url={self.url}" for kind in ("public", "internal", "admin")]
        region = "--bootstrap-region-id=RegionOne"
        self._manage("bootstrap", f"--bootstrap-password={PASSWORD}", region, *places)

    def _manage(self, *arguments: str) -> None:
        command = [str(BIN / "keystone-manage"), "--config-file", str(self.config), *arguments]
        environment = clean(os.environ) | {"PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr

    @contextmanager
    def running(self) -> Iterator["Keystone"]:
        """Serve it."""
        # Keystone reads the arguments of its process, so gunicorn's are in the environment.
        options = f"--threads=4 --bind={self.root[7:]} --no-control-socket -c {self.served}"
        with (self.home / "gunicorn.log").open("wb") as log:
            process = subprocess.Popen(
                [str(BIN / "gunicorn")],
                env={
                    **clean(os.environ),
                    "OS_KEYSTONE_CONFIG_FILES": str(self.config),
                    "GUNICORN_CMD_ARGS": options,
                },
                cwd=self.home,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait()
            yield self
        finally:
            process.terminate()
            process.wait(20)

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(self.url, timeout=10)  # noqa: S310
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def altered(self, token: str, expires: float, key: bytes | None = None) -> str:
        """The same token with another end (seconds since 1970), encrypted with another key."""
        newest = max((self.home / "fernet").iterdir(), key=lambda path: int(path.name))
        own = Fernet(newest.read_bytes())
        packed = own.decrypt(token + "=" * (-len(token) % 4))
        fields = [expires if isinstance(each, float) else each for each in msgpack.unpackb(packed)]
        made = Fernet(key) if key else own
        return made.encrypt(msgpack.packb(fields)).decode().rstrip("=")

    def connect(self, user: str, project: str) -> Any:
        """openstacksdk's connection of a user."""
        return openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            region_name="RegionOne",
            auth=self.login(user, project),
        )

    def login(self, user: str, project: str) -> dict[str, str]:
        """What a clouds.yaml says below `auth`."""
        return {
            "auth_url": self.url,
            "username": user,
            "password": PASSWORD,
            "project_name": project,
            "user_domain_id": "default",
            "project_domain_id": "default",
        }

    def fill(self, endpoint: str) -> dict[str, str]:
        """Make projects, users and the catalogue's entry; returns the ids of the projects."""
        identity = self.connect("admin", "admin").identity
        roles = {role.name: role for role in identity.roles()}
        projects = {
            name: identity.create_project(name=name, domain_id="default") for name in ("p1", "p2")
        }
        for name, role, project in (
            ("ann", "member", "p1"),
            ("rae", "reader", "p1"),
            ("bob", "member", "p2"),
            ("boss", "admin", "p1"),
        ):
            user = identity.create_user(name=name, password=PASSWORD, domain_id="default")
            identity.assign_project_role_to_user(projects[project], user, roles[role])
        service = identity.create_service(name="coffer", type="database")
        identity.create_endpoint(
            service_id=service.id,
            interface="public",
            region_id="RegionOne",
            url=f"{endpoint}/v1.0/%(project_id)s",
        )
        storage = identity.create_service(name="coffer-logs", type="object-store")
        identity.create_endpoint(
            service_id=storage.id,
            interface="public",
            region_id="RegionOne",
            url=f"{endpoint}/v1.0/%(project_id)s/objects",
        )
        return {name: project.id for name, project in projects.items()}
