"""Installation: intake of commands, a network of ledgers and a worklist, all in memory."""

from collections.abc import Sequence
from random import Random
from typing import assert_never

import msgspec
from msgspec.structs import replace

from models.account import Account, Spoken
from models.billing import BillingEvent, Decision, Kind, Outcome
from models.commands import Merge, UndoMerge
from models.entries import Acknowledgement, Ruling
from models.facilities import Authority, Facilities, Facility
from models.hearing import Taken, hear
from models.links import decode_link
from models.messages import Unreadable
from models.procedures import ProcedureEvent, Reporting, place
from models.putting import KINDS, Aside, put
from models.routing import Routed, route
from models.worklist import Item
from models.worklist import Kind as Waits
from tests.models.network import Network
from tests.models.people import applied, spoken
from tests.models.strategies import CONTENTS, Acked, Decided, Input, PutAside, Reads, Restated, Ruled

FACILITIES = Facilities(
    authorities=(Authority(id="UH"),), facilities=(Facility(id="north", time_zone="America/New_York"),)
)
ASIDE = "infusion.procedures"
"""The topic of all records that are put aside, so that their event ids are no others'."""


class Installation:
    """Several patients, identity and the links, that deliver entries to each other until none is left; and
    what was put aside."""

    def __init__(self) -> None:
        self.network = Network(Random(0))
        self._commands: list[Spoken] = []
        self._said: list[ProcedureEvent] = []
        self._ruled: set[tuple[str, str | None]] = set()
        """Items, and the patients where they waited."""
        self._told: set[str] = set()
        """Commands that the worklist said were applied."""
        self._acks = 0
        self._meant: list[ProcedureEvent] = []
        self._worklist: dict[tuple[Waits, str], Item] = {}
        self._decisions: list[Decision] = []

    def run(self, inputs: Sequence[Input], order: Random) -> Account:
        """Take in ``inputs`` one after the other, and after each as many of the entries that are on their way
        as ``order`` says; deliver the rest at the end. May be called again. The account is that of all."""
        self.network.order = order
        for said in inputs:
            self._take_in(said)
            self.network.some()
        self.network.rest()
        return self.account()

    def account(self) -> Account:
        network = self.network
        accounts = network.accounts.values()
        return Account(
            procedures=[*network.entries()],
            decisions=[each for account in accounts for each in account.decisions]
            + network.link_decisions
            + self._decisions
            + [applied(one.event_id) for one in self._commands if one.event_id in self._told],
            billing_events=[each for account in accounts for each in account.billing_events],
            days=[*network.ledger.days.values()],
            commands=[*self._commands],
            items=[*network.listed],
        )

    def _take_in(self, said: Input) -> None:
        match said:
            case ProcedureEvent():
                self._said.append(said)
                self.network.put(said)
            case Spoken():
                self._speak(said)
            case Acked():
                self._acknowledge(said)
            case Ruled():
                self._rule(said)
            case Restated():
                self._restate(said)
            case PutAside():
                self._put_aside(said)
            case Decided():
                self._decide(said)
            case _:
                assert_never(said)

    def _speak(self, said: Spoken) -> None:
        self._commands.append(said)
        assert said.command is not None
        routed = route(said.command, b"", FACILITIES, event_id=said.event_id)
        if isinstance(said.command, Merge | UndoMerge):
            assert isinstance(routed, Routed)
            self.network.put(decode_link(routed.value))
        else:
            assert not isinstance(routed, Routed)
            self.network.put(routed)

    def _acknowledge(self, said: Acked) -> None:
        charges: list[BillingEvent] = [
            event
            for account in self.network.accounts.values()
            for event in account.billing_events
            if event.kind is Kind.CHARGE
        ]
        if charges:
            charge = charges[said.charge % len(charges)]
            self._acks += 1
            self.network.put(
                Acknowledgement(
                    patient=charge.patient,
                    event_id=f"billing.acks:0:{self._acks}:0",
                    charge_id=charge.charge_id,
                    status=said.status,
                )
            )

    def _rule(self, said: Ruled) -> None:
        waiting: list[Item] = [
            item
            for item in self.network.items.values()
            if item.kind in (Waits.CORRECTION, Waits.CLAIMED) and (item.id, item.patient) not in self._ruled
        ]
        if not waiting:
            return
        item = waiting[said.item % len(waiting)]
        self._ruled.add((item.id, item.patient))
        one = spoken(
            "release" if said.apply else "reject", f"rule on {item.id} of {item.patient}", item=item.id
        )
        self._commands.append(one)
        self._told.add(one.event_id)
        assert item.patient is not None
        self.network.put(
            Ruling(patient=item.patient, event_id=one.event_id, item=item.id, apply=said.apply, decided=1)
        )

    def _put_aside(self, said: PutAside) -> None:
        event_id = f"{ASIDE}:0:{len(self._meant)}:0"
        self._meant.append(replace(said.meant, event_id=event_id, received=len(self._meant)))
        outcome = Outcome.DEAD_LETTERED if said.dead else Outcome.HELD
        self._list(Decision(event_id=event_id, sequence=1, cause=event_id, outcome=outcome, received=0))

    def _list(self, decision: Decision) -> None:
        """Publish a decision that puts its event aside, and put it on the worklist."""
        self._decisions.append(decision)
        aside = Aside(decision, 0, *place(decision.event_id)[:3], key=None, value=None, headers=())
        name = KINDS[decision.outcome], decision.event_id
        self._worklist[name] = put(self._worklist.get(name), aside)

    def _decide(self, said: Decided) -> None:
        if not self._worklist:
            return
        kind, item_id = [*self._worklist][said.item % len(self._worklist)]
        ways = ("redrive", "discard") if kind is Waits.DEAD_LETTER else ("release", "reject")
        way = ways[0 if said.take_in else 1]
        one = spoken(way, f"{way} {len(self._commands)}", item=item_id)
        self._commands.append(one)
        assert one.command is not None
        item = self._worklist[kind, item_id]
        hearing = hear(item, one.command, one.event_id, lambda item, _: self._read(item, said.reads))
        self._decisions.append(hearing.decision)
        self._worklist[kind, item_id] = hearing.item or item
        for taken in hearing.taken:
            if isinstance(taken, ProcedureEvent):
                self.network.put(taken)
            elif isinstance(taken, Decision) and way == "redrive" and taken.outcome is Outcome.HELD:
                self._list(taken)
            elif isinstance(taken, Decision):
                self._decisions.append(taken)

    def _read(self, item: Item, reads: Reads) -> list[Taken]:
        bare = Decision(event_id=item.id, sequence=1, cause=item.id, outcome=Outcome.HELD)
        match reads:
            case Reads.AS_MEANT:
                return [self._meant[place(item.id)[2]]]
            case Reads.HELD:
                return [bare]
            case Reads.NOT_OURS:
                return [replace(bare, outcome=Outcome.NOT_OURS)]
            case Reads.NOT_AT_ALL:
                raise Unreadable("message", "a JSON object")

    def _restate(self, said: Restated) -> None:
        if not self._said:
            return
        statement = self._said[said.statement % len(self._said)]
        service, day, stream, reporting, facility, account = CONTENTS[said.content]
        changed = replace(
            statement,
            facility=facility,
            reporting=Reporting(reporting),
            account_number=account,
            counted=statement.bucket,
        )
        if statement.service is not None:
            changed = replace(changed, stream=stream, service=service, service_date=day)
        name = f"restate {said} {len(self._commands)}"
        one = spoken(
            "restate",
            name,
            statement=msgspec.to_builtins(changed),
        )
        self._commands.append(one)
        self.network.put(replace(changed, because=one.event_id, command=name, restated=said.at))
