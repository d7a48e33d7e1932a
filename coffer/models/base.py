"""What all records have in common: the database, identifiers."""

import uuid

import peewee

from coffer.database import database


class Record(peewee.Model):
    """A table of Coffer's database."""

    class Meta:
        database = database
        legacy_table_names = False
        only_save_dirty = True  # two processes may change different columns of one row


def new_id() -> str:
    """A random identifier: 36 characters, lower case."""
    return str(uuid.uuid4())


def id_field() -> peewee.CharField:
    """A primary key that is made here, so that a row's id is known before it is written."""
    return peewee.CharField(36, primary_key=True, default=new_id)
