"""A ledger in memory: applies the rule as the running one does, and keeps all that comes out."""

from collections.abc import Callable, Iterable
from datetime import date

import msgspec

from models.audit import Account
from models.patient_day import PatientDay, Verdict, decide, gather
from models.procedures import ProcedureEvent

_whole = msgspec.json.Encoder(order="deterministic").encode


def same(day: PatientDay) -> PatientDay:
    return day


class Ledger:
    """Days of several patients, and where each procedure stands.

    ``kept`` is applied to every day that is written: what a store makes of it, for instance.
    """

    def __init__(self, kept: Callable[[PatientDay], PatientDay] = same) -> None:
        self.days: dict[tuple[str, date | None], PatientDay] = {}
        self.stands: dict[str, dict[str, date | None]] = {}
        self.accounts: dict[str, Account] = {}
        self._kept = kept

    def apply(self, event: ProcedureEvent) -> Verdict:
        """Decide one event; fails if the rule changed the days that it was given."""
        stands = self.stands.setdefault(event.patient, {})
        place = stands.get(event.procedure, event.service_date)
        days = gather(event, place, lambda day: self.days.get((event.patient, day)))
        before = _whole([*days.values()])
        verdict = decide(days, event)
        assert _whole([*days.values()]) == before, "the rule changed what it was given"
        for day in verdict.days:
            self.days[event.patient, day.service_date] = self._kept(day)
        stands[event.procedure] = verdict.stands

        account = self.accounts.setdefault(event.patient, Account())
        account.procedures.append(event)
        account.decisions += verdict.decisions
        account.billing_events += verdict.billing_events
        return verdict

    def apply_all(self, events: Iterable[ProcedureEvent]) -> "Ledger":
        for event in events:
            self.apply(event)
        return self
