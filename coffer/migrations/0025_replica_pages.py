"""Who follows the instances of a page is found without a look at all instances that live."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_index("instance", ("source_id", "deleted")))
    migrator.migrate(migrator.drop_index("instance", "instance_source_id"))


def down(migrator, db):
    migrator.migrate(migrator.add_index("instance", ("source_id",)))
    migrator.migrate(migrator.drop_index("instance", "instance_source_id_deleted"))
