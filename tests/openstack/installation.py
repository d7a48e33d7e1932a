"""An installation whose instances live in the cloud of the tests."""

from pathlib import Path
from typing import Any

import yaml

from tests.e2e.api import Api
from tests.e2e.host import NAME
from tests.e2e.installation import API_PORT, SCRATCH, Installation
from tests.openstack.cloud import Cloud
from tests.openstack.holdings import holdings
from tests.openstack.tenant import Tenant
from tests.site import NUMBER

PREFIX = f"coffo{NUMBER}"
CLOUDS_FILE = Path("/var/tmp", f"{PREFIX}-clouds.yaml")
AUTHTOKEN = Path("/var/tmp", f"{PREFIX}-keystone.conf")
CONTAINER = f"{PREFIX}-backups"
CONDUCTOR_PORT = 18800 + 2 * int(NUMBER)
"""All installations are at one address; the gateway has the next port."""
TENANT = "tenant"
"""The cloud of the administrator's clouds.yaml that stands for an ordinary user."""


def variables(cloud: Cloud) -> dict[str, Any]:
    """As an administrator gives them to `coffer-manage setup`."""
    return {
        "control_plane_name": NAME,
        "control_plane_provider": "openstack",
        "control_plane_api_address": cloud.gateway,
        "control_plane_api_port": API_PORT,
        "control_plane_conductor_address": cloud.gateway,
        "control_plane_conductor_port": CONDUCTOR_PORT,
        "control_plane_gateway_port": CONDUCTOR_PORT + 1,
        "control_plane_dbctl_config": str(SCRATCH / "dbctl.toml"),
        "compute_openstack_clouds_file": str(CLOUDS_FILE),
        "compute_openstack_cloud": "coffer",
        "compute_openstack_prefix": PREFIX,
        "compute_openstack_network": cloud.network,
        "compute_openstack_stock_images": cloud.stock_images,
        "compute_openstack_flavors": cloud.flavors,
        "compute_openstack_user_data": cloud.user_data,
        "compute_openstack_nameservers": cloud.nameservers,
        "compute_openstack_grow_online": cloud.grow_online,
        "compute_openstack_build_on": cloud.build_on,
    }


class CloudInstallation(Installation):
    """Signs in with an application credential; waits as long as servers without KVM need.

    Where the cloud has an administrator it is used by an ordinary user with Keystone's tokens, and
    where it has Swift the backups lie there.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.values = variables(cloud)
        administrator = cloud.administered()
        self.tenant = Tenant(administrator, PREFIX) if administrator else None

    def make_room(self) -> None:
        """In the cloud: a credential that opens one project, a user, a container."""
        credential = self._sign_up()
        if self.cloud.connect().has_service("object-store"):
            self.values |= {
                "control_plane_backup_storage": f"swift:{CONTAINER}",
                "control_plane_rclone": {"swift": _swift(credential)},
            }
        if self.tenant is not None:
            self.tenant.enter(f"http://{self.cloud.gateway}:{API_PORT}", AUTHTOKEN)
            self.values["control_plane_settings"] = {"keystone_config": str(AUTHTOKEN)}

    def prepare(self) -> None:
        """Images are built by the tests that need them."""
        if self.tenant is not None:
            clouds = {TENANT: {"auth": self.tenant.login(PREFIX), "region_name": PREFIX}}
            (SCRATCH / "clouds.yaml").write_text(yaml.safe_dump({"clouds": clouds}))

    def purge(self) -> None:
        """User and credential go too."""
        super().purge()
        if CLOUDS_FILE.exists():
            self._sign_off()
            CLOUDS_FILE.unlink()
        if self.tenant is not None:
            self.tenant.leave()
            AUTHTOKEN.unlink(missing_ok=True)

    def remove_what_a_purge_leaves(self) -> None:
        """Images that engines start from, and the backups' place."""
        connection = self.cloud.connect()
        for image in list(connection.image.images(owner=connection.current_project_id)):
            if image.properties.get("coffer_installation") == PREFIX:
                connection.image.delete_image(image)
        for name in holdings(connection, PREFIX, "containers"):
            for each in list(connection.object_store.objects(name)):
                connection.object_store.delete_object(each, container=name)
            connection.object_store.delete_container(name)

    def _sign_up(self) -> dict[str, str]:
        """Make the service's clouds.yaml; what is below `auth` in it."""
        connection = self.cloud.connect()
        self._sign_off()
        made = connection.identity.create_application_credential(
            connection.current_user_id, PREFIX, roles=[{"name": "member"}]
        )
        credential = {
            "auth_url": connection.config.auth["auth_url"],
            "application_credential_id": made.id,
            "application_credential_secret": made.secret,
        }
        cloud = {
            "auth_type": "v3applicationcredential",
            "auth": credential,
            "region_name": connection.config.region_name,
        }
        CLOUDS_FILE.unlink(missing_ok=True)
        CLOUDS_FILE.touch(mode=0o600)
        CLOUDS_FILE.write_text(yaml.safe_dump({"clouds": {"coffer": cloud}}))
        return credential

    def _sign_off(self) -> None:
        connection = self.cloud.connect()
        user = connection.current_user_id
        for each in connection.identity.application_credentials(user):
            if each.name == PREFIX:
                connection.identity.delete_application_credential(user, each)

    @property
    def api(self) -> Api:
        """As the ordinary user, or the administrator of the installation where there is none."""
        return self.tenant.api if self.tenant else super().api

    def environment(self) -> dict[str, str]:
        """With the user's clouds.yaml."""
        return {**super().environment(), "OS_CLIENT_CONFIG_FILE": str(SCRATCH / "clouds.yaml")}

    def dbctl(self, *arguments: str, check: bool = True, **options: Any) -> Any:
        """dbctl, as who `api` is; waits for operations as long as they take here."""
        who = ["--os-cloud", TENANT] if self.tenant else []
        return self.run("dbctl", *arguments, *who, timeout=1800, check=check, **options)

    def manage(self, *arguments: str, **options: Any) -> Any:
        """coffer-manage; an image takes its time."""
        return self.run("coffer-manage", *arguments, **{"timeout": 1800, **options})

    def ended(self, operation_id: str, timeout: float = 1200) -> Any:
        """The operation once it has ended, however it did."""
        return super().ended(operation_id, timeout)


def _swift(credential: dict[str, str]) -> dict[str, str]:
    """A remote of rclone's."""
    return {
        "type": "swift",
        "auth": credential["auth_url"],
        "application_credential_id": credential["application_credential_id"],
        "application_credential_secret": credential["application_credential_secret"],
    }


__all__ = ["CLOUDS_FILE", "PREFIX", "CloudInstallation"]
