"""What engines and providers offer, read from the data files of their roles.

No engine and no provider is named in Python: a new one is a role with a `catalogue/` directory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from coffer.errors import BadRequest, NotFound
from coffer.paths import ROLES
from coffer.settings import Settings


class EngineVersion(msgspec.Struct, frozen=True):
    """A version that the engine's role can install."""

    name: str
    version: str
    image: str | None = None
    upgrades_from: list[str] = []
    """Names of versions whose instances can be brought to this one."""
    strategy: Literal["packages", "rebuild"] = "packages"
    """How: newer packages in place, or a new root disk of this version's image."""


class Client(msgspec.Struct, frozen=True):
    """A command line client of the engine.

    `arguments` hold the placeholders {host} {port} {user} {database} {ca}.
    """

    program: str
    arguments: list[str]


class Names(msgspec.Struct, frozen=True):
    """Reserved names, lower case."""

    databases: list[str] = []
    users: list[str] = []


Field = Literal["database_name", "user_name", "password", "host"]


class Limits(msgspec.Struct, frozen=True):
    """Longest names and passwords."""

    database_name: int = 64
    user_name: int = 32
    password: int = 255
    """Bytes in UTF-8."""
    counted: Literal["characters", "bytes"] = "characters"
    """What names are counted in."""


class Refusal(msgspec.Struct, frozen=True):
    """What the engine does not take in a name, a password or a host.

    A text in which `pattern` (a regular expression) is found is refused, and one that `only` does
    not match as a whole; `because` says what the rule is.
    """

    field: Field
    because: str
    pattern: str = ""
    only: str = ""


class Log(msgspec.Struct, frozen=True):
    """A log that the engine writes in its guest, `PATH` and, once it was rotated, `PATH.1`."""

    name: str
    path: str
    match: str = ""
    """Only lines with this text are of this log."""
    errors: str = ""
    """What lines of errors look like (an extended regular expression); of the first log."""
    enabled: bool = True
    """Whether it is on unasked."""
    enable: dict[str, Any] = {}
    """Settings of the engine that switch it on."""
    disable: dict[str, Any] = {}
    """Settings that switch it off."""
    warning: str = ""
    """What to think of before it is switched on."""

    @property
    def has_switch(self) -> bool:
        """Whether it can be switched on and off."""
        return bool(self.enable or self.disable)


class Engine(msgspec.Struct, frozen=True):
    """`roles/engine_<name>/catalogue/engine.yml`."""

    name: str
    title: str
    port: int
    data_directory: str
    suite: str
    default_version: str
    versions: list[EngineVersion]
    clients: list[Client]
    uri: str
    minimum_ram: int = 256
    """MB; smaller flavors are refused."""
    reserved: Names = Names()
    limits: Limits = Limits()
    refused: list[Refusal] = []
    features: list[str] = []
    """`databases`, `users`, `root`, and where users have it `several_hosts` (one name may be a
    user for each of several hosts) and `keeps_password` (a user may be renamed without a new
    password); `saslprep`: a password is what RFC 4013 makes of it."""
    backup_methods: list[str] = []
    """How the engine's role can make backups; the first is the one that is made unasked."""
    database_case: bool = True
    """Whether names of databases that differ in their case alone are two databases."""
    logs: list[Log] = []
    """The first is the one that tells of the engine's own condition."""
    access: dict[str, list[str]] = {}
    """Kinds of access to a database that can be granted, each in the engine's own words."""
    default_access: str = ""
    """The kind that a grant means which names none."""

    def log(self, name: str) -> Log:
        """A log by its name.

        Raises:
            NotFound: there is none of that name.
        """
        known = {log.name: log for log in self.logs}
        if name not in known:
            raise NotFound(f"log '{name}' does not exist; {self.title} has {', '.join(known)}")
        return known[name]

    def log_settings(self, chosen: Mapping[str, bool]) -> dict[str, Any]:
        """Settings that make the logs what was chosen, by the logs' names."""
        found: dict[str, Any] = {}
        for log in self.logs:
            if log.name in chosen:
                found |= log.enable if chosen[log.name] else log.disable
        return found

    def version(self, name: str | None) -> EngineVersion:
        """A version by its name; None means the default one.

        Raises:
            BadRequest: there is none of that name.
        """
        known = {version.name: version for version in self.versions}
        wanted = name or self.default_version
        if wanted not in known:
            raise BadRequest(f"version: '{wanted}' is not one of {', '.join(known)}")
        return known[wanted]


