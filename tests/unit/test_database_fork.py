"""No connection to the records crosses a fork."""

import os
from pathlib import Path

from coffer.database import connect, database


def test_a_child_begins_without_connections(tmp_path: Path) -> None:
    connect(f"sqlite:///{tmp_path}/coffer.db")
    with database.connection_context():
        database.execute_sql("SELECT 1")
    assert database.obj._connections  # the pool keeps it
    child = os.fork()
    if child == 0:
        os._exit(1 if database.obj._connections else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    database.obj.close_all()
