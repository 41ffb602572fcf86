"""Worklist: what any worker can ask of those that keep the items: the next few, one whole, what would be."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec
from aiokafka import TopicPartition

from models.billing import BillingEvent, Decision
from models.commands import command
from models.entries import AnyEntry, decode_entry, encode_entry
from models.hearing import Again
from models.posting import post
from models.routing import Routed
from models.selection import Selection
from models.worklist import Item, Listed
from streams.foresight import HYPOTHETICAL
from streams.holds import Holds, OnWorklist
from streams.ledger import NOBODY, Ledger
from streams.once.owner import Owner
from streams.partitioning import partition_of
from streams.settings import Settings
from streams.topics import Topics
from streams.views.site import Site
from streams.views.workers import Missing, Question, slices

PAGE = 50
"""Items on one page."""
AT_MOST = 10_000
"""Items of a partition that are looked through for one page."""
_CHUNK = 25
"""Items between which others may run: one may be as large as a source's largest record."""


class Next(msgspec.Struct, frozen=True):
    """Asks for the first items of a selection behind ``after``, the oldest first."""

    selection: Selection
    is_open: bool
    after: Listed | None = None


class Few(msgspec.Struct):
    """Items without what the source sent, in no order; ``reached``: up to where each partition that may have
    more was looked through."""

    items: list[Item]
    reached: list[Listed]


class One(msgspec.Struct, frozen=True):
    """Asks for an item, and whether for what the source sent, too."""

    id: str
    whole: bool


class Given(msgspec.Struct, frozen=True):
    """Asks what commands would do; each in JSON."""

    commands: list[bytes]


class Would(msgspec.Struct, frozen=True, kw_only=True):
    """What one command would do to its item."""

    item: Item
    decision: Decision | None
    """Of the command; None: the rule fails on it."""
    decisions: list[Decision] = []
    """On the events of the item."""
    entries: list[bytes] = []
    """What would go to ledgers."""
    passed_on: int = 0
    """How many records would go elsewhere."""


class Posted(msgspec.Struct, frozen=True):
    """Asks what an entry would bring about in the ledger of its patient."""

    entry: bytes


class Foreseen(msgspec.Struct, frozen=True):
    """What an entry would bring about."""

    billing_events: list[BillingEvent]
    decisions: list[Decision]
    failed: bool = False


