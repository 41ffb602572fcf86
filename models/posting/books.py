"""Books: one patient and the days that an entry concerns, while it is posted."""

from collections.abc import Callable, Collection, Iterable
from datetime import date

import msgspec
from msgspec.structs import replace

from models.billing import BillingEvent, Decision, Outcome, Reason
from models.day import PatientDay
from models.entries import AnyEntry, Moved, Opening, Override, Ruling
from models.news import News, Product, Stated
from models.patient import Patient
from models.patient_day import Days, Made, Slot, Verdict, others, settle_units
from models.procedures import SEPARATOR, ProcedureEvent
from models.products import changed
from models.statements import Procedure
from models.units import Written
from models.worklist import Item, Kind, State

Read = Callable[[date | None], PatientDay | None]


class Posting(msgspec.Struct):
    """What one entry brings about, in order."""

    patient: Patient
    days: list[PatientDay] = []
    removed: list[date] = []
    """Days that are no longer kept."""
    billing_events: list[BillingEvent] = []
    made: list[Made] = []
    """Decisions about procedure events."""
    answers: list[Decision] = []
    """Decisions about commands and acknowledgements."""
    sent: list[AnyEntry] = []
    """To the ledgers of other patients."""
    news: list[News] = []
    """To ``identity``."""
    items: list[Item] = []
    """To the worklist."""
    acknowledged: list[tuple[BillingEvent, int]] = []
    """Charges that count from now on as standing and acknowledged (1), or no longer (-1)."""

    @property
    def decisions(self) -> list[Decision]:
        return [*(made.decision for made in self.made), *self.answers]


