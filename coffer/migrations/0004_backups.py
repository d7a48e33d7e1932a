"""Backups and their repositories."""

from peewee import *


def up(migrator, db):
    class Instance(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db
            table_name = "instance"

    class DatastoreVersion(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db
            table_name = "datastore_version"

    class Repository(Model):
        id = CharField(primary_key=True, max_length=36)
        project_id = CharField(index=True)
        keys = TextField()
        gateway_hash = CharField()
        created = DateTimeField()

        class Meta:
            database = db
            table_name = "repository"

    db.create_tables([Repository])

    class Backup(Model):
        id = CharField(primary_key=True, max_length=36)
        project_id = CharField(index=True)
        name = CharField()
        description = TextField(null=True)
        instance = ForeignKeyField(Instance, null=True)
        version = ForeignKeyField(DatastoreVersion, on_delete="RESTRICT")
        repository = ForeignKeyField(Repository, on_delete="RESTRICT")
        parent = ForeignKeyField("self", null=True, on_delete="SET NULL")
        method = CharField(max_length=16)
        status = CharField(max_length=16, default="NEW")
        operation_id = CharField(null=True, max_length=36)
        reason = TextField(null=True)
        snapshot = CharField(null=True, max_length=64)
        size = BigIntegerField(null=True)
        stored = BigIntegerField(null=True)
        seconds = FloatField(null=True)
        details = JSONField(default=dict)
        created = DateTimeField(index=True)
        updated = DateTimeField()

        class Meta:
            database = db
            table_name = "backup"

    db.create_tables([Backup])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("backup"))
    migrator.migrate(migrator.drop_table("repository"))
