"""What Trove's administrators say of a version and Coffer only keeps."""

from peewee import *


def up(migrator, db):
    for name in ("registry_ext", "repl_strategy"):
        migrator.migrate(migrator.add_column("datastore_version", name, CharField(default="")))


def down(migrator, db):
    for name in ("registry_ext", "repl_strategy"):
        migrator.migrate(migrator.drop_column("datastore_version", name))
