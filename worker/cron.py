"""What RQ's cron scheduler reads: the sweeper's round."""

from rq import cron

from coffer.operations import SWEEP_QUEUE
from worker.sweeper import sweep

SWEEP_EVERY = 5
"""Seconds."""

cron.register(
    sweep,
    queue_name=SWEEP_QUEUE,
    interval=SWEEP_EVERY,
    ttl=SWEEP_EVERY,  # rounds that nobody took do not pile up
    result_ttl=0,
    failure_ttl=3600,
    name="sweep",
)
