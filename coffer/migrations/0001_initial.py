"""The first schema."""

from peewee import *


def up(migrator, db):
    class Datastore(Model):
        id = CharField(primary_key=True, max_length=36)
        name = CharField(unique=True)
        default_version_id = CharField(null=True, max_length=36)

        class Meta:
            database = db
            table_name = "datastore"

    db.create_tables([Datastore])

    class DatastoreVersion(Model):
        id = CharField(primary_key=True, max_length=36)
        datastore = ForeignKeyField(Datastore, on_delete="RESTRICT")
        name = CharField()
        version = CharField()
        manager = CharField()
        image = CharField(null=True)
        image_tags = JSONField(default=list)
        packages = JSONField(default=list)
        active = BooleanField(default=True)
        created = DateTimeField()

        class Meta:
            database = db
            table_name = "datastore_version"
            indexes = ((("datastore", "name", "version"), True),)

    db.create_tables([DatastoreVersion])

    class Configuration(Model):
        id = CharField(primary_key=True, max_length=36)
        project_id = CharField(index=True)
        name = CharField()
        description = TextField(null=True)
        version = ForeignKeyField(DatastoreVersion, on_delete="RESTRICT")
        values = JSONField(default=dict, column_name="parameter_values")
        created = DateTimeField()
        updated = DateTimeField()

        class Meta:
            database = db
            table_name = "configuration"

    db.create_tables([Configuration])

    class Instance(Model):
        id = CharField(primary_key=True, max_length=36)
        project_id = CharField(index=True)
        name = CharField()
        version = ForeignKeyField(DatastoreVersion, on_delete="RESTRICT")
        provider = CharField(max_length=64)
        flavor_id = CharField()
        volume_size = IntegerField()
        access = JSONField(default=dict)
        configuration = ForeignKeyField(Configuration, null=True, on_delete="RESTRICT")
        root_enabled = BooleanField(default=False)
        state = CharField(max_length=16)
        task = CharField(null=True, max_length=32)
        restart_required = BooleanField(default=False)
        fault_message = TextField(null=True)
        fault_created = DateTimeField(null=True)
        compute = JSONField(default=dict)
        operating_status = CharField(max_length=32, default="")
        observed = JSONField(default=dict)
        reported = DateTimeField(null=True)
        report_sequence = BigIntegerField(default=0)
        host_key_public = TextField()
        guest_token_hash = CharField(unique=True, null=True, max_length=64)
        created = DateTimeField()
        updated = DateTimeField()
        deleted = DateTimeField(index=True, null=True)

        class Meta:
            database = db
            table_name = "instance"

    db.create_tables([Instance])

    class Operation(Model):
        id = CharField(primary_key=True, max_length=36)
        kind = CharField(max_length=64)
        project_id = CharField(index=True)
        instance = ForeignKeyField(Instance, null=True)
        lock = CharField(unique=True, null=True, max_length=36)
        changes = JSONField(default=dict)
        parameters = JSONField(default=dict)
        runner = CharField(max_length=16, default="worker")
        state = CharField(index=True, max_length=16)
        phase = CharField(max_length=8, default="do")
        outcome = CharField(null=True, max_length=16)
        attempt = IntegerField(default=0)
        attempts = IntegerField()
        lease_owner = CharField(null=True)
        lease_until = DateTimeField(index=True, null=True)
        deadline = DateTimeField()
        abort_requested = BooleanField(default=False)
        reason = TextField(null=True)
        failing_task = TextField(null=True)
        result = JSONField(default=dict)
        user = CharField(default="")
        request_id = CharField(max_length=64, default="")
        created = DateTimeField(index=True)
        started = DateTimeField(null=True)
        ended = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "operation"

    db.create_tables([Operation])

    class Event(Model):
        id = BigAutoField()
        operation = ForeignKeyField(Operation, on_delete="CASCADE")
        attempt = IntegerField()
        at = DateTimeField()
        play = TextField(default="")
        task = TextField(default="")
        role = TextField(null=True)
        host = TextField(null=True)
        state = CharField(max_length=16)
        seconds = FloatField(null=True)
        message = TextField(null=True)

        class Meta:
            database = db
            table_name = "event"

    db.create_tables([Event])

    class Secret(Model):
        instance = ForeignKeyField(Instance, on_delete="CASCADE")
        name = CharField(max_length=64)
        value = TextField()

        class Meta:
            database = db
            table_name = "secret"
            primary_key = CompositeKey("instance", "name")

    db.create_tables([Secret])

    class Token(Model):
        id = CharField(primary_key=True, max_length=36)
        hash = CharField(unique=True, max_length=64)
        name = CharField()
        user = CharField()
        project_id = CharField()
        roles = JSONField(default=list)
        created = DateTimeField()
        expires = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "token"

    db.create_tables([Token])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("token"))
    migrator.migrate(migrator.drop_table("secret"))
    migrator.migrate(migrator.drop_table("event"))
    migrator.migrate(migrator.drop_table("operation"))
    migrator.migrate(migrator.drop_table("instance"))
    migrator.migrate(migrator.drop_table("configuration"))
    migrator.migrate(migrator.drop_table("datastore_version"))
    migrator.migrate(migrator.drop_table("datastore"))
