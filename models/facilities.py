"""Facilities: how each identifies, dates and reports what it does. See docs/facilities.md."""

import hashlib
import re
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import product
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from models.chargemaster import ChargeLine, Chargemaster
from models.codes import Service
from models.procedures import SEPARATOR, Stream, VersionKind


class ProcedureIds(StrEnum):
    """How far a source's procedure ids are unique."""

    UNDECLARED = "undeclared"
    """Nobody has said: its events are held."""
    UNIQUE = "unique"
    """Within the source: the same id is the same procedure, always."""
    WITHIN_MESSAGE = "within_message"
    """Only within the message, so the message id is joined to them: no later message can correct them."""


class PreInfusion(StrEnum):
    """How facility billing reports collection, transport and receipt. Either way, never both."""

    SEPARATE = "separate"
    IN_PRODUCT = "in_product"
    IN_PRODUCT_FOR_INPATIENTS = "in_product_for_inpatients"


class Inpatient(StrEnum):
    """Whether facility billing reports the services of inpatients."""

    REPORTED = "reported"
    NOT_REPORTED = "not_reported"


class Survivor(StrEnum):
    """Which of several procedures of one day a free unit goes to."""

    START = "start"
    """The one that started first."""
    CHARGE_CODE = "charge_code"
    """The one whose charge code the facility lists first, then the one that started first."""


class DatedBy(StrEnum):
    """The end of the service whose calendar date is the service date."""

    START = "start"
    END = "end"


def normal_revenue_code(code: str) -> str:
    """Four digits: ``874`` becomes ``0874``. Raises ValueError unless there are three or four."""
    if not re.fullmatch(r"[0-9]{3,4}", code):
        raise ValueError("a text of 3 or 4 digits")
    return code.zfill(4)


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a name that is none, a folder of names, an unknown name
        raise ValueError("the IANA name of a time zone, such as America/New_York") from None
    return name


def _part_of_key(text: str) -> str:
    if SEPARATOR in text:
        raise ValueError(f"a text without {SEPARATOR!r}")
    return text


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_part_of_key)]
RevenueCode = Annotated[str, AfterValidator(normal_revenue_code)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
UpperCase = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True)]


def _some(items: tuple[Any, ...]) -> tuple[Any, ...]:
    if not items:
        raise ValueError("at least one")
    return items


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Authority(_Entry):
    """An assigning authority of medical record numbers, and how its numbers are made comparable."""

    id: Name
    aliases: tuple[Name, ...] = ()
    uppercase: bool = False
    strip_leading_zeros: bool = False
    pad_to: int = Field(0, ge=0, le=64)
    """Zeros are put before shorter numbers up to this length."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.id, *self.aliases)

    def normal_mrn(self, mrn: str) -> str:
        """The number in its one spelling; empty if nothing is left of it."""
        mrn = mrn.strip()
        if self.uppercase:
            mrn = mrn.upper()
        if self.strip_leading_zeros:
            mrn = mrn.lstrip("0")
        return mrn.zfill(self.pad_to) if mrn else mrn


class Source(_Entry):
    """A system that sends procedure events for a facility."""

    id: Name
    sending_applications: Annotated[tuple[Name, ...], AfterValidator(_some)]
    sending_facilities: tuple[Name, ...] = ()
    """None: the facility's id and aliases."""
    default_stream: Stream | None = None
    default_authority: Name | None = None
    """Of patients stated without an assigning authority; None: such events are held."""
    version: VersionKind
    procedure_ids: ProcedureIds = ProcedureIds.UNDECLARED
    utc_midnight_is_date: bool = False
    """The system writes a date without time as midnight UTC."""


class Settings(_Entry):
    """What time may change at a facility."""

    streams: Annotated[tuple[Stream, ...], AfterValidator(_some)] = (Stream.FACILITY,)
    pre_infusion: PreInfusion = PreInfusion.SEPARATE
    inpatient: Inpatient = Inpatient.REPORTED
    inpatient_classes: tuple[UpperCase, ...] = ("I", "IMP", "ACUTE", "NONAC")
    """HL7 table 0004 and FHIR's encounter classes."""
    survivor: Survivor = Survivor.START
    service_date: DatedBy = DatedBy.START
    revenue_codes: dict[Service, RevenueCode] = {}
    charges: tuple[ChargeLine, ...] = ()

    @cached_property
    def chargemaster(self) -> Chargemaster:
        return Chargemaster(self.charges)


