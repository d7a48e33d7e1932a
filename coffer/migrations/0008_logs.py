"""Logs of guests: what was switched on, and the pieces that were read."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("instance", "logs", JSONField(null=True)))

    class Instance(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db
            table_name = "instance"

    class GuestLog(Model):
        instance = ForeignKeyField(Instance, on_delete="CASCADE")
        name = CharField(max_length=64)
        file = BigIntegerField(default=0)
        position = BigIntegerField(default=0)
        size = BigIntegerField(default=0)
        start = BigIntegerField(default=0)
        end = BigIntegerField(default=0)
        updated = DateTimeField()

        class Meta:
            database = db
            table_name = "guest_log"
            indexes = ((("instance", "name"), True),)

    db.create_tables([GuestLog])

    class LogPiece(Model):
        log = ForeignKeyField(GuestLog, on_delete="CASCADE")
        start = BigIntegerField()
        end = BigIntegerField()
        lines = IntegerField()
        content = TextField()
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "log_piece"

    db.create_tables([LogPiece])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("log_piece"))
    migrator.migrate(migrator.drop_table("guest_log"))
    migrator.migrate(migrator.drop_column("instance", "logs"))
