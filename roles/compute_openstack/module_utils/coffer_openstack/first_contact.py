"""The first contact: the guest proves itself with the key for one use and gets its own."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .errors import CloudRefused
from .network import address
from .server import FIRST_KEY, servers, the_server
from .site import Site
from .steps import Step
from .volume import volumes

_OPTIONS = "-o StrictHostKeyChecking=yes -o BatchMode=yes -o ConnectTimeout=5 -o LogLevel=ERROR"
_NOT_REACHED = 255
_PAUSE = 0.2


@dataclass(frozen=True)
class Contact:
    """Keys (`host_key` may be missing where a guest has it already), and what to do there."""

    login_key_file: str
    host_key: str
    host_key_public: str
    script: str
    arguments: list[str]
    timeout: int


def first_contact_step(site: Site, instance: str, contact: Contact) -> Step:
    """The guest has its own host key and its volume; its first key is worth nothing."""

    def done() -> bool:
        found = servers(site, instance)
        return bool(found) and FIRST_KEY not in found[0].metadata

    def meet() -> None:
        server = the_server(site, instance)
        volume = volumes(site, instance)[0].id
        _run(contact, str(address(site, instance)), server.metadata[FIRST_KEY], volume)
        site.cloud.compute.delete_server_metadata(server, [FIRST_KEY])

    return Step("first contact", done, meet)


def _run(contact: Contact, host: str, first_key: str, volume: str) -> None:
    """After a run that died here the guest may have its own key already: it is as good."""
    if not contact.host_key:
        raise CloudRefused("a new guest needs a host key")
    keys = [first_key, contact.host_key_public]
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "known_hosts"
        known.write_text("".join(f"{host} {key.strip()}\n" for key in keys if key))
        _until_it_answers(contact, _command(contact, host, known, volume))


def _command(contact: Contact, host: str, known: Path, volume: str) -> list[str]:
    remote = shlex.join(["sh", "-s", "--", volume, *contact.arguments])
    return [
        "ssh",
        *_OPTIONS.split(),
        *("-o", f"UserKnownHostsFile={known}", "-i", contact.login_key_file),
        f"root@{host}",
        remote,
    ]


def _until_it_answers(contact: Contact, command: list[str]) -> None:
    deadline = time.monotonic() + contact.timeout
    key = contact.host_key.strip()
    script = f"host_key=$(cat <<'KEY'\n{key}\nKEY\n)\n{contact.script}"
    while True:
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        said = done.stderr.strip().replace("\r", "")
        if done.returncode != _NOT_REACHED:
            raise CloudRefused(f"the guest could not be prepared: {said or done.stdout.strip()}")
        if time.monotonic() > deadline:
            raise CloudRefused(f"the guest cannot be reached by SSH: {said}")
        time.sleep(_PAUSE)