class Period(Settings):
    """Dates on which a facility's settings hold, and what differs on them from the facility's own.

    Revenue codes and charges add to the facility's own, and hold where both say something.
    """

    starts: date = Field(alias="from")
    to: date | None = None
    """Last day; None: until the next period, or for ever."""


class Dated(NamedTuple):
    first: date
    last: date
    settings: Settings


class Facility(Settings):
    """A facility: its own settings, and the periods that change them. Without periods they always hold."""

    id: Name
    name: str | None = None
    aliases: tuple[Name, ...] = ()
    time_zone: TimeZone
    sources: tuple[Source, ...] = ()
    reports_from: date | None = None
    """Go-live: earlier service dates are held."""
    lateness_days: int | None = Field(None, ge=0)
    """An event received more days after its service date is marked late."""
    filing_limit_months: int = Field(12, ge=1, le=120)
    hold_on_claim: bool = True
    """What would credit a charge that billing put on a claim waits for a person."""
    periods: tuple[Period, ...] = ()

    def senders(self, source: Source) -> list[tuple[str, str]]:
        """The pairs (sending application, sending facility) that name the source."""
        return list(product(source.sending_applications, source.sending_facilities or self.names))

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.id, *self.aliases)

    @cached_property
    def dated(self) -> tuple[Dated, ...]:
        """Settings in force, by date; ``facilities_file.parse`` refuses overlaps."""
        if not self.periods:
            return (Dated(date.min, date.max, self),)
        periods = sorted(self.periods, key=lambda period: period.starts)
        ends = [date.fromordinal(after.starts.toordinal() - 1) for after in periods[1:]] + [date.max]
        return tuple(
            Dated(period.starts, period.to or end, self._in(period))
            for period, end in zip(periods, ends, strict=True)
        )

    def on(self, day: date) -> Settings | None:
        """The settings of a service date; None if no period covers it."""
        for first, last, settings in self.dated:
            if first <= day <= last:
                return settings
        return None

    def _in(self, period: Period) -> Settings:
        stated = {
            name: getattr(period, name) for name in period.model_fields_set & Settings.model_fields.keys()
        }
        own = {name: getattr(self, name) for name in Settings.model_fields}
        merged = {
            "revenue_codes": self.revenue_codes | period.revenue_codes,
            "charges": period.charges + self.charges,
        }
        return Settings.model_construct(**(own | stated | merged))


class Facilities(_Entry):
    """All facilities of an installation, and who is who under any spelling."""

    authorities: Annotated[tuple[Authority, ...], AfterValidator(_some)]
    facilities: Annotated[tuple[Facility, ...], AfterValidator(_some)]

    def facility(self, name: str) -> Facility | None:
        """The facility of this id or alias."""
        return self._facilities.get(name)

    def authority(self, name: str) -> Authority | None:
        """The assigning authority of this id or alias."""
        return self._authorities.get(name)

    def source(self, application: str, facility: str) -> tuple[Source, Facility] | None:
        """The source that sends as this application for this facility, and whose source it is."""
        return self._sources.get((application, facility))

    def patient(self, stated: str) -> str | None:
        """``AUTHORITY|MRN`` in its one spelling; None if the authority is not known or the number none."""
        name, separator, mrn = stated.partition(SEPARATOR)
        authority = self.authority(name.strip())
        number = authority.normal_mrn(mrn) if authority and separator else ""
        if authority is None or not number or SEPARATOR in number:
            return None
        return f"{authority.id}{SEPARATOR}{number}"

    def digest(self, source: Source | None, facility: Facility | None, authority: Authority | None) -> str:
        """Short digest of all that the file says of these: 12 hex digits."""
        entries = (source, facility, authority)
        key = tuple(entry.id if entry else None for entry in entries)
        if key not in self._digests:
            content = "\n".join(entry.model_dump_json() if entry else "" for entry in entries)
            self._digests[key] = hashlib.sha256(content.encode()).hexdigest()[:12]
        return self._digests[key]

    @cached_property
    def _facilities(self) -> dict[str, Facility]:
        return {name: facility for facility in self.facilities for name in facility.names}

    @cached_property
    def _authorities(self) -> dict[str, Authority]:
        return {name: authority for authority in self.authorities for name in authority.names}

    @cached_property
    def _sources(self) -> dict[tuple[str, str], tuple[Source, Facility]]:
        return {
            pair: (source, facility)
            for facility in self.facilities
            for source in facility.sources
            for pair in facility.senders(source)
        }

    @cached_property
    def _digests(self) -> dict[tuple[str | None, ...], str]:
        return {}
