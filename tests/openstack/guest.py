"""An instance in the cloud: from outside as a client, from inside as root."""

import subprocess
from dataclasses import dataclass

from tests.e2e.guest import Done, Guest
from tests.e2e.host import CONFIG
from tests.openstack.installation import CloudInstallation

SSH = (
    *("ssh", "-i", f"{CONFIG}/ssh/id_ed25519", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"),
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
)


@dataclass(frozen=True)
class CloudGuest(Guest):
    """An instance whose address the API tells."""

    coffer: CloudInstallation

    @property
    def address(self) -> str:
        return str(self.coffer.api.instance(self.id)["ip"][0])

    def shell(self, command: str, *, check: bool = True, timeout: float = 600) -> Done:
        done = subprocess.run(
            [*SSH, f"root@{self.address}", command],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done
