"""Pages of a project's instances are read in their order, without sorting the rest."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_index("instance", ("project_id", "deleted", "id")))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("instance", "instance_project_id_deleted_id"))
