"""Metrics that every process answers alike: they are read from the records and Redis."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from peewee import fn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from redis import RedisError

from api.alerting import alerting
from api.services import Services
from coffer.models import Instance, Operation
from coffer.operations import Queue as QueueName
from coffer.proofs import last_proven
from coffer.status import display_status


class Metrics:
    """One registry for an app."""

    def __init__(self, services: Services) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Records(services))

    def render(self) -> tuple[bytes, str]:
        """The text and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


class _Records(Collector):
    def __init__(self, services: Services) -> None:
        self._dispatcher = services.dispatcher
        self._settings = services.settings
        self._reports = services.reports

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not query the records."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """What the records say now."""
        yield _instances()
        yield _operations()
        yield _proven()
        yield self._lag()
        yield _pending()
        yield self._queues()
        yield from alerting(self._settings)

    def _lag(self) -> Metric:
        gauge = GaugeMetricFamily(
            "coffer_instance_replication_lag_seconds",
            "How far a replica is behind its source; NaN while it does not follow",
            labels=["project", "instance", "name"],
        )
        columns = (Instance.project_id, Instance.id, Instance.name)
        query = Instance.select(*columns).where(
            Instance.source.is_null(False), Instance.deleted.is_null()
        )
        rows: Any = list(query.tuples())
        reports = self._reports.last(key for _, key, _ in rows)
        for project, key, name in rows:
            told = (reports.get(key) or {}).get("replication") or {}
            lag = told.get("lag")
            gauge.add_metric([project, key, name], float("nan") if lag is None else lag)
        return gauge

    def _queues(self) -> Metric:
        gauge = GaugeMetricFamily("coffer_queue_jobs", "Jobs waiting in Redis", labels=["queue"])
        for name in QueueName:
            try:
                gauge.add_metric([name], self._dispatcher.waiting(name))
            except RedisError:
                gauge.add_metric([name], float("nan"))
        return gauge


def _instances() -> Metric:
    gauge = GaugeMetricFamily("coffer_instances", "Instances by status", labels=["status"])
    counts: dict[str, int] = {}
    columns = (Instance.task, Instance.state, Instance.operating_status)
    rows: Any = (
        Instance.select(*columns, fn.COUNT(Instance.id).alias("count"))
        .where(Instance.deleted.is_null())
        .group_by(*columns)
        .dicts()
    )
    for row in rows:
        status = display_status(Instance(**{c.name: row[c.name] for c in columns}))
        counts[status] = counts.get(status, 0) + row["count"]
    for status, count in counts.items():
        gauge.add_metric([status], count)
    return gauge


def _proven() -> Metric:
    gauge = GaugeMetricFamily(
        "coffer_instance_last_proven_restorable_timestamp_seconds",
        "When the newest backup was made that is proven to restore; 0 when none is",
        labels=["project", "instance", "name"],
    )
    known = last_proven()
    columns = (Instance.project_id, Instance.id, Instance.name)
    rows: Any = Instance.select(*columns).where(Instance.deleted.is_null()).tuples()
    for project, key, name in rows:
        moment = known.get(key)
        value = moment.replace(tzinfo=UTC).timestamp() if moment else 0
        gauge.add_metric([project, key, name], value)
    return gauge


def _pending() -> Metric:
    gauge = GaugeMetricFamily(
        "coffer_instance_pending_packages",
        "Security updates that the guest lacks; of guests that have counted them",
        labels=["project", "instance", "name"],
    )
    columns = (Instance.project_id, Instance.id, Instance.name, Instance.pending_packages)
    told = Instance.deleted.is_null(), Instance.pending_packages.is_null(False)
    rows: Any = Instance.select(*columns).where(*told).tuples()
    for project, key, name, count in rows:
        gauge.add_metric([project, key, name], count)
    return gauge


def _operations() -> Metric:
    gauge = GaugeMetricFamily(
        "coffer_operations", "Operations by kind and state", labels=["kind", "state"]
    )
    rows: Any = (
        Operation.select(Operation.kind, Operation.state, fn.COUNT(Operation.id).alias("count"))
        .group_by(Operation.kind, Operation.state)
        .dicts()
    )
    for row in rows:
        gauge.add_metric([row["kind"], row["state"]], row["count"])
    return gauge
