"""Repositories that another control plane fills."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("repository", "source", CharField(default="")))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("repository", "source"))