class Parameter(msgspec.Struct, frozen=True):
    """A rule of `roles/engine_<name>/catalogue/parameters-<version>.yml`."""

    name: str
    type: Literal["integer", "string", "boolean", "float"]
    restart_required: bool
    min: float | int | None = None
    max: float | int | None = None
    options: list[str] = []
    """The only values there are, if the engine knows a fixed set."""


class Flavor(msgspec.Struct, frozen=True):
    """A size of guest: `ram` in MB, `disk` (root) in GB."""

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int


class VolumeLimits(msgspec.Struct, frozen=True):
    """Sizes of data volumes in GiB."""

    minimum: int = 1
    maximum: int = 100


class Provider(msgspec.Struct, frozen=True):
    """`roles/compute_<name>/catalogue/provider.yml`."""

    name: str
    title: str
    flavors: list[Flavor]
    volume: VolumeLimits = VolumeLimits()
    features: list[str] = []
    localities: list[str] = []
    """What it can promise of where an instance stands beside its replicas."""


class Catalogue:
    """All engines, and the one provider of this installation."""

    @classmethod
    def of(cls, settings: Settings) -> "Catalogue":
        """What an installation with these settings offers."""
        return cls(settings.provider, flavors_file=settings.flavors_file)

    def __init__(self, provider: str, roles: Path = ROLES, flavors_file: str = "") -> None:
        """Read the data files below `roles`; `flavors_file` replaces the provider's flavors.

        Raises:
            FileNotFoundError: the provider has no role, or there is no such file.
            msgspec.ValidationError: a data file does not fit its type.
        """
        self.engines = {
            path.parent.parent.name.removeprefix("engine_"): _read(path, Engine)
            for path in sorted(roles.glob("engine_*/catalogue/engine.yml"))
        }
        self.provider = _provider(
            roles / f"compute_{provider}/catalogue/provider.yml", flavors_file
        )
        self._parameters = {
            (name, path.stem.removeprefix("parameters-")): _read(path, list[Parameter])
            for name in self.engines
            for path in sorted(roles.glob(f"engine_{name}/catalogue/parameters-*.yml"))
        }
        flavors = self.provider.flavors
        self._flavors = {each.name: each for each in flavors} | {each.id: each for each in flavors}

    def engine(self, name: str) -> Engine:
        """The engine by its role's name.

        Raises:
            BadRequest: no role of that name is installed.
        """
        if name not in self.engines:
            known = ", ".join(self.engines)
            raise BadRequest(f"datastore_manager: '{name}' is not one of {known}")
        return self.engines[name]

    def parameters(self, engine: str, version: str) -> dict[str, Parameter]:
        """Rules of a version by name, lower case; empty when its role has none."""
        return {rule.name.lower(): rule for rule in self._parameters.get((engine, version), [])}

    def flavor(self, reference: str) -> Flavor:
        """The flavor by its id, else by its name.

        Raises:
            NotFound: there is none.
        """
        if reference not in self._flavors:
            raise NotFound(f"flavor '{reference}' does not exist")
        return self._flavors[reference]


_T = TypeVar("_T")


def _provider(path: Path, flavors_file: str) -> Provider:
    provider = _read(path, Provider)
    if not flavors_file:
        return provider
    return msgspec.structs.replace(provider, flavors=_read(Path(flavors_file), list[Flavor]))


def _read(path: Path, kind: type[_T]) -> _T:
    return msgspec.yaml.decode(path.read_bytes(), type=kind)
