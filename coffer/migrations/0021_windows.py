"""Maintenance windows."""

from peewee import *


def up(migrator, db):
    class MaintenanceWindow(Model):
        id = CharField(primary_key=True, max_length=36)
        project_id = CharField()
        target = CharField(max_length=36, default="")
        days = JSONField()
        start = CharField(max_length=5)
        minutes = IntegerField()
        created = DateTimeField()
        updated = DateTimeField()

        class Meta:
            database = db
            table_name = "maintenance_window"
            indexes = ((("project_id", "target"), True),)

    db.create_tables([MaintenanceWindow])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("maintenance_window"))
