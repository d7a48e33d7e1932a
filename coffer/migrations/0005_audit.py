"""The audit."""

from peewee import *


def up(migrator, db):
    class AuditRecord(Model):
        id = BigAutoField()
        at = DateTimeField(index=True)
        user = CharField()
        project_id = CharField(index=True)
        roles = CharField()
        address = CharField()
        method = CharField(max_length=8)
        path = TextField()
        request_id = CharField(index=True, max_length=64)
        status = IntegerField(null=True)
        operation_id = CharField(null=True, max_length=36)

        class Meta:
            database = db
            table_name = "audit_record"

    db.create_tables([AuditRecord])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("audit_record"))