class Books:
    """What is known of a patient, and what an entry has brought about so far in ``out``."""

    def __init__(self, patient: Patient, read: Read, name: str) -> None:
        self.patient = patient
        self.name = name
        self.days = Days(name, read, patient.expired_before)
        self.out = Posting(patient)

    def posting(self) -> Posting:
        out = self.out
        out.patient = self.patient
        out.days = [day for day in self.days.changed.values() if day.service_date not in out.removed]
        out.acknowledged = [*self.days.acknowledged()]
        return out

    def too_old(self, day: date | None) -> bool:
        """Whether a service date is before the patient's watermark."""
        return self.days.too_old(day)

    def take_verdict(self, verdict: Verdict) -> None:
        self.out.billing_events += verdict.billing_events
        self.out.made += verdict.made

    def stands(self, name: str, stands: date | None, before: Procedure | None) -> None:
        """Note where a procedure stands after a decision about it, and tell ``identity`` if another holds."""
        there = next(
            (day for day, changed in self.days.changed.items() if name in changed.procedures), stands
        )
        patient = self.patient
        if name not in patient.places or patient.places[name] != there:
            left = patient.left
            if before and stands != there and stands not in left:
                left = (*left, stands)
            self.patient = replace(patient, places={**patient.places, name: there}, left=left)
        procedures = self.days[there].procedures
        self.note_products(before.holder if before else None, procedures[name].holder)
        after = self.with_news(procedures[name], before)
        if after is not procedures[name]:
            self.days.change(there).procedures[name] = after

    def with_news(self, procedure: Procedure, before: Procedure | None) -> Procedure:
        """Tell ``identity`` of another highest statement; the procedure with the telling counted."""
        holder = procedure.holder
        home = holder.stated_patient
        for product in holder.product_ids:
            if home == self.name and product not in self.patient.told:
                about = (holder.event_id, holder.facility, holder.service_date)
                self.out.news.append(Product(product, home, *about))
                self.patient = replace(self.patient, told=(*self.patient.told, product))
        if before and before.holder.order == holder.order:
            return procedure
        procedure = replace(procedure, news=procedure.news + 1)
        self.out.news.append(
            Stated(
                holder.source,
                holder.procedure_id,
                holder.stated_patient,
                holder.order,
                procedure.news,
                holder.unique,
                holder.event_id,
                holder.facility,
                holder.service_date,
            )
        )
        return procedure

    def note_products(self, before: ProcedureEvent | None, after: ProcedureEvent | None) -> None:
        """Another statement holds of a procedure, or it came or went."""
        products = changed(self.patient.products, before, after)
        if products is not self.patient.products:
            self.patient = replace(self.patient, products=products)

    def answer(
        self,
        event_id: str,
        entry: AnyEntry,
        outcome: Outcome,
        reason: Reason | None = None,
        *,
        of: str | None = None,
        sequence: int = 1,
        cause: str | None = None,
    ) -> None:
        """The decision about a command or an acknowledgement, the event ``event_id``."""
        units = entry if isinstance(entry, Override | Opening) else None
        self.out.answers.append(
            Decision(
                event_id=event_id,
                sequence=sequence,
                cause=cause or event_id,
                outcome=outcome,
                reason=reason,
                of=of,
                patient=entry.stated_patient if isinstance(entry, ProcedureEvent) else self.name,
                stream=units.stream if units else None,
                service=units.service if units else None,
                service_date=units.service_date if units else None,
            )
        )

    def send_on(self, name: str, entry: ProcedureEvent | Moved | Ruling) -> bool:
        """Send what concerns a procedure to whom that is with; False if home knows of nobody.

        Home knows; all others ask home. It follows on the last handover that is known here.
        """
        if self.too_early(name, entry.follows, entry):
            return True
        to, hands = home_of(name), self.patient.hands.get(name, 0)
        if to == self.name:
            if name not in self.patient.away:
                return False
            to, hands = self.patient.away[name].patient, self.patient.away[name].hands
        self.out.sent.append(replace(entry, patient=to, follows=hands))
        return True

    def too_early(self, name: str, follows: int, entry: AnyEntry) -> bool:
        """Whether ``entry`` follows on a handover that has not come: it waits for that."""
        if follows <= self.patient.hands.get(name, 0):
            return False
        waiting = [*self.patient.early.get(name, ()), entry]
        self.patient = replace(self.patient, early={**self.patient.early, name: waiting})
        return True

    def now_due(self, name: str) -> list[AnyEntry]:
        """What waited for the handover of a procedure that has come."""
        early = dict(self.patient.early)
        due = early.pop(name, [])
        if due:
            self.patient = replace(self.patient, early=early)
        return due

    def supersede(self, which: Callable[[AnyEntry], bool], cause: str, why: Reason) -> list[AnyEntry]:
        """What waits for a person and no longer has to, taken away; nobody is asked about it any more."""
        gone = {item: entry for item, entry in self.patient.parked.items() if which(entry)}
        if gone:
            parked = {item: entry for item, entry in self.patient.parked.items() if item not in gone}
            superseded = {**self.patient.superseded, **dict.fromkeys(gone, cause)}
            self.patient = replace(self.patient, parked=parked, superseded=superseded)
        for item in gone:
            self.out.items.append(
                Item(id=item, kind=Kind.CORRECTION, patient=self.name, state=State.SUPERSEDED, reason=why)
            )
        return [*gone.values()]

    def ruled_on(self, item: str) -> None:
        """Remember that a person ruled on an item for good."""
        if item not in self.patient.ruled:
            self.patient = replace(self.patient, ruled=(*self.patient.ruled, item))

    def leave(self, day: date | None) -> None:
        """Remember a day on which units may be that no procedure stands on."""
        if day not in self.patient.left:
            self.patient = replace(self.patient, left=(*self.patient.left, day))

    def settle(
        self,
        slots: Iterable[Slot],
        changed: Collection[str],
        cause: str,
        why: Reason | None,
        *,
        follow: bool = True,
    ) -> list[Written]:
        """Settle units, write what follows; with ``follow`` tell every procedure of them what is true now."""
        written = settle_units(self.days, slots, changed, cause, why)
        self.out.billing_events += [billing_event for _, billing_event in written]
        if follow:
            self.out.made += others(self.days, slots, changed, cause, written)
        return written


def home_of(name: str) -> str:
    """The patient of whom a procedure was stated, from its key."""
    return name.split(SEPARATOR, 2)[2]
