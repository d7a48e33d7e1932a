"""The cloud that tests run in: any one of a clouds.yaml, else the lab's."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import openstack
from openstack.config import OpenStackConfig

SUITES = ("bookworm", "trixie")
PREPARED = "prepared"
"""The lab's image in which a guest finds what it needs at its first contact."""
LAB = Path(os.environ.get("OSLAB", "/var/tmp/oslab"))


@dataclass(frozen=True)
class Cloud:
    """Where tests make instances, and what from. Each can be set by `COFFER_TEST_<NAME>`."""

    name: str
    clouds_file: Path
    network: str
    image: str
    user_data: str
    gateway: str
    """This host's address in the instances' network."""
    stock_images: dict[str, str]
    administrator: str
    """A cloud of the same file whose user may make projects and users; it need not be there."""
    flavors: str
    """A regular expression of their names."""
    grow_online: bool
    build_on: str
    """Where images are built: `server` or `host`."""

    def connect(self, name: str = "") -> openstack.connection.Connection:
        """As the user of the service, or of another cloud of the file."""
        return openstack.connection.Connection(config=self._known.get_one(name or self.name))

    def administered(self) -> openstack.connection.Connection | None:
        """As the administrator, where the file has one."""
        if self.administrator not in self._known.get_cloud_names():
            return None
        return self.connect(self.administrator)

    @property
    def _known(self) -> OpenStackConfig:
        return OpenStackConfig(config_files=[str(self.clouds_file)], load_envvars=False)

    @property
    def nameservers(self) -> list[str]:
        """This host's own, which guests use where their network has none."""
        lines = Path("/etc/resolv.conf").read_text().splitlines()
        return [line.split()[1] for line in lines if line.startswith("nameserver")]

    def values(self) -> dict[str, str]:
        """What lines of the data file may name."""
        return {
            "cloud": self.name,
            "clouds_file": str(self.clouds_file),
            "network": self.network,
            "image": self.image,
            "user_data": self.user_data,
            "gateway": self.gateway,
            "nameserver": self.nameservers[0],
        }


def cloud_under_test() -> Cloud:
    """As the environment says; the lab's values are the defaults."""
    return Cloud(
        _setting("CLOUD", "oslab"),
        Path(_setting("CLOUDS_FILE", str(LAB / "clouds.yaml"))),
        _setting("NETWORK", "provider"),
        _setting("IMAGE", PREPARED),
        _setting("USER_DATA", "script"),
        _setting("GATEWAY", "10.214.0.1"),
        {suite: _setting(f"STOCK_{suite.upper()}", f"stock-{suite}") for suite in SUITES},
        _setting("ADMINISTRATOR", "oslab-admin"),
        _setting("FLAVORS", r"db\..*"),
        _setting("GROW_ONLINE", "") == "true",
        _setting("BUILD_ON", "host"),
    )


def _setting(name: str, default: str) -> str:
    return os.environ.get(f"COFFER_TEST_{name}", default)


def why_not(cloud: Cloud) -> str:
    """Why tests cannot run in it; empty when they can."""
    if not cloud.clouds_file.is_file():
        return f"there is no cloud: {cloud.clouds_file} is missing (`make test-openstack` has one)"
    try:
        auth_url = str(cloud.connect().config.auth["auth_url"])
        host, _, port = auth_url.split("//")[1].split("/", maxsplit=1)[0].partition(":")
        socket.create_connection((host, int(port or 443)), timeout=3).close()
    except OSError as error:
        return f"the cloud {cloud.name} does not answer: {error}"
    return ""
