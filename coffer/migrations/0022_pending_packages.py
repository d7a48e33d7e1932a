"""Security updates that an instance lacks: a column, for lists leave reports unread."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("instance", "pending_packages", IntegerField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("instance", "pending_packages"))
