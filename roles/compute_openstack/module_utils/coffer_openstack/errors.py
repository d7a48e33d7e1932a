"""What goes wrong in a cloud, and how it is told."""

from __future__ import annotations

from keystoneauth1.exceptions import ClientException
from openstack.exceptions import HttpException, SDKException

CLOUD_ERRORS = (SDKException, ClientException, ValueError, OSError)


class CloudRefused(ValueError):
    """The cloud did not do what it was asked; the text is its own."""


def said(error: Exception) -> str:
    """The cloud's own words, in one line."""
    if isinstance(error, HttpException) and error.details:
        return " ".join(str(error.details).split())
    return " ".join(str(error).split())
