"""How far logs reach that were sent."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("repository", "chains", JSONField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("repository", "chains"))
