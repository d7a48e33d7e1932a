"""The exact version that an instance's engine runs, which its datastore version may be ahead of."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("instance", "engine_version", CharField(default="")))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("instance", "engine_version"))
