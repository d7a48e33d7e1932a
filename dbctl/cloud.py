"""Clouds of clouds.yaml, read and logged in to by openstacksdk, so that one CLI serves both."""

from __future__ import annotations

from collections.abc import Callable

from dbctl.errors import BadUsage, Refused


def find(name: str | None) -> tuple[str, Callable[[], str]]:
    """The database service's URL with the project, and a function that gives a valid token.

    `name` is a cloud of clouds.yaml; None takes what OS_CLOUD and the other variables say.
    """
    from keystoneauth1.exceptions import ClientException
    from openstack import exceptions
    from openstack.config import OpenStackConfig

    try:
        region = OpenStackConfig().get_one(cloud=name)
        session = region.get_session()
        url = region.get_endpoint("database") or region.get_session_endpoint("database")
        token = session.get_token()
    except (ClientException, exceptions.SDKException) as error:
        raise Refused(f"cloud {name or ''}: {error}".replace(" :", ":"), status=401) from error
    if not url:
        raise BadUsage(f"cloud {name or ''}: its catalogue has no service of type database")
    return url, lambda: session.get_token() or token or ""
