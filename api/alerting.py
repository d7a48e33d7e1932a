"""Metrics that the alerts of roles/control_plane/files/alerts.yml look at."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from peewee import fn
from prometheus_client.core import GaugeMetricFamily, Metric

from coffer.disks import disks
from coffer.models import Instance, Operation
from coffer.operations import KINDS, Queue, State
from coffer.proofs import last_complete
from coffer.settings import Settings
from coffer.status import is_healthy, settled_instances

OF_INSTANCE = ("project", "instance", "name")


def alerting(settings: Settings) -> Iterator[Metric]:
    """All of them, as the records say now."""
    yield _healthy()
    yield _last_backup()
    yield _queued_since()
    yield from _disks(settings)


def _healthy() -> Metric:
    gauge = GaugeMetricFamily(
        "coffer_instance_healthy",
        "Whether the guest reports that its engine writes and reads; not while a task is under way",
        labels=OF_INSTANCE,
    )
    for row in settled_instances():
        gauge.add_metric([row.project_id, row.id, row.name], is_healthy(row))
    return gauge


def _last_backup() -> Metric:
    gauge = GaugeMetricFamily(
        "coffer_instance_last_backup_timestamp_seconds",
        "When the newest complete backup was begun; 0 when there is none",
        labels=OF_INSTANCE,
    )
    newest = last_complete()
    columns = (Instance.project_id, Instance.id, Instance.name)
    rows: Any = Instance.select(*columns).where(Instance.deleted.is_null())
    for project, key, name in rows.tuples():
        gauge.add_metric([project, key, name], _unix(newest.get(key)))
    return gauge


def _queued_since() -> Metric:
    gauge = GaugeMetricFamily(
        "coffer_operation_queued_since_timestamp_seconds",
        "Since when the oldest operation waits that nothing holds back",
        labels=["queue"],
    )
    oldest: dict[Queue, datetime] = {}
    rows: Any = Operation.select(Operation.kind, fn.MIN(Operation.created)).where(
        Operation.state == State.QUEUED, Operation.lock.is_null(False)
    )
    for kind, since in rows.group_by(Operation.kind).tuples():
        queue = KINDS[kind].queue
        oldest[queue] = min(since, oldest.get(queue, since))
    for queue, since in oldest.items():
        gauge.add_metric([queue], _unix(since))
    return gauge


def _disks(settings: Settings) -> Iterator[Metric]:
    free = GaugeMetricFamily("coffer_disk_free_bytes", "Room that is left", labels=["holds"])
    size = GaugeMetricFamily("coffer_disk_size_bytes", "Room that there is", labels=["holds"])
    for holds, found in disks(settings).items():
        free.add_metric([holds], found.f_bavail * found.f_frsize)
        size.add_metric([holds], found.f_blocks * found.f_frsize)
    yield free
    yield size


def _unix(moment: datetime | None) -> float:
    return moment.replace(tzinfo=UTC).timestamp() if moment else 0.0
