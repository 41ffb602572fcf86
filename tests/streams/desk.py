"""The agents in memory: what is sent to them is taken in until nothing is left."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from models.account import Account
from models.billing import decode_billing_event, decode_decision
from models.entries import decode_entry
from models.reconciliation import Reconciliation, bucket_of, reconcile
from models.tally import Bucket, decode_counts
from models.worklist import Listed
from streams.facilities import read_facilities
from streams.holds import Holds
from streams.identity import Identity
from streams.intake.agent import Intake
from streams.intake.sources import Sources
from streams.ledger import Ledger
from streams.once.table import current_unit
from streams.settings import Settings
from streams.spoken import spoken
from streams.topics import Topics
from tests.streams.once.fakes import an_app

EXAMPLE = Path(__file__).parents[2] / "examples" / "facilities.toml"


class Unit:
    """A unit of work that only remembers: what was sent, and the state of one partition."""

    def __init__(self, tp: TopicPartition, state: dict[tuple[str, Any], bytes]) -> None:
        self.batch = SimpleNamespace(tp=tp)
        self.records: Sequence[Any] = ()
        self.counts: Counter[str] = Counter()
        self.sent: list[tuple[str, int, bytes | None, bytes | None, Any]] = []
        self._state = state

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Any = None,
        *,
        partition: int | None = None,
    ) -> None:
        where = self.batch.tp.partition if partition is None else partition
        self.sent.append((topic, where, key, value, tuple(headers or ())))

    def read(self, table: Any, key: Any) -> Any:
        raw = self._state.get((table.name, key))
        return None if raw is None else table.codec.decode(raw)

    def write(self, table: Any, key: Any, value: Any) -> None:
        if value is None:
            self._state.pop((table.name, key), None)
        else:
            self._state[table.name, key] = table.codec.encode(value)


class Desk:
    """All four agents; ``logs`` is what the topics hold."""

    timestamp = 9
    """Of every record, milliseconds."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings.isolated(partitions=4)
        self.topics = Topics.of(self.settings)
        self.sources = Sources.of(self.topics, read_facilities(EXAMPLE))
        app = an_app(folder)
        intake = Intake(app, self.topics, self.sources, self.settings)
        self.holds = holds = Holds(app, self.topics, self.sources, self.settings)
        self._fill: dict[str, Any] = {topic.name: intake.fill for topic in self.topics.sources}
        self._fill |= {self.topics.held.name: holds.fill, self.topics.dead_letters.name: holds.fill}
        self._states: defaultdict[TopicPartition, dict[tuple[str, Any], bytes]] = defaultdict(dict)
        self.logs: defaultdict[str, list[Any]] = defaultdict(list)
        self._ends: Counter[TopicPartition] = Counter()
        self.identity = Identity(app, self.topics, self.settings)
        self._fill[self.topics.identifiers.name] = self.identity.fill
        self.ledger = Ledger(app, self.topics, self.settings)
        self._fill[self.topics.procedures.name] = self.ledger.fill
        self.worklist = holds.worklist

    def take(
        self, topic: str, value: bytes | None, key: bytes = b"k", headers: Any = (), partition: int = 0
    ) -> str:
        """Write a record to a partition of ``topic``, and take in all that comes of it; its event id."""
        record = self._write(topic, partition, key, value, headers)
        self.deliver(record)
        return f"{record.topic}:{record.partition}:{record.offset}:0"

    def deliver(self, record: Any) -> None:
        """Take in a record, for the first time or again, and all that comes of it."""
        records = [record]
        while records:
            record = records.pop(0)
            if record.topic in self._fill:
                records += [self._write(*sent) for sent in self._taken(record)]

    def item(self, topic: str, name: str) -> Any:
        """An item of the worklist for ``topic``."""
        for tp, state in self._states.items():
            if tp.topic == topic and ("worklist", name) in state:
                return self.worklist.codec.decode(state["worklist", name])
        return None

    def order(self, name: str) -> list[Listed]:
        """Where the worklist lists an item."""
        keys = (key for state in self._states.values() for table, key in state if table == "worklist_order")
        return [place for place in keys if isinstance(place, Listed) and place.id == name]

    def kept(self, topic: str, table: str) -> set[str]:
        """The keys of a table of the agent that reads ``topic``."""
        states = (state for tp, state in self._states.items() if tp.topic == topic)
        return {key for state in states for name, key in state if name == table}

    def reset(self) -> None:
        """Take in every record once more, and all that comes of it: the offsets of every agent are reset."""
        for record in [record for log in [*self.logs.values()] for record in log]:
            self.deliver(record)

    @property
    def balances(self) -> bool:
        """Whether every event that came in is counted once, and every charge."""
        written: defaultdict[Bucket, Counter[str]] = defaultdict(Counter)
        for record in self.logs[self.topics.billing_events.name]:
            event = decode_billing_event(record.value)
            written[bucket_of(event)][event.kind] += 1
        counted = (
            (key, decode_counts(value))
            for state in self._states.values()
            for (name, key), value in state.items()
            if name.endswith("_tallies")
        )
        return Reconciliation(lines=reconcile([counted]), written={**written}).balances

    @property
    def account(self) -> Account:
        """What the audit reads, of all patients together."""
        logs, commands = self.logs, self.topics.commands.name
        return Account(
            procedures=[decode_entry(record.value) for record in logs[self.topics.procedures.name]],
            decisions=[decode_decision(record.value) for record in logs[self.topics.decisions.name]],
            billing_events=[
                decode_billing_event(record.value) for record in logs[self.topics.billing_events.name]
            ],
            commands=[
                spoken(f"{commands}:{at.partition}:{at.offset}:0", at.value, self.sources.facilities)
                for at in logs[commands]
            ],
        )

    def _taken(self, record: Any) -> Iterator[Any]:
        tp = TopicPartition(record.topic, record.partition)
        unit: Any = Unit(tp, self._states[tp])
        unit.records = (record,)
        token = current_unit.set(unit)
        try:
            self._fill[record.topic](unit)
        finally:
            current_unit.reset(token)
        yield from unit.sent

    def _write(self, topic: str, partition: int, key: Any, value: Any, headers: Any) -> Any:
        tp = TopicPartition(topic, partition)
        offset = self._ends[tp]
        self._ends[tp] += 1
        at = self.timestamp
        record: Any = ConsumerRecord(topic, partition, offset, at, 0, key, value, None, 0, 0, headers)
        self.logs[topic].append(record)
        return record
