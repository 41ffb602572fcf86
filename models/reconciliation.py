"""Reconciliation: what came in held against what became of it, and what was charged against what stands.

    in = the sum of the latest outcomes + in flight

for each service date, facility and source. Every agent counts what it decides; only the sum over all agents
means anything, for one takes from its count what another adds. It balances when nothing is in flight, below
zero included, and as many charges and credits were written as were counted.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from models.billing import Acknowledged, BillingEvent, Outcome
from models.codes import Service
from models.tally import ACKNOWLEDGED, CHARGE, CREDIT, IN, LATE, Bucket, Counts, is_outcome, of_service

SUPPRESSED = (Outcome.REPEATED, Outcome.ALREADY_REPORTED, Outcome.SUPERSEDED)
"""What is a duplicate of what is charged already, by cause: the message was sent again, another procedure
fills the unit, a later statement about the same procedure holds."""
OF_COMMANDS = (Outcome.APPLIED, Outcome.REFUSED, Outcome.UNDONE)
OUTCOMES = tuple(outcome for outcome in Outcome if outcome not in OF_COMMANDS)
"""What may become of a procedure event. Commands and acknowledgements are not counted."""


class Written(msgspec.Struct, frozen=True):
    """Charges and credits of one service."""

    charges: int
    credits: int


class Figures(msgspec.Struct, frozen=True, kw_only=True, rename={"came_in": "in"}):
    """All that a line says, by name: the same on every page and in every program's output."""

    came_in: int
    outcomes: dict[str, int]
    in_flight: int
    charges: int
    credits: int
    standing: int
    never_acknowledged: int
    services: dict[Service, Written]
    late: int
    suppressed: dict[str, int]


class Line(msgspec.Struct, frozen=True):
    """One bucket, or the total: what all agents together counted."""

    counts: Counts

    @property
    def came_in(self) -> int:
        return self.counts.get(IN, 0)

    @property
    def outcomes(self) -> dict[str, int]:
        """In the order of ``Outcome``, none that is zero; what is not known here comes last."""
        order = {outcome.value: place for place, outcome in enumerate(OUTCOMES)}
        found = {what: count for what, count in self.counts.items() if is_outcome(what) and count}
        return dict(sorted(found.items(), key=lambda each: (order.get(each[0], len(order)), each[0])))

    @property
    def in_flight(self) -> int:
        """Events that came in and have no outcome yet. Below zero: more were decided than came in."""
        return self.came_in - sum(self.outcomes.values())

    @property
    def charges(self) -> int:
        return self.counts.get(CHARGE, 0)

    @property
    def credits(self) -> int:
        return self.counts.get(CREDIT, 0)

    @property
    def standing(self) -> int:
        """Charges that no credit took back."""
        return self.charges - self.credits

    @property
    def never_acknowledged(self) -> int:
        """Standing charges of which billing has said nothing."""
        return self.standing - self.counts.get(ACKNOWLEDGED, 0)

    @property
    def services(self) -> dict[Service, Written]:
        """Charges and credits of each of the four, those that are zero included."""
        return {
            service: Written(*(self.counts.get(of_service(kind, service), 0) for kind in (CHARGE, CREDIT)))
            for service in Service
        }

    @property
    def late(self) -> int:
        return self.counts.get(LATE, 0)

    @property
    def late_share(self) -> float | None:
        """Of the events that came in, how many came late: 0 to 1. None where none came in."""
        return self.late / self.came_in if self.came_in else None

    @property
    def suppressed(self) -> dict[str, int]:
        """Events that charged nothing because the service was, by cause."""
        return {cause.value: self.counts.get(cause, 0) for cause in SUPPRESSED}

    def told(self) -> Figures:
        """For programs."""
        return Figures(
            came_in=self.came_in,
            outcomes=self.outcomes,
            in_flight=self.in_flight,
            charges=self.charges,
            credits=self.credits,
            standing=self.standing,
            never_acknowledged=self.never_acknowledged,
            services=self.services,
            late=self.late,
            suppressed=self.suppressed,
        )


