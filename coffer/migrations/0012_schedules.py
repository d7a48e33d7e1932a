"""Schedules of backups."""

from peewee import *


def up(migrator, db):
    class Schedule(Model):
        id = CharField(primary_key=True, max_length=36)
        project_id = CharField()
        target = CharField(max_length=36, default="")
        cron = CharField()
        keep = JSONField(default=dict)
        method = CharField(null=True, max_length=16)
        since = DateTimeField()
        created = DateTimeField()
        updated = DateTimeField()

        class Meta:
            database = db
            table_name = "schedule"
            indexes = ((("project_id", "target"), True),)

    db.create_tables([Schedule])
    for name in ("scheduled", "weighed"):
        migrator.migrate(migrator.add_column("backup", name, BooleanField(default=False)))
    migrator.migrate(migrator.add_column("instance", "scheduled", DateTimeField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("instance", "scheduled"))
    for name in ("scheduled", "weighed"):
        migrator.migrate(migrator.drop_column("backup", name))
    migrator.migrate(migrator.drop_table("schedule"))
