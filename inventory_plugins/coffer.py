"""Ansible inventory of the database instances that a Coffer server keeps."""

from __future__ import annotations

import json
import os
import re
import shlex
import tempfile
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.urls import open_url
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

DOCUMENTATION = r"""
name: coffer
short_description: Database instances of a Coffer server
description:
  - Reads the hosts, their variables and their groups from the API of a Coffer server.
  - The variables are the very ones that the server's own runs are given, without the secrets.
  - Groups are C(engine_mysql), C(version_9_7), C(status_active), C(project_x), C(provider_local).
  - Whatever users of the service can choose (names, for instance) is never templated.
  - The guests' host keys are kept in a private file in the user's cache directory,
    so that SSH is strict from the first connection.
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Always V(coffer).
    required: true
    choices: [coffer]
  url:
    description:
      - A project's base URL, such as C(http://127.0.0.1:8779/v1.0/PROJECT).
      - When neither O(url) nor O(token) is given, both are read from O(config_file).
    type: str
    env: [{name: COFFER_URL}]
  token:
    description: A token for the API. Prefer the environment, or a file that only you can read.
    type: str
    env: [{name: COFFER_TOKEN}]
  config_file:
    description:
      - A TOML file with C(url) and C(token), the one that C(dbctl) uses.
      - By default C(coffer/dbctl.toml) in C($XDG_CONFIG_HOME) or C(~/.config).
    type: path
    env: [{name: COFFER_CONFIG}]
  all_projects:
    description: The instances of all projects instead of one (for administrators).
    type: bool
    default: false
  timeout:
    description: Seconds to wait for the API.
    type: int
    default: 30
"""
EXAMPLES = r"""
# coffer.yml: address and token from COFFER_URL and COFFER_TOKEN or from dbctl.toml
plugin: coffer
all_projects: true
keyed_groups:
  - key: coffer_flavor.name
    prefix: flavor
"""

