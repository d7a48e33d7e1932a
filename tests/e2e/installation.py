"""A second installation of Coffer on this host, from a wheel, beside any other one."""

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.e2e.api import ENDED, Api
from tests.e2e.guest import Guest
from tests.e2e.host import (
    CONFIG,
    LOGS,
    NAME,
    PREFIX,
    RUN,
    STATE,
    SUBNET,
    containers,
    open_records,
    snapshot_of_host,
)
from tests.e2e.waiting import wait_for
from tests.site import NUMBER

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = Path("/opt", NAME)
"""The virtual environment: where everybody may read, the services do not run as root."""
SCRATCH = Path("/var/tmp", NAME)
"""Home and configuration of the administrator of this installation."""
API_PORT = 18700 + int(NUMBER)
CONDUCTOR_PORT = 18800
GATEWAY_PORT = 18801
VARIABLES: dict[str, Any] = {
    "control_plane_name": NAME,
    "control_plane_api_port": API_PORT,
    "control_plane_conductor_address": f"{SUBNET}.1",
    "control_plane_conductor_port": CONDUCTOR_PORT,
    "control_plane_gateway_port": GATEWAY_PORT,
    "control_plane_dbctl_config": str(SCRATCH / "dbctl.toml"),
    "compute_local_prefix": PREFIX,
    "compute_local_bridge": f"{PREFIX}br",
    "compute_local_subnet": f"{SUBNET}.0/24",
    "compute_local_state_dir": str(STATE / "compute_local"),
    "compute_local_pool_size": 40,
    "compute_local_host_ports": [CONDUCTOR_PORT, GATEWAY_PORT],
}
Done = subprocess.CompletedProcess[str]


