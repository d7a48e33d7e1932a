"""Projects that have something or that limits were set for: the row that quotas lock."""

import peewee

from coffer.models.base import Record


class Project(Record):
    """A project, named by whoever keeps the projects (Keystone, or the built-in tokens)."""

    id = peewee.CharField(255, primary_key=True)
    limits = peewee.JSONField(default=dict)
    """Resource to its most, where that differs from the settings."""