class Lag(msgspec.Struct, frozen=True):
    """Charge lag: from the end of a service to the record of its first charge. In seconds."""

    charges: int = 0
    """Of how many charges: those that say when the service was performed."""
    median: float | None = None
    p95: float | None = None
    """95 of 100 charges were written within it."""


class Unacknowledged(msgspec.Struct, frozen=True):
    """Standing charges of which billing has said nothing for too long."""

    after_hours: float
    count: int = 0
    ids: tuple[str, ...] = ()
    """The first of them, the oldest first."""


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole account, or the part of it that was asked for."""

    lines: dict[Bucket, Line]
    written: dict[Bucket, Counts] = {}
    """Charges and credits among the billing events themselves."""
    standing: Mapping[str | None, int] = {}
    """Standing charges by what billing said of them last; None: nothing."""
    lag: Lag = Lag()
    unacknowledged: Unacknowledged = Unacknowledged(0)

    @property
    def total(self) -> Line:
        return Line(add(line.counts for line in self.lines.values()))

    @property
    def unbalanced(self) -> dict[Bucket, Line]:
        """What is in flight, or was decided and never came in."""
        return {bucket: line for bucket, line in self.lines.items() if line.in_flight}

    @property
    def miscounted(self) -> dict[Bucket, Counts]:
        """By bucket, how many charges and credits more were written than counted; none that agree."""
        apart: dict[Bucket, Counts] = {}
        for bucket in {**self.lines, **self.written}:
            counted = self.lines[bucket].counts if bucket in self.lines else {}
            written = self.written.get(bucket, {})
            more = {kind: written.get(kind, 0) - counted.get(kind, 0) for kind in (CHARGE, CREDIT)}
            if any(more.values()):
                apart[bucket] = more
        return apart

    @property
    def balances(self) -> bool:
        return not self.unbalanced and not self.miscounted

    def told(self) -> dict[str, Any]:
        """For programs: one JSON object."""
        total = self.total
        return {
            "balances": self.balances,
            "buckets": [
                {**_told(bucket), **msgspec.to_builtins(self.lines[bucket].told())}
                for bucket in sorted(self.lines, key=in_order)
            ],
            "total": msgspec.to_builtins(total.told()),
            "miscounted": [{**_told(bucket), **more} for bucket, more in self.miscounted.items()],
            "suppressed": total.suppressed,
            "late_share": total.late_share,
            "charge_lag_seconds": msgspec.to_builtins(self.lag),
            "standing": {
                "unacknowledged": self.standing.get(None, 0),
                **{status.value: self.standing.get(status, 0) for status in Acknowledged},
            },
            "unacknowledged": msgspec.to_builtins(self.unacknowledged),
        }


def add(counts: Iterable[Counts]) -> dict[str, int]:
    """The sum of what several counted; none that is zero."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return {what: count for what, count in total.items() if count}


def reconcile(agents: Iterable[Iterable[tuple[Bucket, Counts]]]) -> dict[Bucket, Line]:
    """The lines of what each of ``agents`` counted. One may count the same bucket more than once: in every
    partition that it owns. Buckets in which nothing is left are left out."""
    found: defaultdict[Bucket, Counter[str]] = defaultdict(Counter)
    for agent in agents:
        for bucket, counts in agent:
            found[bucket].update(counts)
    summed = {bucket: add([counts]) for bucket, counts in found.items()}
    return {bucket: Line(counts) for bucket, counts in summed.items() if counts}


def bucket_of(event: BillingEvent) -> Bucket:
    """Where the ledger counts a charge, and the credit that takes it back."""
    return Bucket(event.service_date, event.facility, event.procedure.source)


def in_order(bucket: Bucket) -> tuple[date, str, str]:
    """Sorts buckets by date, facility and source; those without a date come last."""
    return (bucket.service_date or date.max, bucket.facility or "", bucket.source or "")


def _told(bucket: Bucket) -> dict[str, str | None]:
    day = bucket.service_date
    return {
        "service_date": day.isoformat() if day else None,
        "facility": bucket.facility,
        "source": bucket.source,
    }
