"""An installation whose instances live in the cloud of the tests."""

import os
from pathlib import Path
from typing import Any

import yaml
from openstack.config import OpenStackConfig

from tests.e2e.host import NAME
from tests.e2e.installation import API_PORT, CONDUCTOR_PORT, GATEWAY_PORT, SCRATCH, Installation
from tests.openstack.cloud import Cloud
from tests.site import NUMBER

PREFIX = f"coffo{NUMBER}"
CLOUDS_FILE = Path("/var/tmp", f"{PREFIX}-clouds.yaml")


def variables(cloud: Cloud) -> dict[str, Any]:
    """As an administrator gives them to `coffer-manage setup`."""
    return {
        "control_plane_name": NAME,
        "control_plane_provider": "openstack",
        "control_plane_api_address": cloud.gateway,
        "control_plane_api_port": API_PORT,
        "control_plane_conductor_address": cloud.gateway,
        "control_plane_conductor_port": CONDUCTOR_PORT,
        "control_plane_gateway_port": GATEWAY_PORT,
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
    }


class CloudInstallation(Installation):
    """Signs in with an application credential; waits as long as servers without KVM need."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.values = variables(cloud)

    def prepare(self) -> None:
        """Images are built by the tests that need them."""

    def setup(self, *arguments: str) -> Any:
        """With a credential that opens the one project and nothing else."""
        if not CLOUDS_FILE.exists():
            self._sign_up()
        return super().setup(*arguments)

    def purge(self) -> None:
        """The credential goes too."""
        super().purge()
        if CLOUDS_FILE.exists():
            self._sign_off()
            CLOUDS_FILE.unlink()

    def remove_images(self) -> None:
        """Those that engines start from, which a purge leaves."""
        connection = self.cloud.connect()
        for image in list(connection.image.images(owner=connection.current_project_id)):
            if image.properties.get("coffer_installation") == PREFIX:
                connection.image.delete_image(image)

    def _sign_up(self) -> None:
        connection = self.cloud.connect()
        self._sign_off()
        made = connection.identity.create_application_credential(
            connection.current_user_id, PREFIX, roles=[{"name": "member"}]
        )
        known = OpenStackConfig(config_files=[str(self.cloud.clouds_file)])
        region = known.get_one(self.cloud.name)
        credential = {
            "auth_url": region.auth["auth_url"],
            "application_credential_id": made.id,
            "application_credential_secret": made.secret,
        }
        text = yaml.safe_dump(
            {
                "clouds": {
                    "coffer": {
                        "auth_type": "v3applicationcredential",
                        "auth": credential,
                        "region_name": region.region_name,
                    }
                }
            }
        )
        descriptor = os.open(CLOUDS_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)

    def _sign_off(self) -> None:
        connection = self.cloud.connect()
        user = connection.current_user_id
        for each in connection.identity.application_credentials(user):
            if each.name == PREFIX:
                connection.identity.delete_application_credential(user, each)

    def dbctl(self, *arguments: str, check: bool = True, **options: Any) -> Any:
        """dbctl, as the administrator; waits for operations as long as they take here."""
        return self.run("dbctl", *arguments, timeout=1800, check=check, **options)

    def manage(self, *arguments: str, **options: Any) -> Any:
        """coffer-manage; an image takes its time."""
        return self.run("coffer-manage", *arguments, **{"timeout": 1800, **options})


__all__ = ["CLOUDS_FILE", "PREFIX", "CloudInstallation"]
