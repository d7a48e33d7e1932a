"""What RQ's cron scheduler reads: the sweeper's round, and the drill's."""

from rq import cron

from coffer.operations import SWEEP_QUEUE
from worker.drill import drill
from worker.sweeper import sweep

SWEEP_EVERY = 5
DRILL_EVERY = 600
"""Seconds."""

for job, seconds in ((sweep, SWEEP_EVERY), (drill, DRILL_EVERY)):
    cron.register(
        job,
        queue_name=SWEEP_QUEUE,
        interval=seconds,
        ttl=seconds,  # rounds that nobody took do not pile up
        result_ttl=0,
        failure_ttl=3600,
        name=job.__name__,
    )
