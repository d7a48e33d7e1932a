"""An ordinary user of the cloud, and what the cloud's administrator does to let it use Coffer."""

from functools import cached_property
from pathlib import Path
from typing import Any

import openstack

from tests.e2e.api import Api

PASSWORD = "a-password-of-the-cloud"
SERVICE_ROLE = "service"
AUTHTOKEN = """[keystone_authtoken]
www_authenticate_uri = {url}
auth_url = {url}
auth_type = v3applicationcredential
application_credential_id = {id}
application_credential_secret = {secret}
service_token_roles_required = true
"""


class Tenant:
    """A project with one user of the role `member`, and Coffer in the catalogue of a region."""

    def __init__(self, administrator: openstack.connection.Connection, name: str) -> None:
        """`name` is that of all that is made: region, project, users."""
        self.administrator, self.name = administrator, name
        self.auth_url: str = administrator.config.auth["auth_url"]

    def enter(self, root: str, authtoken: Path) -> None:
        """Register Coffer, whose API answers at `root`; `authtoken` is for keystonemiddleware."""
        self.leave()
        identity = self.administrator.identity
        roles = {role.name: role for role in identity.roles()}
        domain = {"domain_id": "default"}
        project = identity.create_project(name=self.name, **domain)
        user = identity.create_user(name=self.name, password=PASSWORD, **domain)
        identity.assign_project_role_to_user(project, user, roles["member"])
        service = identity.create_user(name=f"{self.name}-service", password=PASSWORD, **domain)
        identity.assign_project_role_to_user(project, service, roles[SERVICE_ROLE])
        self._register(root)
        itself = self._connect(service.name, self.administrator.config.region_name)
        made = itself.identity.create_application_credential(
            service.id, self.name, roles=[{"name": SERVICE_ROLE}]
        )
        authtoken.touch(mode=0o600)
        authtoken.write_text(AUTHTOKEN.format(url=self.auth_url, id=made.id, secret=made.secret))

    def _register(self, root: str) -> None:
        identity = self.administrator.identity
        identity.create_region(id=self.name)
        known = next(identity.services(type="database"), None)
        service = known or identity.create_service(type="database", name=self.name)
        identity.create_endpoint(
            service_id=service.id,
            interface="public",
            region_id=self.name,
            url=f"{root}/v1.0/%(project_id)s",
        )

    def leave(self) -> None:
        """Nothing of it stays."""
        identity = self.administrator.identity
        for endpoint in list(identity.endpoints(region_id=self.name)):
            identity.delete_endpoint(endpoint)
        for kind in (identity.services, identity.users, identity.projects):
            for each in list(kind()):
                if each.name in (self.name, f"{self.name}-service"):
                    each.delete(identity)
        identity.delete_region(self.name, ignore_missing=True)

    def _connect(self, user: str, region: str) -> Any:
        return openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            region_name=region,
            auth=self.login(user),
        )

    def login(self, user: str) -> dict[str, str]:
        """What a clouds.yaml says below `auth`."""
        return {
            "auth_url": self.auth_url,
            "username": user,
            "password": PASSWORD,
            "project_name": self.name,
            "user_domain_id": "default",
            "project_domain_id": "default",
        }

    @cached_property
    def api(self) -> Api:
        """Coffer, as the catalogue names it."""
        connection = self._connect(self.name, self.name)
        return Api(connection.endpoint_for("database"), connection.auth_token)
