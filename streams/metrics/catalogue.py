"""Catalogue: every metric of a worker; nothing else is measured. docs/metrics.md comes from here."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from streams.markdown import page


class Type(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True)
class Metric:
    """One metric. Its series are bounded: no label's values grow with what goes through."""

    name: str
    """As queries name it; the series of a histogram end in ``_bucket``, ``_sum`` and ``_count``."""
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    """The plural of a base unit; the name ends with it."""
    bounds: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets."""


_PARTITION = ("agent", "topic", "partition")
_COMMIT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 12.0)
_AGE = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)
_BATCH = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2000.0)
_RESTORE = (0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)

RECORDS = Metric(
    "perdiem_records_total", Type.COUNTER, "Source records dealt with.", ("agent", "topic"), "records"
)
BATCH = Metric(
    "perdiem_batch_records",
    Type.HISTOGRAM,
    "Source records of one unit of work.",
    ("agent",),
    "records",
    _BATCH,
)
COMMIT = Metric(
    "perdiem_commit_duration_seconds",
    Type.HISTOGRAM,
    "Filling and committing one unit of work.",
    ("agent",),
    "seconds",
    _COMMIT,
)
AGE = Metric(
    "perdiem_record_age_seconds",
    Type.HISTOGRAM,
    "From the timestamp of a unit of work's oldest record to its commit: the latency of this agent.",
    ("agent",),
    "seconds",
    _AGE,
)
DECISIONS = Metric(
    "perdiem_decisions_total",
    Type.COUNTER,
    "First decisions on what sources, people and billing sent.",
    ("outcome",),
    "decisions",
)
FOLLOW_UPS = Metric(
    "perdiem_follow_up_decisions_total",
    Type.COUNTER,
    "Further decisions on what was decided before.",
    unit="decisions",
)
BILLING_EVENTS = Metric(
    "perdiem_billing_events_total", Type.COUNTER, "Charges and credits written.", ("kind",), "events"
)
FENCED = Metric(
    "perdiem_fenced_total",
    Type.COUNTER,
    "Producers that the brokers refused: a successor has the partition, or a transaction timed out.",
    ("agent",),
)
REBALANCES = Metric("perdiem_rebalances_total", Type.COUNTER, "Generations of the group this worker was in.")
RESTORE = Metric(
    "perdiem_restore_duration_seconds",
    Type.HISTOGRAM,
    "Bringing back the state of one partition.",
    ("agent",),
    "seconds",
    _RESTORE,
)
RESTORED = Metric(
    "perdiem_restored_records_total",
    Type.COUNTER,
    "Changelog records read in restores.",
    ("agent",),
    "records",
)
REQUESTS = Metric(
    "perdiem_http_requests_total",
    Type.COUNTER,
    "Requests to the pages, by the route's template.",
    ("route", "status"),
    "requests",
)

EXPECTED = Metric(
    "perdiem_agent_partitions",
    Type.GAUGE,
    "Source partitions that the agent has in the whole installation: the same on every worker.",
    ("agent",),
    "partitions",
)
OWNED = Metric(
    "perdiem_partitions",
    Type.GAUGE,
    "Source partitions that this worker owns, by state: only those that are ready are read.",
    ("agent", "state"),
    "partitions",
)
POSITION = Metric(
    "perdiem_position", Type.GAUGE, "Offset that comes next in the source partition.", _PARTITION
)
LAG = Metric(
    "perdiem_lag_records",
    Type.GAUGE,
    "Offsets behind the position, markers of transactions included. Only of partitions that are ready.",
    _PARTITION,
    "records",
)
LAG_SECONDS = Metric(
    "perdiem_lag_seconds",
    Type.GAUGE,
    "For how long records have waited, as far as this worker saw. Only of partitions that are ready.",
    _PARTITION,
    "seconds",
)
LAST_COMMIT = Metric(
    "perdiem_last_commit_timestamp_seconds",
    Type.GAUGE,
    "When the last unit of work became durable, or this worker acquired the partition.",
    _PARTITION,
    "seconds",
)
TO_RESTORE = Metric(
    "perdiem_restore_remaining_records",
    Type.GAUGE,
    "Changelog offsets that a restore has still to read.",
    _PARTITION,
    "records",
)
IN_TOUCH = Metric("perdiem_kafka_in_touch", Type.GAUGE, "1 while Kafka answers this worker, otherwise 0.")
TALLY_EVENTS = Metric(
    "perdiem_tally_events",
    Type.GAUGE,
    "Procedure events that ever came in, and their latest outcomes. Only the sum over all workers means "
    "anything: there `in` less all other is in flight.",
    ("what",),
    "events",
)
TALLY_BILLING_EVENTS = Metric(
    "perdiem_tally_billing_events",
    Type.GAUGE,
    "Charges and credits ever written, as they were counted. To be summed over all workers.",
    ("kind",),
    "events",
)
BUILD = Metric("perdiem_build_info", Type.INFO, "Always 1.", ("version", "python"))

CATALOGUE = tuple(each for each in [*globals().values()] if isinstance(each, Metric))
"""In the order of this file."""


def document() -> str:
    """docs/metrics.md: all of them."""
    rows = [
        (
            f"`{metric.name}`",
            metric.type,
            ", ".join(f"`{label}`" for label in metric.labels),
            metric.unit,
            metric.help,
        )
        for metric in CATALOGUE
    ]
    return page(TEXT, ("metric", "type", "labels", "unit", "what it is"), rows)


TEXT = """\
# Metrics

Written by `make docs`. Every worker tells Prometheus of its own partitions at `/metrics`, so each is scraped:
sums are over `instance`. No metric names a patient.

The page asks for a token like every other. An operator's is enough, for it opens no patient's page:

```
perdiem web secret                                        # PERDIEM_WEB_SECRET, the same for all workers
perdiem web token --user prometheus --role operator       # the token, and the lines of PERDIEM_WEB_TOKENS
```

Prometheus sends it from a file (`authorization: credentials_file`):
[prometheus.yml](../deploy/prometheus/prometheus.yml). Beside it are the
[alerts](../deploy/prometheus/alerts.yml), each with what to do, and a
[dashboard](../deploy/grafana/perdiem.json) for Grafana. `docker compose --profile metrics up` brings a
Prometheus that scrapes both workers; [kubernetes.yaml](../deploy/kubernetes.yaml) is an installation whose
workers can be scraped.

Counters grow once for each unit of work, when it is durable: what was given up is not counted, and a restart
begins at 0. The tallies are different: they are kept with the state, each event counted once for ever, and
move between workers with their partitions. Their sum is exact while every partition is owned and nothing is
on its way.

Beside these, `process_*` are those of Prometheus' own client: memory, processor time, open files, when it
started."""

if __name__ == "__main__":
    Path("docs/metrics.md").write_text(document())
