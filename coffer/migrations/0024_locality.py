"""Where an instance stands beside its replicas."""

from peewee import *


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("instance", "locality", CharField(max_length=32, null=True))
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("instance", "locality"))
