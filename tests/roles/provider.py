"""Drive a compute role the way a run of the service does, and look at its guests."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.roles.inside import Inside
from tests.roles.instance import Instance, make_key, run
from tests.site import NUMBER

REPOSITORY = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Outcome:
    """Of a playbook: changed counts tasks; facts: coffer_facts; address of the first host."""

    code: int
    changed: int
    facts: dict[str, Any]
    output: str


@dataclass
class Provider:
    """A compute role with the data file of its test. instances: those that may be there."""

    name: str
    scratch: Path
    instances: list[Instance] = field(default_factory=list)
    cloud: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data: dict[str, Any] = yaml.safe_load((DATA / f"provider_{self.name}.yml").read_text())
        make_key(self.scratch / "login_key")

    def instance(self) -> Instance:
        made = Instance.make(self.scratch, self.scratch / "login_key")
        self.instances.append(made)
        return made

    def fill(self, text: str, instance: Instance | None = None) -> str:
        """Put this run's own values into a line of the data file."""
        values = {
            "scratch": str(self.scratch),
            "host_address": host_address(),
            "site": NUMBER,
            "python": f"cd {REPOSITORY} && {sys.executable}",
            **self.cloud,
        }
        if instance:
            values["id"] = instance.id
        for key, value in values.items():
            text = text.replace("{" + key + "}", value)
        return text

    def run(self, verb: str, *instances: Instance, check: bool = False, **more: Any) -> Outcome:
        """Run an entry point on these guests, or on localhost when there are none."""
        with self.start(verb, *instances, check=check, **more) as process:
            output = process.communicate(timeout=600)[0]
        if verb == "delete" and process.returncode == 0:
            self.instances = [each for each in self.instances if each not in instances]
        return outcome_of(process.returncode, output)

    def start(
        self, verb: str, *instances: Instance, check: bool = False, **more: Any
    ) -> subprocess.Popen[str]:
        inventory = self._write("inventory", self._inventory(instances))
        where = "guests" if instances else "localhost"
        command = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", str(inventory), "-e", f"verb={verb} where={where}"),
            *("-e", f"@{self._write('more', more)}"),
            *["--check"][:check],
            str(DATA / "verb.yml"),
        ]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **ENVIRONMENT},
            cwd=self.scratch,
        )

    def interrupt(self, verb: str, instance: Instance, moment: dict[str, Any], **more: Any) -> None:
        """Kill a run of an entry point at a moment that the data file describes."""
        path = Path(self.fill(moment.get("file") or moment["gone"], instance))
        process = self.start(verb, instance, **more)
        _wait_until(moment, path, process)
        (_kill_main if moment.get("kill") == "main" else kill_all)(process)

    def _inventory(self, instances: tuple[Instance, ...]) -> dict[str, Any]:
        shared = {
            "provider": self.name,
            "coffer_flavor": self.data["flavor"],
            **json.loads(self.fill(json.dumps(self.data["settings"]))),
        }
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        guests = {"hosts": {each.id: each.variables() for each in instances}}
        hosts = {"localhost": local}
        return {"all": {"hosts": hosts, "vars": shared, "children": {"guests": guests}}}

    def _write(self, name: str, values: dict[str, Any]) -> Path:
        path = self.scratch / f"{name}-{uuid.uuid4()}.json"
        path.write_text(json.dumps(values))
        return path

    @staticmethod
    def inside(created: tuple[Instance, Outcome]) -> Inside:
        """The guest from within."""
        return Inside(created[0], created[1].facts["compute"]["address"])

    def traces(self) -> dict[str, str]:
        """What the control host shows of all guests."""
        return {key: host_shell(self.fill(line)) for key, line in self.data["traces"].items()}


ENVIRONMENT = {
    "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    "ANSIBLE_ROLES_PATH": f"{DATA / 'roles'}:{REPOSITORY / 'roles'}",
    "ANSIBLE_SHOW_CUSTOM_STATS": "1",
    "ANSIBLE_PIPELINING": "1",
    "ANSIBLE_FORKS": "10",
    "ANSIBLE_LOCALHOST_WARNING": "0",
    "ANSIBLE_DEPRECATION_WARNINGS": "0",
}


def outcome_of(code: int, output: str) -> Outcome:
    """Read the JSON callback's report, which other lines may precede."""
    start = output.find("{\n")
    report = json.loads(output[start:]) if start >= 0 else {"stats": {}}
    changed = sum(host["changed"] for host in report["stats"].values())
    facts = report.get("global_custom_stats", {}).get("coffer_facts", {})
    return Outcome(code, changed, facts, output)


def host_shell(command: str) -> str:
    """Output of a command on the control host, errors included."""
    done = run(["sh", "-c", command])
    return done.stdout + done.stderr


def host_address() -> str:
    """The address of this host that the world outside sees."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        return str(probe.getsockname()[0])


def kill_all(process: subprocess.Popen[str]) -> None:
    """kill -9 to a playbook and everything below it, until nothing new appears."""
    parent = psutil.Process(process.pid)
    for victim in [parent, *parent.children(recursive=True)]:
        try:
            victim.suspend()
        except psutil.NoSuchProcess:
            continue
    for victim in [*parent.children(recursive=True), parent]:
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            continue
    process.communicate()


def _kill_main(process: subprocess.Popen[str]) -> None:
    """kill -9 to the playbook alone: a module may go on for a while."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _wait_until(moment: dict[str, Any], path: Path, process: subprocess.Popen[str]) -> None:
    """Return at the moment that a line of `interruptions` describes, or when the run is over."""
    wanted = "file" in moment
    while path.exists() != wanted and process.poll() is None:
        time.sleep(0.001)
    time.sleep(moment["after"])
