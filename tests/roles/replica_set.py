"""A replica set of guests, changed by the service's own playbooks."""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.roles.engine_site import Data, Dumper, Guest, Site
from tests.roles.provider import ENVIRONMENT, REPOSITORY, Outcome, outcome_of

PASSWORD = "Replication-{{ 7*7 }}-'\"-1"
NOBODY = "192.0.2.0/24"
"""Who may connect, as somebody has wished: not the others of the set."""


@dataclass
class ReplicaSet:
    """Guests, of which one is the source."""

    site: Site
    source: Guest
    replicas: list[Guest] = field(default_factory=list)
    members: list[Guest] = field(default_factory=list)
    """All that the engines' ports are open to, whoever takes part in a run."""

    def run(self, playbook: str, *, extra: dict[str, Any] | None = None) -> Outcome:
        """Run a playbook to what the set shall be now."""
        folder = self.site.scratch / "runs" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        (folder / "inventory.json").write_text(json.dumps(self._inventory()))
        more = {"coffer_replication_password": PASSWORD, **(extra or {})}
        (folder / "more.yml").write_text(yaml.dump(Data(more), Dumper=Dumper))
        done = subprocess.run(
            [
                str(sys.executable).replace("python", "ansible-playbook"),
                *("-i", str(folder / "inventory.json"), "-e", f"@{folder}/more.yml"),
                str(REPOSITORY / "playbooks" / f"{playbook}.yml"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **ENVIRONMENT},
            cwd=self.site.scratch,
            timeout=300,
            check=False,
        )
        return outcome_of(done.returncode, done.stdout)

    def _inventory(self) -> dict[str, Any]:
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        groups = {"run_source": [self.source], "run_replicas": self.replicas}
        hosts = {
            guest.instance.id: self._variables(guest) for guest in (self.source, *self.replicas)
        }
        return {
            "all": {
                "hosts": {"localhost": local, **hosts},
                "vars": self.site.data["settings"],
                "children": {
                    name: {"hosts": {guest.instance.id: {} for guest in guests}}
                    for name, guests in groups.items()
                },
            }
        }

    def _variables(self, guest: Guest) -> dict[str, Any]:
        peers = [each.address for each in self.members if each is not guest]
        followed = {"id": self.source.instance.id, "address": self.source.address}
        return {
            **guest.variables(),
            "coffer_provider": self.site.data["provider"],
            "coffer_allowed_cidrs": [NOBODY, *(f"{address}/32" for address in peers if address)],
            "coffer_source": {} if guest is self.source else followed,
        }

    def add(self, guest: Guest) -> Outcome:
        """Have a new guest follow the source."""
        self.members = [self.source, *self.replicas, guest]
        whole, self.replicas = self.replicas, [guest]
        done = self.run("replica_create", extra={"coffer_guest_token": guest.token})
        self.replicas = [*whole, guest]
        if done.code == 0:
            guest.address = done.facts["compute"]["address"]
            guest.server_id = done.facts["compute"]["server_id"]
        return done

    def lead(self, guest: Guest) -> None:
        """What shall be: this one is the source of all others."""
        everybody = [self.source, *self.replicas]
        self.source, self.replicas = guest, [each for each in everybody if each is not guest]
