"""Find: from what a person has at hand to the patient-day. What is looked for is sent, never put in a URL."""

import re
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec
from aiohttp import web

from models.billing import Decision
from models.entries import Acknowledgement, Entry, Opening, Override
from models.explain import explain
from models.facilities import Facilities
from models.hearing import Taken
from models.procedures import SEPARATOR, ProcedureEvent
from models.routing import Routed
from models.worklist import Item, State
from streams.views.hrefs import Hrefs
from streams.views.known import Kept, Known
from streams.views.listing import to_do
from streams.views.records import Records, RecordsError
from streams.views.rights import Right
from streams.views.site import Asked, Shown, Site, wants_json
from streams.views.workers import Missing
from streams.views.worklist import Worklist
from streams.why import EVENT_ID

_CHARGE_ID = re.compile(r"[0-9a-fA-F]{32}")
_AT_MOST = 20
"""Patients of one product that are listed."""


class By(StrEnum):
    """What was given."""

    PATIENT = "patient"
    EVENT = "event"
    CHARGE = "charge"
    PRODUCT = "product"


class Sought(NamedTuple):
    by: By
    text: str


def sought(text: str, authority: str, facilities: Facilities) -> Sought | None:
    """What ``text`` names; None if it names nothing. ``authority`` is whose record number it is, or empty."""
    text = text.strip()
    if authority or SEPARATOR in text:
        patient = facilities.patient(f"{authority}{SEPARATOR}{text}" if authority else text)
        return Sought(By.PATIENT, patient) if patient else None
    if EVENT_ID.fullmatch(text):
        return Sought(By.EVENT, text)
    if _CHARGE_ID.fullmatch(text):
        return Sought(By.CHARGE, text.lower())
    return Sought(By.PRODUCT, text) if text else None


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was found, and where it is; ``note``: what must be known before one goes there."""

    said: str
    href: str | None = None
    note: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """``hits`` is None before anything was looked for."""

    authorities: list[str]
    hits: list[Hit] | None = None
    said: str = ""
    missing: list[Missing] = []


class Search:
    """One search. ``missing`` collects what nobody answered for."""

    def __init__(
        self, known: Known, worklist: Worklist, records: Records, hrefs: Hrefs, *, unmasked: bool
    ) -> None:
        self._known = known
        self._worklist = worklist
        self._records = records
        self._hrefs = hrefs
        self._unmasked = unmasked
        self.missing: set[Missing] = set()

    async def find(self, wanted: Sought) -> list[Hit]:
        """Raises ``RecordsError``."""
        ways: dict[By, Callable[[str], Awaitable[list[Hit]]]] = {
            By.PATIENT: self._patient,
            By.EVENT: self._event,
            By.CHARGE: self._charge,
            By.PRODUCT: self._product,
        }
        return await ways[wanted.by](wanted.text)

    async def _kept(self, patient: str) -> Kept:
        kept, missing = await self._known.patient(patient)
        self.missing |= {*missing}
        return kept

    async def _patient(self, name: str, note: str = "") -> list[Hit]:
        patient = (await self._kept(name)).patient
        if patient is None:
            return []
        if patient.survivor is not None:
            now = "The number was merged into another one: this is the patient who has its procedures now."
            return [
                Hit(said="The patient now", href=self._hrefs.patient(patient.survivor), note=now),
                Hit(said="The patient of the number that was looked for", href=self._hrefs.patient(name)),
            ]
        return [Hit(said="All days of the patient", href=self._hrefs.patient(name), note=note)]

    async def _charge(self, charge_id: str) -> list[Hit]:
        found, missing = await self._known.charge(charge_id)
        self.missing |= {*missing}
        if found is None:
            return await self._product(charge_id)
        patient, service_date = found
        href = f"{self._hrefs.day(patient, service_date)}#{charge_id}"
        return [Hit(said=f"The charge was made on {service_date}", href=href)]

    async def _product(self, product: str) -> list[Hit]:
        patients, missing = await self._known.product(product)
        self.missing |= {*missing}
        several = "Several patients have this product, which should not be." if len(patients) > 1 else ""
        hits: list[Hit] = []
        for patient in patients[:_AT_MOST]:
            hits += await self._patient(patient, several)
        return hits

    async def _event(self, event_id: str) -> list[Hit]:
        item, missing = await self._worklist.find(event_id)
        self.missing |= {*missing}
        hits = [self._listed(item)] if item else []
        if (item and item.state is State.OPEN) or event_id.rsplit(":", 3)[0] not in self._records:
            return hits
        said = await self._records.said(event_id, item)
        if not said.there:
            return [*hits, Hit(said="Its topic no longer holds this record, or never did.")]
        if said.taken is None:
            return [*hits, Hit(said="The record holds no such event that can be read.")]
        return hits + await self._taken(said.taken)

    def _listed(self, item: Item) -> Hit:
        if item.state is State.OPEN:
            waits = f"It waits for a person. {to_do(item, unmasked=self._unmasked)}"
        else:
            waits = f"It was put aside, and is {item.state} since."
        return Hit(said="Its item on the worklist", href=self._hrefs.item(item.id, item.kind), note=waits)

    async def _taken(self, taken: Taken) -> list[Hit]:
        match taken:
            case ProcedureEvent():
                return await self._statement(taken)
            case Decision():
                return [Hit(said=" ".join(explain(taken)))]
            case Override() | Opening():
                said = f"A person's word on {taken.service_date}"
                return [Hit(said=said, href=self._hrefs.day(taken.patient, taken.service_date))]
            case Acknowledgement():
                return await self._charge(taken.charge_id)
            case Entry():
                return await self._patient(taken.patient)
            case Routed():
                return [Hit(said="It is a command of a person on the worklist, or on merges.")]
        return []

    async def _statement(self, statement: ProcedureEvent) -> list[Hit]:
        """The day on which the procedure stands, with whomever it is by now."""
        name, patient, note = statement.procedure, statement.patient, ""
        for _ in range(3):
            kept = (await self._kept(patient)).patient
            if kept is None:
                break
            if name in kept.places:
                service_date = kept.places[name]
                on = f"on {service_date}" if service_date else "without a date"
                href = f"{self._hrefs.day(patient, service_date)}#{statement.event_id}"
                if service_date != statement.service_date and statement.service_date and not note:
                    note = f"The procedure was corrected since: this said {statement.service_date}."
                return [Hit(said=f"The procedure {on}", href=href, note=note)]
            if name in kept.gone or name in kept.outdated:
                return [Hit(said="What is known of so old a day was removed.")]
            if name not in kept.away:
                break
            patient = kept.away[name].patient
            note = "The patient was merged into another one: the procedure is with that one now."
        return [Hit(said="The ledger does not know its procedure: it may not have come there yet.")]


def mount(
    site: Site, known: Known, worklist: Worklist, records: Records, hrefs: Hrefs, facilities: Facilities
) -> None:
    """Add ``/find``."""
    authorities = sorted(authority.id for authority in facilities.authorities)

    @site.page("/find", Right.PATIENTS, "find.html")
    async def ask(asked: Asked) -> Shown:
        """The form."""
        return Found(authorities=authorities)

    @site.form("/find", Right.PATIENTS, "find.html")
    async def find(asked: Asked) -> Shown:
        """What was found; a browser goes on to where that is one thing that needs no word."""
        sent = await asked.request.post()
        wanted = sought(str(sent.get("text", "")), str(sent.get("authority", "")), facilities)
        search, said = Search(known, worklist, records, hrefs, unmasked=asked.person.unmasked), ""
        hits: Iterable[Hit] = []
        if wanted is None:
            said = "That names nothing that can be looked for: of a record number the authority is needed."
        else:
            try:
                hits = await search.find(wanted)
                if not hits:
                    by = " by those who answered" if search.missing else ""
                    said = f"No {wanted.by} of this name is known{by}."
            except RecordsError as error:
                said = f"{error}."
        found = Found(authorities=authorities, hits=[*hits], said=said, missing=sorted(search.missing))
        if not wants_json(asked.request) and (only := _only(found)) is not None:
            return web.HTTPSeeOther(only)
        return found


def _only(found: Found) -> str | None:
    """Where a search leads by itself."""
    hits = found.hits or []
    return hits[0].href if len(hits) == 1 and not hits[0].note and not found.missing else None