# Names that may stand in a host pattern; free text by users may not.
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
RESERVED = frozenset({"all", "ungrouped", "localhost"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The plugin."""

    NAME = "coffer"
    # Nothing that the API gives is a template.
    trusted_by_default = False

    def verify_file(self, path: str) -> bool:
        """Whether the source is ours by its name."""
        return bool(super().verify_file(path)) and path.endswith(("coffer.yml", "coffer.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory from the API, or from the cache when that is on and fresh."""
        super().parse(inventory, loader, path)
        self._check_options(self._read_config_data(path))
        url, token = self._endpoint()
        document = wrap_var(self._document(path, url, token, cache))
        hosts = self._add_hosts(document)
        self._add_groups(document["groups"], hosts)
        known_hosts = KnownHosts(
            document["known_hosts"], f"{url} {self.get_option('all_projects')}"
        )
        for host, variables in hosts.values():
            self._set_variables(host, known_hosts.arguments(variables))
        for host, _ in hosts.values():
            self._construct(host)

    def _check_options(self, config: Mapping[str, Any]) -> None:
        unknown = set(config) - set(self.get_options())
        if unknown:
            raise AnsibleParserError(f"coffer: unknown options: {', '.join(sorted(unknown))}")
        # Ansible itself takes any other word for false.
        if not isinstance(config.get("all_projects", False), bool):
            raise AnsibleParserError("coffer: all_projects must be true or false")
        if self.get_option("timeout") < 1:
            raise AnsibleParserError("coffer: timeout must be 1 second or more")

    def _endpoint(self) -> tuple[str, str]:
        """URL and token: both from the options (or their environment), or both from the file."""
        url, token = self.get_option("url"), self.get_option("token")
        if not url and not token:
            url, token = read_configuration(self.get_option("config_file"))
        if not url or not token:
            missing = "token (COFFER_TOKEN)" if url else "url (COFFER_URL)"
            raise AnsibleParserError(f"coffer: {missing} is missing")
        if "/v1.0/" not in url or urlsplit(url).scheme not in ("http", "https"):
            raise AnsibleParserError(f"coffer: {url!r} is not like http://HOST:8779/v1.0/PROJECT")
        return str(url).rstrip("/"), str(token)

    def _document(self, path: str, url: str, token: str, cache: bool) -> dict[str, Any]:
        everything = self.get_option("all_projects")
        target = f"{url}/inventory" + ("?all_projects=true" if everything else "")
        if not self.get_option("cache"):
            return fetch(target, token, self.get_option("timeout"))
        key = self.get_cache_key(f"{path} {target}")
        if cache and key in self._cache:
            return dict(self._cache[key])
        self._cache[key] = fetch(target, token, self.get_option("timeout"))
        return dict(self._cache[key])

    def _add_hosts(self, document: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
        """Add the hosts: name in the document -> name in the inventory, variables."""
        taken = RESERVED | set(self.inventory.groups)
        taken |= {self._sanitize_group_name(name) for name in document["groups"]}
        hosts = {}
        for name, variables in document["hosts"].items():
            host = name
            if name in taken or not PLAIN_NAME.fullmatch(name):
                host = str(variables.get("coffer_instance_id", ""))
                self.display.warning(f"coffer: {name!r} cannot name a host, it is listed as {host}")
            hosts[name] = (self.inventory.add_host(host), variables)
        return hosts

    def _add_groups(self, groups: dict[str, list[str]], hosts: dict[str, tuple[str, Any]]) -> None:
        for name, members in groups.items():
            group = self.inventory.add_group(self._sanitize_group_name(name))
            for member in members:
                if member in hosts:
                    self.inventory.add_child(group, hosts[member][0])

    def _set_variables(self, host: str, variables: dict[str, Any]) -> None:
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)

    def _construct(self, host: str) -> None:
        """Composed variables and groups, as the source file asks for."""
        strict = self.get_option("strict")
        variables = self.inventory.get_host(host).get_vars()
        self._set_composite_vars(self.get_option("compose"), variables, host, strict)
        try:
            self._add_host_to_composed_groups(self.get_option("groups"), {}, host, strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), {}, host, strict)
        except AnsibleError as error:
            # An instance may be called like a group of the file; that must not stop the others.
            if strict or host not in self.inventory.groups:
                raise
            self.display.warning(f"coffer: {host} is called like a group: {error}")


def read_configuration(named: str | None) -> tuple[str, str]:
    """URL and token from dbctl's file, found the way dbctl finds it."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    path = Path(home, "coffer", "dbctl.toml")
    try:
        # On the server itself COFFER_CONFIG may name the settings of the service: passed over.
        if named and {"url", "token"} & set(tomllib.loads(Path(named).read_text(encoding="utf-8"))):
            path = Path(named)
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return str(values["url"]), str(values["token"])
    except OSError as error:
        raise AnsibleParserError(
            "coffer: no server is configured: set url and token in the source file, "
            f"COFFER_URL and COFFER_TOKEN, or write {path} ({error.strerror})"
        ) from error
    except (ValueError, KeyError) as error:
        raise AnsibleParserError(f"coffer: {path} has no url and token: {error}") from error


def fetch(url: str, token: str, timeout: int) -> dict[str, Any]:
    """The API's document about the hosts; AnsibleParserError says what went wrong."""
    headers = {"X-Auth-Token": token, "Accept": "application/json"}
    direct = urlsplit(url).hostname in LOOPBACK
    try:
        answer = open_url(
            url, headers=headers, timeout=timeout, use_proxy=not direct, follow_redirects="none"
        )
        document = json.loads(answer.read())
    except HTTPError as error:
        raise AnsibleParserError(f"coffer: {url}: {fault_message(error)}") from error
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise AnsibleParserError(
            f"coffer: cannot reach the API at {url}: {reason}. Does it run (make up)? "
            "Is COFFER_URL right?"
        ) from error
    except ValueError as error:
        raise AnsibleParserError(f"coffer: {url} does not speak like a Coffer server") from error
    return check_shape(document, url)


def fault_message(error: HTTPError) -> str:
    """The API's own sentence."""
    try:
        (fault,) = json.loads(error.read()).values()
        return f"{fault['message']} (HTTP {error.code})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {error.code}"


def check_shape(document: Any, url: str) -> dict[str, Any]:
    """The document with its three parts; AnsibleParserError when it is something else."""
    parts = {"hosts": dict, "groups": dict, "known_hosts": list}
    if not isinstance(document, dict):
        document = {}
    for name, kind in parts.items():
        if not isinstance(document.get(name), kind):
            raise AnsibleParserError(f"coffer: the answer of {url} has no {name}")
    return {name: document[name] for name in parts}


class KnownHosts:
    """The guests' host keys, in a private file that is written when a host needs it."""

    def __init__(self, lines: list[str], source: str) -> None:
        self._lines = [line for line in lines if line.isprintable()]
        # A file for each view: two runs at once must not take keys from each other.
        self._name = f"known_hosts-{sha256(source.encode()).hexdigest()[:12]}"
        self._path: Path | None = None

    def arguments(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The variables, with strict host key checking unless they bring their own."""
        given = str(variables.get("ansible_ssh_common_args") or "")
        if "UserKnownHostsFile" in given:
            return variables
        # ssh splits the value at blanks and expands %.
        place = str(self._written()).replace("%", "%%")
        file = shlex.quote(f'UserKnownHostsFile="{place}"')
        ours = f"-o {file} -o StrictHostKeyChecking=yes"
        return variables | {"ansible_ssh_common_args": f"{given} {ours}".strip()}

    def _written(self) -> Path:
        if self._path is None:
            home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
            folder = Path(home, "coffer")
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path = write_private(folder / self._name, "\n".join([*self._lines, ""]))
        return self._path


def write_private(path: Path, text: str) -> Path:
    """Write a 0600 file whole or not at all."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    return Path(draft).replace(path)
