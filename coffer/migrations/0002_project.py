"""Quotas of projects."""

from peewee import *


def up(migrator, db):
    class Project(Model):
        id = CharField(primary_key=True, max_length=255)
        limits = JSONField(default=dict)

        class Meta:
            database = db
            table_name = "project"

    db.create_tables([Project])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("project"))
