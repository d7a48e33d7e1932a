"""The token of a guest that is being made anew, beside the one that it had."""

from peewee import *


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("instance", "next_token_hash", CharField(max_length=64, null=True)),
        migrator.add_index("instance", ("next_token_hash",), True),
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("instance", "next_token_hash"))