class Worklist:
    """The questions, put to no worker but those that own what they are about."""

    def __init__(self, site: Site, holds: Holds, ledger: Ledger) -> None:
        self._site = site
        self._holds = holds
        self._ledger = ledger
        self._next: Question[Next, Few] = Question("worklist", Next, Few, ["holds"], self._few)
        self._one: Question[One, list[Item]] = Question("item", One, list[Item], ["holds"], self._find)
        self._given: Question[Given, list[Would]] = Question(
            "would", Given, list[Would], ["holds"], self._would
        )
        self._posted: Question[Posted, list[Foreseen]] = Question(
            "foreseen", Posted, list[Foreseen], ["ledger"], self._foreseen
        )
        for question in (self._next, self._one, self._given, self._posted):
            site.workers.add(question)

    # Asked by any worker

    async def next(self, topic: str, asked: Next) -> tuple[list[Item], Listed | None, list[Missing]]:
        """At most ``PAGE`` items, the place behind which more may come, and what nobody answered for."""
        partitions = [TopicPartition(topic, number) for number in range(self._partitions)]
        answers = await self._site.workers.ask(self._next, asked, partitions=partitions)
        items = sorted((item for few in answers.found for item in few.items), key=_listed)
        reached = min((place for few in answers.found for place in few.reached), default=None)
        shown = [item for item in items if reached is None or item.listed <= reached]
        if len(shown) > PAGE:
            shown = shown[:PAGE]
            reached = shown[-1].listed
        return shown, reached, answers.missing

    async def item(self, topic: str, name: str, *, whole: bool) -> tuple[Item | None, list[Missing]]:
        """The item of this name on one of the lists."""
        return await self._named([topic], name, whole)

    async def find(self, name: str) -> tuple[Item | None, list[Missing]]:
        """The item of this name, on whichever list, with what the source sent."""
        topics = Topics.of(self._settings)
        return await self._named([topics.held.name, topics.dead_letters.name], name, whole=True)

    async def _named(
        self, topics: Sequence[str], name: str, whole: bool
    ) -> tuple[Item | None, list[Missing]]:
        number = partition_of(name.encode(), self._partitions)
        places = [TopicPartition(topic, number) for topic in topics]
        answers = await self._site.workers.ask(self._one, One(name, whole), partitions=places)
        return next((item for found in answers.found for item in found), None), answers.missing

    async def would(
        self, topic: str, commands: Sequence[OnWorklist]
    ) -> tuple[dict[str, Would], list[Missing]]:
        """By item what each command would do; items that are not there are left out."""
        partitions = {
            TopicPartition(topic, partition_of(said.item.encode(), self._partitions)) for said in commands
        }
        given = Given([said.model_dump_json().encode() for said in commands])
        answers = await self._site.workers.ask(self._given, given, partitions=partitions)
        return {would.item.id: would for found in answers.found for would in found}, answers.missing

    async def foreseen(self, entry: bytes) -> Foreseen | None:
        """None: nobody answers for that patient now."""
        patient = decode_entry(entry).patient or ""
        topics = Topics.of(self._settings)
        place = TopicPartition(topics.procedures.name, partition_of(patient.encode(), self._partitions))
        answers = await self._site.workers.ask(self._posted, Posted(entry), partitions=[place])
        return next((each for found in answers.found for each in found), None)

    @property
    def _settings(self) -> Settings:
        return self._site.settings

    @property
    def _partitions(self) -> int:
        return self._settings.partitions

    # Answered by whoever owns it

    async def _few(self, owners: Sequence[Owner], asked: Next) -> Few:
        few = Few([], [])
        for owner in owners:
            reached = await self._look(owner, asked, few.items)
            if reached is not None:
                few.reached.append(reached)
        return few

    async def _look(self, owner: Owner, asked: Next, into: list[Item]) -> Listed | None:
        """Where to look further; None if nothing more is there."""
        place = asked.after or Listed(asked.is_open, asked.selection.since or 0, "")
        left = PAGE + 1
        until = sys.maxsize if asked.selection.until is None else asked.selection.until
        for _ in range(0, AT_MOST, _CHUNK):
            if owner.released:
                return place
            behind = [*self._behind(owner, place)]
            for place in behind:
                if place.is_open is not asked.is_open or place.since >= until:
                    return None
                item = owner.slices[self._holds.worklist].get(place.id)
                if item is not None and item.listed == place and asked.selection.fits(item):
                    into.append(bare(item))
                    left -= 1
                    if not left:
                        return place
            if len(behind) < _CHUNK:
                return None
            await asyncio.sleep(0)
        return place

    def _behind(self, owner: Owner, place: Listed) -> Iterator[Listed]:
        order = owner.slices[self._holds.order]
        first = self._holds.order.codec.encode_key(place) + b"\0"
        return islice((found for found, _ in order.items(first)), _CHUNK)

    async def _find(self, owners: Sequence[Owner], asked: One) -> list[Item]:
        found = self._items(owners, asked.id)
        return found if asked.whole else [bare(item) for item in found]

    def _items(self, owners: Sequence[Owner], name: str) -> list[Item]:
        # Whoever asks may have let others run meanwhile: the store of an owner that left is closed.
        kept = [owner for owner in owners if not owner.released]
        found = (part.get(name) for part in slices(kept, self._holds.worklist))
        return [item for item in found if item is not None]

    async def _would(self, owners: Sequence[Owner], asked: Given) -> list[Would]:
        found = []
        for each in asked.commands:
            said = command.validate_json(each)
            assert isinstance(said, OnWorklist)
            found += [self._hear(item, said) for item in self._items(owners, said.item)]
            await asyncio.sleep(0)
        return found

    def _hear(self, item: Item, said: OnWorklist) -> Would:
        try:
            hearing = self._holds.hear(item, said, HYPOTHETICAL)
        except Exception:
            return Would(item=bare(item), decision=None)
        decisions = [each for each in hearing.taken if isinstance(each, Decision)]
        entries = [each for each in hearing.taken if not isinstance(each, Decision | Routed | Again)]
        return Would(
            item=bare(hearing.item or item),
            decision=hearing.decision,
            decisions=decisions,
            entries=[encode_entry(each) for each in entries],
            passed_on=len(hearing.taken) - len(decisions) - len(entries),
        )

    async def _foreseen(self, owners: Sequence[Owner], asked: Posted) -> list[Foreseen]:
        entry = decode_entry(asked.entry)
        assert not isinstance(entry, Decision)
        return [self._post(owner, entry) for owner in owners]

    def _post(self, owner: Owner, entry: AnyEntry) -> Foreseen:
        days = owner.slices[self._ledger.patient_days]
        patient = owner.slices[self._ledger.patients].get(entry.patient) or NOBODY
        try:
            posting = post(patient, lambda day: days.get((entry.patient, day)), entry)
        except ValueError:
            return Foreseen([], [], failed=True)
        return Foreseen(posting.billing_events, posting.decisions)


def bare(item: Item) -> Item:
    """The item without what the source sent."""
    return msgspec.structs.replace(item, key=None, value=None, headers=())


def _listed(item: Item) -> Listed:
    return item.listed
