"""Patient: all days of one, the newest first."""

from collections.abc import Iterator
from datetime import date

import msgspec

from models.entries import Survivor
from streams.views.hrefs import Hrefs
from streams.views.known import Kept, Known
from streams.views.masking import Mask, mask_of
from streams.views.rights import Right
from streams.views.sheet import Verdict, sheet
from streams.views.site import Asked, Shown, Site
from streams.views.workers import Missing


class Notice(msgspec.Struct, frozen=True):
    """What must be known beside, and where more of it is."""

    said: str
    href: str | None = None


class Service(msgspec.Struct, frozen=True):
    """One service of a day, of which something is known."""

    service: str | None
    stream: str | None
    verdict: Verdict


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One day in short."""

    service_date: date | None
    href: str
    services: list[Service]


class PatientPage(msgspec.Struct, frozen=True, kw_only=True):
    """A patient. ``patient`` is masked for whoever may not see it."""

    patient: str
    episodes: str
    notices: list[Notice]
    days: list[Day]
    missing: list[Missing]


def notices(name: str, kept: Kept, hrefs: Hrefs) -> Iterator[Notice]:
    """Whose charges these are besides, and what waits or is gone."""
    patient = kept.patient
    if patient is None:
        return
    if patient.survivor is not None:
        said = "This patient was merged into another one, who has its procedures now."
        yield Notice(said, hrefs.patient(patient.survivor))
    for other in sorted({away.patient for away in patient.away.values()} - {patient.survivor, name}):
        yield Notice("Procedures stated of this patient are with another one.", hrefs.patient(other))
    stated = {procedure.holder.stated_patient for day in kept.days for procedure in day.procedures.values()}
    for other in sorted(stated - {name}):
        yield Notice("Another patient was merged into this one: see the former.", hrefs.patient(other))
    for item, entry in patient.parked.items():
        if isinstance(entry, Survivor):
            said = "A merge waits for a person: it would credit a charge that is on a claim."
            yield Notice(said, hrefs.item(item))
    if patient.expired_before is not None:
        yield Notice(f"What is known of days before {patient.expired_before} was removed.")


def mount(site: Site, known: Known, hrefs: Hrefs) -> None:
    """Add ``/patients/{patient}``."""

    @site.page("/patients/{patient}", Right.PATIENTS, "patient.html")
    async def patient(asked: Asked) -> Shown:
        """All days of a patient."""
        name = hrefs.patient_of(asked.names["patient"])
        mask = await mask_of(asked, asked.names["patient"])
        kept, missing = await known.patient(name)
        return PatientPage(
            patient=mask.patient(name),
            episodes=hrefs.episodes(name),
            notices=[*notices(name, kept, hrefs)],
            days=[*_days(name, kept, hrefs, mask)],
            missing=missing,
        )


def _days(name: str, kept: Kept, hrefs: Hrefs, mask: Mask) -> Iterator[Day]:
    for day in sorted(kept.days, key=lambda day: day.service_date or date.min, reverse=True):
        assert kept.patient is not None
        lines = sheet(day, kept.patient, mask, hrefs).lines
        services = [
            Service(line.service, line.stream, line.verdict)
            for line in lines
            if line.procedures or line.taken_back or line.allowances
        ]
        if services:
            yield Day(
                service_date=day.service_date, href=hrefs.day(name, day.service_date), services=services
            )
