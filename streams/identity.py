"""Identity: agent 3. Sees procedures and products under two patients, and who was merged into whom."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import msgspec

from models.billing import Decision, Outcome, Reason
from models.entries import AnyEntry
from models.identity import Tops, decode_tops, encode_tops, identify, share
from models.links import Link, decode_known, decode_link, encode_known, link
from models.news import Stated, decode_news
from models.routing import LINKS
from models.worklist import Item
from streams.headers import COMMAND, TYPE, decided_of, event_of
from streams.once import Codec, OnceApp, Table, UnitOfWork
from streams.passing import Passing
from streams.refusals import Refusals
from streams.settings import Settings
from streams.topics import Topics

V = TypeVar("V")

PROCEDURES: Codec[str, Tops] = Codec(str.encode, bytes.decode, encode_tops, decode_tops)
NAMES: Codec[str, tuple[str, ...]] = Codec(
    str.encode,
    bytes.decode,
    msgspec.json.Encoder().encode,
    msgspec.json.Decoder(tuple[str, ...]).decode,
)
MERGES: Codec[str, Link] = Codec(str.encode, bytes.decode, encode_known, decode_known)


class State:
    """What identity knows. The links between patients are kept by id, and by the patients that they name."""

    def __init__(self, app: OnceApp) -> None:
        self.procedures = app.once_table("identity_procedures", PROCEDURES)
        self.products = app.once_table("identity_products", NAMES)
        self._links = app.once_table("identity_links", MERGES)
        self._patients = app.once_table("identity_linked", NAMES)
        self.tables: list[Table[str, Any]] = [self.procedures, self.products, self._links, self._patients]
        self.unread = False
        """Something could not be read: nothing may be decided then."""

    def procedure(self, name: str) -> Tops:
        return self._read(self.procedures, name, {})

    def product(self, name: str) -> tuple[str, ...]:
        return self._read(self.products, name, ())

    def link(self, name: str) -> Link | None:
        return self._read(self._links, name, None)

    def of(self, patient: str) -> tuple[str, ...]:
        return self._read(self._patients, patient, ())

    def write(self, came: "Came") -> None:
        for name, tops in came.procedures.items():
            self.procedures[name] = tops
        for name, patients in came.products.items():
            self.products[name] = patients
        for each in came.links:
            self._links[each.id] = each
            for patient in each.patients:
                named = self.of(patient)
                if each.id not in named:
                    self._patients[patient] = (*named, each.id)

    def _read(self, table: Table[str, Any], name: str, default: V) -> V:
        try:
            found: V = table.get(name, default)
        except Exception:
            self.unread = True
            raise
        return found


class Came(NamedTuple):
    """What a record brings about: what is known now, and what is sent."""

    procedures: Mapping[str, Tops] = MappingProxyType({})
    products: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    links: Sequence[Link] = ()
    entries: Sequence[AnyEntry] = ()
    alerts: Sequence[Item] = ()
    decisions: Sequence[Decision] = ()


class Identity:
    """Keyed by procedure id, product id, or as a whole by the links between patients."""

    def __init__(self, app: OnceApp, topics: Topics, settings: Settings) -> None:
        self._passing = Passing(topics, f"/{app.conf.id}/identity", settings.partitions)
        self.state = State(app)
        self.refusals = Refusals(app, "identity_refused")
        app.once_agent(
            "identity",
            self.fill,
            changelogs={topics.identifiers.name: topics.identities.name},
            tables=[*self.state.tables, self.refusals.table],
        )

    def fill(self, unit: UnitOfWork) -> None:
        """One record that the rule fails on never stops the others. Reading the state is not guarded."""
        for record in unit.records:
            # Above that of every record before it, and above the 0 of those that were never told.
            at = record.offset + 1
            if record.key == LINKS and self.refusals.waits(event_of(record), _decided(record)):
                continue
            try:
                came = self._link(record, at) if record.key == LINKS else self._identify(record, at)
            except Exception as error:
                if self.state.unread:
                    raise
                self._fail(unit, record, error)
                continue
            self.state.write(came)
            self._send(unit, came)

    def _identify(self, record: Any, at: int) -> Came:
        news, name = decode_news(record.value), record.key.decode()
        if isinstance(news, Stated):
            before = self.state.procedure(name)
            tops, moved, alerts = identify(before, news, at)
            return Came(procedures={} if tops is before else {name: tops}, entries=moved, alerts=alerts)
        patients, alerts = share(self.state.product(name), news)
        return Came(products={name: patients}, alerts=alerts)

    def _link(self, record: Any, at: int) -> Came:
        linked = link(decode_link(record.value), self.state, at, _decided(record))
        entries: list[AnyEntry] = [*linked.survivors, *linked.reviews]
        return Came(links=linked.links, entries=entries, decisions=linked.decisions)

    def _send(self, unit: UnitOfWork, came: Came) -> None:
        for entry in came.entries:
            self._passing.enter(unit, entry, [])
        for decision in came.decisions:
            self._passing.publish(unit, decision)
        for alert in came.alerts:
            self._passing.put_on_worklist(unit, alert)

    def _fail(self, unit: UnitOfWork, record: Any, error: Exception) -> None:
        """Put the record aside whole. A command answers its event, all else is named by its own place."""
        event_id = event_of(record)
        sequence = _decided(record) + 1
        self.refusals.note(event_id, sequence)
        decision = Decision(
            event_id=event_id,
            sequence=sequence,
            cause=event_id,
            outcome=Outcome.DEAD_LETTERED,
            reason=Reason.RULE_FAILED,
        )
        said = "identity's rule failed on this record"
        self._passing.bury(unit, record, decision, error, said)


def _decided(record: Any) -> int:
    """How many decisions there are about a command. All else has another place, and so name, if redriven."""
    return decided_of(record) if dict(record.headers).get(TYPE) == COMMAND else 0
