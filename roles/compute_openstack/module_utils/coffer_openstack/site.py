"""The cloud, as the service's user sees it in one project."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import openstack
from keystoneauth1.exceptions import ConnectFailure
from openstack.config import OpenStackConfig

from .errors import CloudRefused
from .settings import Settings

PAUSE = 0.3
_RETRY_PAUSE = 2
_T = TypeVar("_T")


@dataclass(frozen=True)
class Site:
    """The settings, and the services: `cloud.compute`, `cloud.network`, …"""

    settings: Settings
    cloud: Any

    @cached_property
    def project_id(self) -> str:
        """The project in which everything is made."""
        return str(self.cloud.current_project_id)

    def wait(self, what: str, look: Callable[[], _T | None]) -> _T:
        """Look until it is something; CloudRefused when that takes too long."""
        deadline = time.monotonic() + self.settings.timeout
        while (seen := look()) is None:
            if time.monotonic() > deadline:
                raise CloudRefused(f"{what}: not within {self.settings.timeout} s")
            time.sleep(PAUSE)
        return seen


def connect(settings: Settings) -> Site:
    """Sign in. Services that are away are waited for, here and in every later call."""
    retries = _retries(settings.outage)
    # whoever runs a playbook may have another file in their environment: it is not the service's
    known = OpenStackConfig(config_files=[settings.clouds_file], load_envvars=False)
    overrides = {"project_id": settings.project} if settings.project else {}
    region = known.get_one(
        settings.cloud, connect_retries=retries, status_code_retries=retries, **overrides
    )
    cloud = openstack.connection.Connection(config=region, app_name="coffer")
    _sign_in(cloud, settings.outage)
    return Site(settings, cloud)


def _sign_in(cloud: Any, outage: int) -> None:
    deadline = time.monotonic() + outage
    while True:
        try:
            cloud.authorize()
            return
        except (ConnectFailure, openstack.exceptions.SDKException) as error:
            away = isinstance(error, ConnectFailure) or "connect" in str(error).lower()
            if not away or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_PAUSE)


def _retries(seconds: int) -> int:
    """keystoneauth waits 0.5 s before the first retry, then twice as long, at most a minute."""
    count, waited, pause = 0, 0.0, 0.5
    while waited < seconds:
        count, waited, pause = count + 1, waited + pause, min(pause * 2, 60)
    return count
