"""Instances that follow another one, and operations that hold several instances."""

from peewee import *

COLUMNS = {"instance": "source_id", "operation": "leader_id"}


def up(migrator, db):
    for table, column in COLUMNS.items():
        migrator.migrate(migrator.add_column(table, column, CharField(max_length=36, null=True)))
        migrator.migrate(migrator.add_index(table, (column,)))


def down(migrator, db):
    for table, column in COLUMNS.items():
        migrator.migrate(migrator.drop_index(table, f"{table}_{column}"))
        migrator.migrate(migrator.drop_column(table, column))
