"""Installation: intake of commands, a network of ledgers and a worklist, all in memory."""

from collections.abc import Sequence
from random import Random
from typing import assert_never

import msgspec

from models.account import Account, Spoken
from models.billing import BillingEvent, Kind
from models.commands import Merge, UndoMerge
from models.entries import Acknowledgement, Ruling
from models.facilities import Authority, Facilities, Facility
from models.links import decode_link
from models.procedures import ProcedureEvent, Reporting
from models.routing import Routed, route
from models.worklist import Item
from models.worklist import Kind as Waits
from tests.models.network import Network
from tests.models.people import applied, spoken
from tests.models.strategies import CONTENTS, Acked, Input, Restated, Ruled

FACILITIES = Facilities(
    authorities=(Authority(id="UH"),), facilities=(Facility(id="north", time_zone="America/New_York"),)
)


class Installation:
    """Several patients, identity and the links, that deliver entries to each other until none is left."""

    def __init__(self) -> None:
        self.network = Network(Random(0))
        self._commands: list[Spoken] = []
        self._said: list[ProcedureEvent] = []
        self._ruled: set[tuple[str, str | None]] = set()
        """Items, and the patients where they waited."""
        self._told: set[str] = set()
        """Commands that the worklist said were applied."""
        self._acks = 0

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

    def _restate(self, said: Restated) -> None:
        if not self._said:
            return
        statement = self._said[said.statement % len(self._said)]
        service, day, stream, reporting, facility, account = CONTENTS[said.content]
        changed = msgspec.structs.replace(
            statement,
            facility=facility,
            reporting=Reporting(reporting),
            account_number=account,
            counted=statement.bucket,
        )
        if statement.service is not None:
            changed = msgspec.structs.replace(changed, stream=stream, service=service, service_date=day)
        name = f"restate {said} {len(self._commands)}"
        one = spoken(
            "restate",
            name,
            statement=msgspec.to_builtins(changed),
        )
        self._commands.append(one)
        self.network.put(
            msgspec.structs.replace(changed, because=one.event_id, command=name, restated=said.at)
        )
