"""Passing: how what the agents settle goes on its way, each record to its one place."""

import logging
from functools import lru_cache, partial
from typing import Any

from models.billing import Decision, Outcome, Reason, encode_decision
from models.entries import AnyEntry, encode_entry
from models.hearing import Again, Taken
from models.news import News, encode_news, news_key
from models.routing import Routed, To
from models.worklist import Item, encode_item
from streams.cloudevents import CloudEvents
from streams.dead_letters import put_aside
from streams.headers import COMMAND, EVENT_ID, ITEM, TYPE
from streams.once import UnitOfWork
from streams.once.failure import where
from streams.once.outbox import Headers
from streams.partitioning import partition_of
from streams.topics import Topics

log = logging.getLogger(__name__)

_OF_THE_LEDGER = (Outcome.HELD, Outcome.DEAD_LETTERED, Outcome.REJECTED)
"""Decisions on what may concern a standing charge: the ledger warns of it, and counts them."""


class Passing:
    """Sends within a unit of work, as the agent of this name."""

    def __init__(self, topics: Topics, source: str, partitions: int) -> None:
        self._topics = topics
        self._agent = source.rpartition("/")[2]
        self._decided = CloudEvents("perdiem.decision", source)
        self._partition = lru_cache(maxsize=100_000)(partial(partition_of, partitions=partitions))
        self._to = {
            To.HELD: topics.held.name,
            To.DEAD_LETTERS: topics.dead_letters.name,
            To.IDENTIFIERS: topics.identifiers.name,
        }

    def pass_on(self, unit: UnitOfWork, taken: Taken, event_id: str, headers: Headers) -> None:
        """Send ``taken``, that came of the event ``event_id``, where it belongs."""
        match taken:
            case Decision():
                self.decide(unit, taken)
            case Routed():
                routed: Headers = [(TYPE, COMMAND), (EVENT_ID, event_id.encode()), *headers]
                self._send(unit, self._to[taken.to], taken.key, taken.value, routed)
                unit.counts["passed_on"] += 1
            case Again():
                unit.send(
                    taken.topic,
                    taken.key,
                    taken.value,
                    [*taken.headers, *headers],
                    partition=taken.partition,
                )
            case _:
                self.enter(unit, taken, headers)

    def decide(self, unit: UnitOfWork, decision: Decision) -> None:
        """Publish a decision, through the ledger where it may concern a standing charge."""
        known = decision.patient is not None and decision.procedure_id is not None
        if known and decision.outcome in _OF_THE_LEDGER:
            self._send(unit, self._topics.procedures.name, _key(decision), encode_decision(decision), [])
        else:
            self.publish(unit, decision)

    def publish(self, unit: UnitOfWork, decision: Decision, beside: bytes | None = None) -> None:
        """Publish a decision, and count it: under its patient, or in the partition of the unit, ``beside``
        the record of this key."""
        topic, value = self._topics.decisions.name, encode_decision(decision)
        headers = self._decided.headers(decision.id, decision.event_id, decision.cause)
        if beside is None:
            self._send(unit, topic, _key(decision), value, headers)
        else:
            unit.send(topic, beside, value, headers)
        unit.counts[decision.outcome if decision.sequence == 1 else "follow_up"] += 1

    def enter(self, unit: UnitOfWork, entry: AnyEntry, headers: Headers) -> None:
        """Send an entry to the ledger of its patient."""
        self._send(unit, self._topics.procedures.name, entry.patient.encode(), encode_entry(entry), headers)
        unit.counts["passed_on"] += 1

    def tell(self, unit: UnitOfWork, news: News) -> None:
        """Tell identity, which keeps together what the news are about."""
        self._send(unit, self._topics.identifiers.name, news_key(news), encode_news(news), [])

    def put_on_worklist(self, unit: UnitOfWork, item: Item) -> None:
        """Send ``item`` to the agent that keeps the worklist."""
        self._send(unit, self._topics.held.name, item.id.encode(), encode_item(item), [(TYPE, ITEM)])

    def hold(self, unit: UnitOfWork, record: Any, decision: Decision) -> None:
        """Put ``record`` aside as held, for a person. The decision itself is not sent with it."""
        log.debug("held", extra={"event_id": decision.event_id, "field": decision.field})
        self._aside(
            unit,
            self._topics.held.name,
            record,
            decision,
            key=decision.event_id.encode(),
            error="Held",
            message=f"{decision.field}: expected {decision.detail}",
        )

    def bury(self, unit: UnitOfWork, record: Any, decision: Decision, error: Exception, message: str) -> None:
        """Put ``record``, which ``error`` came of, aside as a dead letter, and say so."""
        self._aside(
            unit,
            self._topics.dead_letters.name,
            record,
            decision,
            key=record.key,
            error=type(error).__name__,
            message=message,
        )
        told = {
            "event_id": decision.event_id,
            "agent": self._agent,
            "reason": decision.reason,
        }
        if decision.reason is Reason.RULE_FAILED:
            log.error("dead letter", extra={**told, "error": where(error)})
        else:
            log.warning("dead letter", extra={**told, "field": decision.field, "expected": decision.detail})
        self.decide(unit, decision)

    def _aside(self, unit: UnitOfWork, topic: str, record: Any, decision: Decision, **why: Any) -> None:
        put_aside(
            unit,
            topic,
            record,
            decision,
            partition=self._partition(decision.event_id.encode()),
            **why,
        )

    def _send(self, unit: UnitOfWork, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        unit.send(topic, key, value, headers, partition=self._partition(key))


def _key(decision: Decision) -> bytes:
    return (decision.patient or decision.event_id).encode()
