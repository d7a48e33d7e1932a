"""Settings of an installation: one TOML file, each key overridable by `COFFER_<KEY>`."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

DEFAULT_FILE = "/etc/coffer/coffer.toml"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting with its default; paths are absolute, times are seconds.

    A field `x` is read from key `x` of the file or from the variable `COFFER_X`, which wins.
    """

    database_url: str = "sqlite:////var/lib/coffer/coffer.db"
    redis_url: str = "unix:///run/coffer/redis.sock"
    run_directory: str = "/run/coffer"
    """On tmpfs: each running operation has a directory of mode 0700 here."""
    key_file: str = "/etc/coffer/fernet.keys"
    """Fernet keys, one a line, newest first (the first encrypts, all decrypt)."""
    ca_certificate: str = "/etc/coffer/ca/ca.crt"
    ca_key: str = "/etc/coffer/ca/ca.key"
    ssh_key: str = "/etc/coffer/ssh/id_ed25519"
    """Private key with which the control plane opens guests; `.pub` lies beside it."""
    provider: str = "local"
    flavors_file: str = ""
    """YAML list of flavors, where they are not those of the provider's role but a cloud's own."""
    public_url: str = ""
    """Base of links, such as `https://db.example.org:8779`; empty: as the request came."""
    conductor_url: str = "https://10.77.0.1:8780"
    keystone_config: str = ""
    """File with a section `[keystone_authtoken]`; with it, Keystone's tokens are taken too."""
    policy_file: str = ""
    """YAML with changes of the policy (`python -m api.policy` shows it)."""
    gateway_url: str = "https://10.77.0.1:8781"
    """Where guests leave their backups: rclone's server of restic repositories."""
    gateway_users: str = "/etc/coffer/gateway/users"
    """Written by workers from the records; the gateway reads it anew when it changes."""
    rclone_config: str = "/etc/coffer/rclone.conf"
    backup_storage: str = "/var/lib/coffer/backups"
    """What the gateway serves, as rclone names it; workers prune, check and restore there."""
    backup_sources: dict[str, str] = {}
    """Places, as rclone names them, of other control planes' backups, by the name (the region) that
    their locations carry: from there backups can be registered, for who knows their key."""
    region: str = "RegionOne"
    """Also the source that locations of this installation's backups carry."""
    default_datastore: str = "mysql"
    page_size: int = 1000
    maximum_page_size: int = 1000
    maximum_body: int = 1024 * 1024
    """Bytes; larger bodies get 413."""
    quota_instances: int = 100
    """Most instances of a project that no other limit was set for; -1 is no limit."""
    quota_ram: int = -1
    """MB of memory of all its instances."""
    quota_volumes: int = 1000
    """GB of all its data volumes."""
    quota_backups: int = 500
    audit_days: int = 365
    """Days for which records of the audit are kept; 0 is for ever."""
    drill_instances: int = 3
    """Instances, picked at random, of which a backup is verified in `drill_days`; 0 is none."""
    drill_days: int = 7
    patch_backup_hours: int = 24
    """A patch, an upgrade or a rebuild begins with a backup where none is younger; 0 is never."""
    silent_after: int = 90
    """Seconds without a report after which a guest counts as silent."""
    provider_settings: dict[str, Any] = {}
    """Variables handed to the provider's role, such as `compute_local_subnet`."""


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the file named by `COFFER_SETTINGS` (default /etc/coffer/coffer.toml) and the overrides.

    Raises:
        ValueError: a key is unknown or a value has the wrong type; the message names it.
    """
    environment = os.environ if environment is None else environment
    values = _read(Path(environment.get("COFFER_SETTINGS", DEFAULT_FILE)))
    for field in msgspec.structs.fields(Settings):
        override = environment.get(f"COFFER_{field.name.upper()}")
        if override is not None:
            values[field.name] = override
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"settings: {error}") from error


def _read(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    with path.open("rb") as stream:
        return tomllib.load(stream)
