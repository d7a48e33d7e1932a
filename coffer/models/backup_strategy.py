"""What Trove's clients say of where backups shall lie."""

import peewee

from coffer.models.base import Record


class BackupStrategy(Record):
    """A container of Swift for a project, or for one of its instances.

    It is kept for clients that ask for it again: where backups lie is a setting of the service.
    """

    project_id = peewee.CharField(255)
    instance_id = peewee.CharField(36, default="")
    """Empty for the whole project."""
    swift_container = peewee.CharField(255)

    class Meta:
        indexes = ((("project_id", "instance_id"), True),)
