"""The one inventory: the same variables for the worker, the inventory plugin and an operator."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from coffer.catalogue import Catalogue
from coffer.models import Configuration, DatastoreVersion, Instance
from coffer.replica_sets import peers
from coffer.settings import Settings
from coffer.status import display_status

PUBLIC_CIDRS = ["0.0.0.0/0"]


class Inventory:
    """Makes the variables of hosts from their records."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue

    def host_vars(
        self, instance: Instance, changes: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Variables of one instance, as it shall be once `changes` (columns) are true.

        Texts chosen by users (`coffer_instance_name`) are data: who writes them into Ansible
        marks them unsafe.
        """
        wanted: dict[str, Any] = {
            "flavor_id": instance.flavor_id,
            "volume_size": instance.volume_size,
            "version_id": instance.version_id,
            "configuration_id": instance.configuration_id,
            "access": instance.access,
            "logs": instance.logs or {},
            "source_id": instance.source_id,
            **(changes or {}),
        }
        version = DatastoreVersion.get_by_id(wanted["version_id"])
        engine = self._catalogue.engine(version.manager)
        address = instance.compute.get("address")
        return {
            **({"ansible_host": address} if address else {}),
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": self._settings.ssh_key,
            "coffer_instance_id": instance.id,
            "coffer_instance_name": instance.name,
            "coffer_project_id": instance.project_id,
            "coffer_provider": instance.provider,
            "coffer_engine": engine.name,
            "coffer_datastore_version": version.name,
            "coffer_engine_version": running_version(instance),
            "coffer_newest_engine_version": version.version,
            "coffer_image": version.image,
            "coffer_image_tags": version.image_tags,
            "coffer_suite": engine.suite,
            "coffer_port": engine.port,
            "coffer_data_directory": engine.data_directory,
            "coffer_flavor": msgspec.to_builtins(self._catalogue.flavor(wanted["flavor_id"])),
            "coffer_volume_size": wanted["volume_size"],
            "coffer_allowed_cidrs": _allowed(instance, wanted["access"]),
            "coffer_source": _source(wanted["source_id"]),
            "coffer_configuration": self._configuration(wanted["configuration_id"]),
            "coffer_log_settings": engine.log_settings(wanted["logs"]),
            "coffer_compute": instance.compute,
            "coffer_host_key_public": instance.host_key_public,
            **self.control_vars(),
        }

    @staticmethod
    def _configuration(configuration_id: str | None) -> dict[str, Any]:
        if configuration_id is None:
            return {}
        values: dict[str, Any] = Configuration.get_by_id(configuration_id).values
        return values

    def control_vars(self) -> dict[str, Any]:
        """Variables that every host has: what the control plane is."""
        public_key = Path(f"{self._settings.ssh_key}.pub")
        return {
            "coffer_ssh_public_key": public_key.read_text().strip() if public_key.exists() else "",
            "coffer_ca_certificate_path": self._settings.ca_certificate,
            "coffer_ca_key_path": self._settings.ca_key,
            "coffer_conductor_url": self._settings.conductor_url,
            "coffer_gateway_url": self._settings.gateway_url,
            "coffer_backup_storage": self._settings.backup_storage,
            "coffer_rclone_config": self._settings.rclone_config,
            **self._settings.provider_settings,
        }

    def document(self, instances: Iterable[Instance]) -> dict[str, Any]:
        """`{"hosts": {name: vars}, "groups": {group: [names]}, "known_hosts": [lines]}`."""
        rows = list(instances)
        names = host_names(rows)
        groups: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            for group in _groups(row):
                groups[group].append(names[row.id])
        return {
            "hosts": {names[row.id]: self.host_vars(row) for row in rows},
            "groups": dict(groups),
            "known_hosts": [line for row in rows if (line := known_host(row))],
        }


def _allowed(instance: Instance, access: dict[str, Any]) -> list[str]:
    """Networks that may reach the engine: the wanted ones, and the others of its replica set."""
    wanted: list[str] = access.get("allowed_cidrs") or []
    return [*wanted, *(f"{address}/32" for address in peers(instance))] if wanted else PUBLIC_CIDRS


def _source(source_id: str | None) -> dict[str, str]:
    """Whom the engine follows; empty for one that is nobody's replica."""
    if source_id is None:
        return {}
    address = Instance.get_by_id(source_id).compute.get("address", "")
    return {"id": source_id, "address": address}


def running_version(instance: Instance) -> str:
    """The exact version of the engine: installed last, else reported last, else wanted."""
    found = instance.engine_version or instance.observed.get("version")
    return str(found or instance.version.version)


def known_host(instance: Instance) -> str | None:
    """The instance's line of a known_hosts file, None before it has an address."""
    address = instance.compute.get("address")
    return f"{address} {instance.host_key_public}" if address else None


def host_names(instances: Iterable[Instance]) -> dict[str, str]:
    """Inventory names by instance id: the instance's own name where that is unique and plain."""
    slugs = {row.id: _slug(row.name) for row in instances}
    taken = [*slugs.values(), *_RESERVED]
    return {
        key: slug if slug and taken.count(slug) == 1 else f"{slug or 'instance'}-{key[:8]}"
        for key, slug in slugs.items()
    }


_RESERVED = ("all", "ungrouped", "localhost")
"""Names that mean something else to Ansible. Groups' names hold an underscore, hosts' never do."""


def _groups(instance: Instance) -> list[str]:
    values = {
        "engine": instance.version.manager,
        "version": instance.version.name,
        "status": display_status(instance).lower(),
        "project": instance.project_id,
        "provider": instance.provider,
        "role": "replica" if instance.source_id else "primary",
    }
    return [f"{key}_{re.sub(r'[^A-Za-z0-9]+', '_', value)}" for key, value in values.items()]


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-.")
