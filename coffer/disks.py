"""The disks of this host that an installation fills."""

import os
from pathlib import Path

from coffer.database import database
from coffer.settings import Settings


def disks(settings: Settings) -> dict[str, os.statvfs_result]:
    """By what lies there (`records`, `backups`); what lies elsewhere has a watch of its own."""
    places = {"records": str(database.obj.database), "backups": settings.backup_storage}
    return {
        holds: os.statvfs(place)
        for holds, place in places.items()
        if place.startswith("/") and Path(place).exists()
    }
