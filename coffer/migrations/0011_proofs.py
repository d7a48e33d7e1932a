"""What is proven of backups."""

from peewee import *

COLUMNS = {
    "verified": BooleanField(null=True),
    "verified_at": DateTimeField(null=True),
    "verify_reason": TextField(null=True),
}


def up(migrator, db):
    for name, field in COLUMNS.items():
        migrator.migrate(migrator.add_column("backup", name, field))
    # what is deleted and in another state is a verification's guest that was left
    db.execute_sql("UPDATE instance SET state = 'DELETED' WHERE deleted IS NOT NULL")


def down(migrator, db):
    for name in COLUMNS:
        migrator.migrate(migrator.drop_column("backup", name))
