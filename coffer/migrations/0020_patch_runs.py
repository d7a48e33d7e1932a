"""Patch runs and their instances."""

from peewee import *


def up(migrator, db):
    class Instance(Model):
        id = CharField(primary_key=True, max_length=36)

        class Meta:
            database = db
            table_name = "instance"

    class PatchRun(Model):
        id = CharField(primary_key=True, max_length=36)
        project_id = CharField(index=True)
        does = CharField(max_length=16, default="patch")
        selector = JSONField(default=dict)
        packages = CharField(max_length=16)
        waves = CharField()
        max_failures = IntegerField(default=0)
        pause = FloatField(default=0.0)
        backup = BooleanField(default=True)
        force = BooleanField(default=False)
        state = CharField(max_length=16, index=True)
        reason = TextField(null=True)
        wave = IntegerField(default=1)
        waits_until = DateTimeField(null=True)
        user = CharField(default="")
        request_id = CharField(max_length=64, default="")
        created = DateTimeField(index=True)
        ended = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "patch_run"

    class PatchMember(Model):
        id = BigAutoField()
        run = ForeignKeyField(PatchRun, on_delete="CASCADE")
        instance = ForeignKeyField(Instance)
        lock = CharField(max_length=36, null=True, unique=True)
        wave = IntegerField()
        state = CharField(max_length=16)
        operation_id = CharField(max_length=36, null=True, index=True)
        problem = TextField(default="")

        class Meta:
            database = db
            table_name = "patch_member"

    db.create_tables([PatchRun, PatchMember])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("patch_member"))
    migrator.migrate(migrator.drop_table("patch_run"))
