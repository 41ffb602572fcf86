"""Network: ledgers of several patients, identity and the links between them, and the logs they read."""

from collections import Counter
from collections.abc import Iterable
from random import Random

from msgspec.structs import replace

from models.account import Account
from models.billing import BillingEvent, Decision, Outcome
from models.entries import AnyEntry, Ruling
from models.identity import Tops, identify, share
from models.links import Link, Merge, Undo, link
from models.news import News, Product, Stated, news_key
from models.putting import enter
from models.worklist import Item, State
from tests.models.ledger import Ledger
from tests.models.said import standing

LINKS = "links"
Input = AnyEntry | Merge | Undo


class Links:
    """All links, as ``models.links`` asks for them."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}

    def link(self, name: str) -> Link | None:
        return self.links.get(name)

    def of(self, patient: str) -> list[str]:
        return [name for name, link in self.links.items() if patient in (link.losing, link.surviving)]

    def write(self, links: Iterable[Link]) -> None:
        self.links |= {link.id: link for link in links}


class Network:
    """Each receiver has a log, read in order; which receiver reads next is left to ``order``."""

    def __init__(self, order: Random) -> None:
        self.order = order
        self.ledger = Ledger()
        self.items: dict[str, Item] = {}
        self.listed: list[Item] = []
        """All that was sent to the worklist."""
        self.tallies: Counter[str] = Counter()
        self.acknowledged: Counter[str] = Counter()
        self.link_decisions: list[Decision] = []
        self._logs: dict[str, list[AnyEntry | News | Merge | Undo]] = {}
        self._read: dict[str, int] = {}
        self._held: tuple[str, type[AnyEntry]] | None = None
        self._aside: list[AnyEntry] = []
        self._tops: dict[str, Tops] = {}
        self._products: dict[str, tuple[str, ...]] = {}
        self._links = Links()

    @property
    def accounts(self) -> dict[str, Account]:
        return self.ledger.accounts

    def put(self, said: Input) -> None:
        """Write an input to the log of whom it concerns; the worklist is done with what a person ruled on."""
        if isinstance(said, Ruling) and (item := self.items.get(said.item)) and item.state is State.OPEN:
            self.items[item.id] = replace(item, state=State.RELEASED if said.apply else State.REJECTED)
        self._write(LINKS if isinstance(said, Merge | Undo) else said.patient, said)

    def run(self, inputs: Iterable[Input]) -> None:
        """Write the inputs, with some of what follows read in between; then read until nothing is left."""
        for said in inputs:
            self.put(said)
            self.some()
        self.rest()

    def some(self) -> None:
        """Read some of what lies ahead, or nothing."""
        for _ in range(self.order.choice((0, 0, 1, 3))):
            self.step()

    def entries(self) -> list[AnyEntry]:
        """All entries of all patients, those of one in the order of its log."""
        return [said for name in self.receivers for said in self._logs[name] if isinstance(said, AnyEntry)]

    def hear(self, *inputs: Input) -> "Network":
        """Write the inputs one by one, and read until nothing is left after each."""
        for said in inputs:
            self.put(said)
            self.rest()
        return self

    def standing(self, patient: str) -> list[BillingEvent]:
        return standing(self.ledger, patient)

    def decisions(self, event_id: str) -> list[Decision]:
        """All decisions about one event, of whatever patient, by number."""
        made = [each for account in self.accounts.values() for each in account.decisions]
        about = [each for each in (*made, *self.link_decisions) if each.event_id == event_id]
        return sorted(about, key=lambda each: each.sequence)

    def outcomes(self, event_id: str) -> list[Outcome]:
        """What was decided of one event in turn; fails if a number is left out or comes twice."""
        decisions = self.decisions(event_id)
        assert [each.sequence for each in decisions] == [*range(1, len(decisions) + 1)]
        return [each.outcome for each in decisions]

    def step(self) -> bool:
        """Let one receiver read one record; whether there was one."""
        ahead = [name for name, log in self._logs.items() if self._read.get(name, 0) < len(log)]
        if not ahead:
            return False
        self._deliver(self.order.choice(sorted(ahead)))
        return True

    def rest(self) -> None:
        for _ in range(10_000):
            if not self.step():
                return
        raise AssertionError("entries go round for ever")

    def reset(self, name: str, back: int) -> None:
        """Set the offset of a receiver back, as an operator may."""
        self._read[name] = max(0, self._read.get(name, 0) - back)

    @property
    def receivers(self) -> list[str]:
        return sorted(self._logs)

    def hold(self, name: str, kind: type[AnyEntry]) -> None:
        """Entries of this kind to this patient are dead letters until ``let_go`` redrives them."""
        self._held = (name, kind)

    def let_go(self) -> None:
        self._held = None
        for entry in self._aside:
            self._write(entry.patient, entry)
        self._aside.clear()
        self.rest()

    def _write(self, name: str, said: AnyEntry | News | Merge | Undo) -> None:
        self._logs.setdefault(name, []).append(said)

    def _deliver(self, name: str) -> None:
        at = self._read.get(name, 0)
        self._read[name] = at + 1
        said = self._logs[name][at]
        if isinstance(said, Merge | Undo):
            linked = link(said, self._links, at + 1)
            self._links.write(linked.links)
            self.link_decisions += linked.decisions
            for survivor in linked.survivors:
                self._write(survivor.patient, survivor)
            for review in linked.reviews:
                self._write(review.patient, review)
        elif isinstance(said, Stated):
            found = identify(self._tops.get(name, {}), said, at + 1)
            self._tops[name] = found.tops
            self._note(found.alerts)
            for moved in found.moved:
                self._write(moved.patient, moved)
        elif isinstance(said, Product):
            self._products[name], alerts = share(self._products.get(name, ()), said)
            self._note(alerts)
        else:
            self._post(said)

    def _post(self, entry: AnyEntry) -> None:
        if self._held and (entry.patient, type(entry)) == self._held:
            self._aside.append(entry)
            return
        posting = self.ledger.apply(entry)
        for news in posting.news:
            self._write(news_key(news).decode(), news)
        for sent in posting.sent:
            self._write(sent.patient, sent)
        self._note(posting.items)
        for charge, more in posting.acknowledged:
            self.acknowledged[charge.id] += more
        for made in posting.made:
            if made.former is not None:
                self.tallies[made.former] -= 1
            self.tallies[made.decision.outcome] += 1

    def _note(self, items: Iterable[Item]) -> None:
        for item in items:
            self.listed.append(item)
            self.items[item.id] = enter(self.items.get(item.id), item)
