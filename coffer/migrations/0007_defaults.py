"""The settings that an instance's size gives it."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("instance", "defaults", JSONField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("instance", "defaults"))