class Installation:
    """The installed programs, the API and the records of the test installation."""

    values = VARIABLES
    """Variables that make it this installation."""

    def install(self) -> None:
        """Put it on the host, in place of what an earlier run left there; ready for instances."""
        self.purge()
        self.make_room()
        SCRATCH.mkdir(mode=0o700, parents=True)
        self.variables.write_text(json.dumps(self.values))
        make = ["make", "-C", str(REPOSITORY), f"PREFIX={ENVIRONMENT}", f"{ENVIRONMENT}/.installed"]
        _run(make, os.environ, 300)
        self.setup()
        self.prepare()

    def make_room(self) -> None:
        """Where its files are to lie, if that is a place of its own."""

    def prepare(self) -> None:
        """What the first instance needs."""
        self.build_image("mysql")

    def purge(self) -> None:
        """Take it off the host; nothing may be left."""
        if self.variables.exists() and self.program("coffer-manage").exists():
            self.manage("purge", "-e", f"@{self.variables}")
        assert not any(snapshot_of_host().values()), snapshot_of_host()
        shutil.rmtree(SCRATCH, ignore_errors=True)
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)

    def setup(self, *arguments: str) -> Done:
        """coffer-manage setup with this installation's variables."""
        return self.manage("setup", "-e", f"@{self.variables}", *arguments)

    def build_image(self, engine: str) -> Done:
        """Build the engine's image, if what it is made of has changed, and offer the engine."""
        return self.manage("image", "build", engine)

    @property
    def variables(self) -> Path:
        """File of the variables that make it this installation."""
        return SCRATCH / "variables.json"

    @property
    def data(self) -> Path:
        """Installed playbooks, roles and plugins."""
        return next(ENVIRONMENT.glob("lib/python*/site-packages/coffer/_data"))

    @staticmethod
    def program(name: str) -> Path:
        """A program of the virtual environment."""
        return ENVIRONMENT / "bin" / name

    def run(self, name: str, *arguments: str, timeout: float = 600, **options: Any) -> Done:
        """Run an installed program far from the checkout; see `_run` for the options."""
        return _run([str(self.program(name)), *arguments], self.environment(), timeout, **options)

    def manage(self, *arguments: str, **options: Any) -> Done:
        """coffer-manage, as root of this installation's host."""
        return self.run("coffer-manage", *arguments, **options)

    def dbctl(self, *arguments: str, check: bool = True, **options: Any) -> Done:
        """dbctl, as the administrator; waits for operations at most 2 minutes."""
        return self.run("dbctl", *arguments, timeout=120, check=check, **options)

    def ask(self, *arguments: str, **options: Any) -> Any:
        """What dbctl prints with --json."""
        return json.loads(self.dbctl(*arguments, "--json", **options).stdout)

    def supervisorctl(self, *arguments: str, check: bool = True) -> Done:
        """Talk to the process manager."""
        return self.run(
            "supervisorctl", "-c", f"{CONFIG}/supervisord.conf", *arguments, check=check
        )

    def pid_of(self, service: str) -> int:
        """Process id of a service, such as `redis` or `worker:worker-0`."""
        text = self.supervisorctl("pid", service).stdout.strip()
        assert text.isdigit(), f"{service}: {text}"
        return int(text)

    def operator(self, program: str, *arguments: str, check: bool = True) -> Done:
        """Run a program of Ansible in the checkout, as an operator with a token does."""
        command = [str(self.program(program)), *arguments]
        return _run(command, self._of_operator(), 180, check=check, cwd=REPOSITORY)

    def operating(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """The same while it runs: a process of its own, with nobody to listen."""
        return subprocess.Popen(
            [str(self.program(program)), *arguments],
            env=self._of_operator(),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _of_operator(self) -> dict[str, str]:
        told = {**self.environment(), "COFFER_URL": self.api.url, "COFFER_TOKEN": self.api.token}
        return {**told, "PATH": f"{ENVIRONMENT}/bin:{os.environ['PATH']}"}

    def environment(self) -> dict[str, str]:
        """Of the administrator: nothing of another installation, of the checkout, of a cloud."""
        kept = {key: value for key, value in os.environ.items() if not _is_ours(key)}
        return {
            **kept,
            "HOME": str(SCRATCH),
            "COFFER_CONFIG": str(SCRATCH / "dbctl.toml"),
            "COFFER_SETTINGS": f"{CONFIG}/coffer.toml",
            "NO_COLOR": "1",
        }

    @property
    def api(self) -> Api:
        """The REST API with the administrator's token."""
        return Api(**tomllib.loads((SCRATCH / "dbctl.toml").read_text()))

    def create(self, name: str, *arguments: str, flavor: str = "small") -> Guest:
        """An instance with database and user `app` that is ready."""
        wish = ["mysql", name, "--flavor", flavor, "--volume", "1", "--user", "app"]
        made = self.ask("instance", "create", *wish, *arguments)
        return Guest(made["instance"]["id"], name, made["user"]["password"], self.ca_file())

    def begin(self, name: str, flavor: str = "tiny") -> tuple[str, str]:
        """Start to create an instance; its id and its operation's."""
        wish = ["mysql", name, "--flavor", flavor, "--volume", "1", "--no-wait"]
        made = self.ask("instance", "create", *wish)
        return made["instance"]["id"], made["operation"]["id"]

    def ca_file(self) -> Path:
        """File with the certificate that dbctl gives."""
        path = SCRATCH / "ca.pem"
        if not path.exists():
            path.write_text(self.dbctl("ca").stdout)
        return path

    def newest_operation(self, instance_id: str) -> Any:
        """The instance's operation that was asked for last."""
        return self.api.get(f"/operations?instance_id={instance_id}")["operations"][0]

    def ended(self, operation_id: str, timeout: float = 120) -> Any:
        """The operation once it has ended, however it did."""
        return wait_for(
            f"end of operation {operation_id}",
            lambda: (row := self.api.operation(operation_id))["state"] in ENDED and row,
            timeout,
            pause=0.25,
        )

    def running(self, operation_id: str) -> None:
        """Wait until a worker has taken the operation."""
        wait_for(
            f"start of operation {operation_id}",
            lambda: self.api.operation(operation_id)["state"] != "queued",
        )

    def healthy(self, instance_id: str, timeout: float = 60) -> Any:
        """The instance once it is ACTIVE and HEALTHY."""
        return wait_for(
            f"health of instance {instance_id}",
            lambda: (
                _condition(row := self.api.instance(instance_id)) == ("ACTIVE", "HEALTHY") and row
            ),
            timeout,
            pause=0.25,
        )

    def delete(self, *instance_ids: str) -> None:
        """Delete instances at once, whatever is under way with them."""
        self.stop(*instance_ids)
        started = [self.api.send("DELETE", f"/instances/{key}") for key in instance_ids]
        ends = [self.ended(answer.operation) for answer in started if answer.status == 202]
        assert {row["state"] for row in ends} <= {"succeeded"}, ends

    def stop(self, *instance_ids: str) -> None:
        """Abort what is under way with the instances."""
        for key in instance_ids:
            for row in self.api.get(f"/operations?instance_id={key}")["operations"]:
                if row["state"] not in ENDED:
                    self.api.act(row["id"], "abort")
                    self.ended(row["id"])

    def instance_ids(self) -> set[str]:
        """Of all instances that are not deleted."""
        return {row["id"] for row in self.api.get("/instances")["instances"]}

    def records(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the installation's database."""
        with open_records() as database:
            return database.execute(query, values).fetchall()

    def dump(self) -> Iterator[tuple[str, str]]:
        """What helps to understand a failure: titles and texts."""
        if not (SCRATCH / "dbctl.toml").exists():
            return
        yield "containers", "\n".join(containers())
        yield "services", self.supervisorctl("status", check=False).stdout
        yield "operations", self.dbctl("operation", "list", check=False).stdout
        for row in self.api.get("/operations?limit=20")["operations"]:
            if row["state"] != "succeeded":
                yield "operation", self.dbctl("operation", "show", row["id"], check=False).stdout
        for log in sorted(LOGS.glob("*.log")):
            yield log.name, "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _condition(row: Any) -> tuple[str, str]:
    return row["status"], row["operating_status"]


def _is_ours(variable: str) -> bool:
    return variable.startswith(("COFFER_", "ANSIBLE_", "PYTHON", "VIRTUAL_ENV", "AWS_"))


def _run(
    command: list[str],
    environment: Any,
    timeout: float,
    *,
    check: bool = True,
    cwd: Path = Path("/"),
    stdin: str = "",
) -> Done:
    """Run to the end; with `check` a failure shows what was said."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=dict(environment),
        cwd=cwd,
        input=stdin,
        timeout=timeout,
    )
    assert not check or done.returncode == 0, (
        f"{command}: exit status {done.returncode}\n{done.stderr}\n{done.stdout[-2000:]}"
    )
    return done


__all__ = ["CONDUCTOR_PORT", "CONFIG", "GATEWAY_PORT", "RUN", "SCRATCH", "Done", "Installation"]
