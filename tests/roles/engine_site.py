"""Guests with an engine, made and driven the way a run of the service does."""

import json
import os
import shlex
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.roles.instance import Instance
from tests.roles.provider import DATA, ENVIRONMENT, REPOSITORY, Outcome, outcome_of
from tests.site import NUMBER
from tests.unit.guest_conductor import Authority, Conductor

CHAIN = ["preflight", "install", "configure", "start", "secure", "databases", "users", "verify"]


class Data(dict[str, Any]):
    """Variables whose texts are no templates."""


class Dumper(yaml.SafeDumper):
    """Writes variables as the service hands them to Ansible."""


Dumper.add_representer(Data, lambda dumper, data: dumper.represent_mapping("!unsafe", dict(data)))


@dataclass
class Engine:
    """An engine by its data file of the test and its catalogue."""

    name: str

    def __post_init__(self) -> None:
        self.data: dict[str, Any] = yaml.safe_load((DATA / f"engine_{self.name}.yml").read_text())
        path = REPOSITORY / f"roles/engine_{self.data['engine']}/catalogue/engine.yml"
        self.catalogue: dict[str, Any] = yaml.safe_load(path.read_text())

    @property
    def role(self) -> str:
        return f"engine_{self.data['engine']}"

    @property
    def version(self) -> dict[str, str]:
        wanted = self.catalogue["default_version"]
        return next(each for each in self.catalogue["versions"] if each["name"] == wanted)


@dataclass
class Guest:
    """One guest of a site."""

    site: "Site"
    engine: Engine
    instance: Instance
    image: str | None
    address: str = ""
    server_id: str = ""
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def variables(self) -> dict[str, Any]:
        """What the inventory says of it."""
        catalogue = self.engine.catalogue
        return {
            **self.instance.variables(),
            "coffer_engine": self.engine.data["engine"],
            "coffer_datastore_version": self.engine.version["name"],
            "coffer_engine_version": self.engine.version["version"],
            "coffer_image": self.image,
            "coffer_flavor": self.engine.data["flavor"],
            "coffer_data_directory": catalogue["data_directory"],
            "coffer_port": catalogue["port"],
            "coffer_allowed_cidrs": ["0.0.0.0/0"],
            "coffer_configuration": self.engine.data["configuration"],
            "coffer_ca_certificate_path": str(self.site.authority.certificate_path),
            "coffer_ca_key_path": str(self.site.authority.key_path),
            "coffer_conductor_url": self.site.conductor.url if self.site.conductor else "",
            **(
                {"ansible_host": self.address, "coffer_compute": {"address": self.address}}
                if self.address
                else {}
            ),
        }

    def run(self, *steps: str, check: bool = False, **more: Any) -> Outcome:
        """Run entry points of the engine's role, or of another one as `role/entry`."""
        with self.start(*steps, check=check, **more) as process:
            output = process.communicate(timeout=900)[0]
        return outcome_of(process.returncode, output)

    def start(self, *steps: str, check: bool = False, **more: Any) -> "subprocess.Popen[str]":
        """The same, as a process."""
        whole = [step if "/" in step else f"{self.engine.role}/{step}" for step in steps]
        return self.site.play(self, whole, check, more)

    def chain(self, **more: Any) -> Outcome:
        """All entry points of a new instance, with its databases, users and token."""
        asked = {f"coffer_{kind}": self.engine.data[kind] for kind in ("databases", "users")}
        return self.run(
            *CHAIN, "guest_agent/main", coffer_guest_token=self.token, **{**asked, **more}
        )

    def create(self) -> None:
        """Boot it, without an engine."""
        done = self.run(f"compute_{self.site.data['provider']}/create")
        assert done.code == 0, done.output
        self.address = done.facts["compute"]["address"]
        self.server_id = done.facts["compute"]["server_id"]

    def kill(self) -> None:
        """Take the power from it."""
        command = self.site.data["kill"].format(server_id=self.server_id)
        subprocess.run(shlex.split(command), check=True, stdout=subprocess.DEVNULL)

    def shell(self, command: str) -> str:
        """What a command in the guest prints."""
        return self.instance.shell(self.address, command).stdout.strip()

    def open_shell(self, command: str) -> "subprocess.Popen[str]":
        """A command in the guest that goes on, with its input and output."""
        return self.instance.open_shell(self.address, command)

    def wait_for_shell(self) -> None:
        """Until the guest answers again."""
        for _ in range(100):
            if self.shell("echo here") == "here":
                return
            time.sleep(0.2)
        raise TimeoutError(f"{self.address} does not answer")


@dataclass
class Site:
    """An installation of a provider, an authority and a conductor."""

    name: str
    scratch: Path
    guests: list[Guest] = field(default_factory=list)
    conductor: Conductor | None = None

    def __post_init__(self) -> None:
        text = (DATA / f"site_{self.name}.yml").read_text()
        text = text.replace("{scratch}", str(self.scratch)).replace("{site}", NUMBER)
        self.data: dict[str, Any] = yaml.safe_load(text)
        self.authority = Authority(self.scratch)

    def guest(self, engine: Engine, image: str | None) -> Guest:
        """A guest that is not there yet."""
        instance = Instance.make(self.scratch, self.scratch / "login_key")
        made = Guest(self, engine, instance, image)
        self.guests.append(made)
        return made

    def listen(self) -> Conductor:
        """The conductor, once the guests' network is there."""
        if self.conductor is None:
            self.conductor = Conductor(self.authority, **self.data["conductor"])
        return self.conductor

    def provider(self, verb: str) -> Outcome:
        """Run an entry point of the provider that needs no guest."""
        with self.play(None, [f"compute_{self.data['provider']}/{verb}"], False, {}) as process:
            output = process.communicate(timeout=900)[0]
        return outcome_of(process.returncode, output)

    def play(
        self, guest: Guest | None, steps: list[str], check: bool, more: dict[str, Any]
    ) -> "subprocess.Popen[str]":
        """Start a playbook; `more` are variables as a worker gives them, texts untrusted."""
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        hosts = {guest.instance.id: guest.variables()} if guest else {"localhost": local}
        inventory = {
            "all": {
                "hosts": {"localhost": local},
                "vars": {**self.data["settings"], "steps": steps},
                "children": {"guests": {"hosts": hosts}},
            }
        }
        folder = self.scratch / "runs" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        (folder / "inventory.json").write_text(json.dumps(inventory))
        (folder / "more.yml").write_text(yaml.dump(Data(more), Dumper=Dumper))
        return subprocess.Popen(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                *("-i", str(folder / "inventory.json"), "-e", f"@{folder}/more.yml"),
                *["--check"][:check],
                str(DATA / "chain.yml"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **ENVIRONMENT},
            cwd=self.scratch,
        )
