"""What Trove's clients say of where backups shall lie."""

from peewee import *


def up(migrator, db):
    class BackupStrategy(Model):
        project_id = CharField()
        instance_id = CharField(max_length=36, default="")
        swift_container = CharField()

        class Meta:
            database = db
            table_name = "backup_strategy"
            indexes = ((("project_id", "instance_id"), True),)

    db.create_tables([BackupStrategy])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("backup_strategy"))
