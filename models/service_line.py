"""ServiceLine: which service a message states, where and when, and how the facility reports it."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from models.billing import Reason, Warning  # noqa: A004 - the design's word
from models.chargemaster import Charge
from models.codes import REVENUE_CODES, SERVICE_OF_CODE, Service, code_on
from models.content import UNDATED
from models.dates import day_of, local, months_after, utc_text
from models.facilities import (
    DatedBy,
    Facilities,
    Facility,
    Inpatient,
    PreInfusion,
    Settings,
    Source,
    Survivor,
    normal_revenue_code,
)
from models.messages import Performed, ProcedureMessage
from models.procedures import Reporting, Stream

HCPCS = re.compile(r"[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}")
"""Shape of a CPT or HCPCS code."""
UNKNOWN_LAST = "~"
"""Sorts after every digit."""


class Problem(NamedTuple):
    """What could not be resolved: why, which field, and what was expected there. Never a value."""

    reason: Reason
    field: str | None = None
    expected: str | None = None


class ServiceLine(msgspec.Struct):
    """What resolved; ``problems`` says what did not, the first cause first."""

    facility: Facility | None
    settings: Settings | None = None
    """The facility's, on the service date."""
    service_date: date | None = None
    performed_start: datetime | None = None
    performed_end: datetime | None = None
    service: Service | None = None
    code: str | None = None
    stated_code: str | None = None
    stream: Stream | None = None
    reporting: Reporting = Reporting.SEPARATE
    revenue_code: str | None = None
    survivor: tuple[str, ...] = ()
    filing_limit: date | None = None
    warnings: list[Warning] = []
    problems: list[Problem] = []

    def problem(self, reason: Reason, field: str, expected: str) -> None:
        self.problems.append(Problem(reason, field, expected))


def service_line(
    message: ProcedureMessage,
    facilities: Facilities,
    source: Source | None,
    home: Facility | None,
    received: int,
) -> ServiceLine:
    """Resolve what a message states. ``home`` is the source's facility, where the message names no other."""
    line = ServiceLine(facilities.facility(message.facility) if message.facility else home)
    if line.facility is None:
        line.problem(Reason.UNKNOWN_FACILITY, "facility", "a facility of the facilities file, by id or alias")
    else:
        _date(line, line.facility, message.performed or UNDATED, source)
    charge = None
    if line.settings is not None:
        charge = line.settings.chargemaster.find(message.charge_code, message.description)
    if not _classify(line, message, charge):
        line.reporting = Reporting.NOT_OURS
    elif line.service is not None and line.settings is not None:
        _report(line, line.service, line.settings, message, charge, source)
    if line.facility is not None and line.service_date is not None:
        line.filing_limit = months_after(line.service_date, line.facility.filing_limit_months)
        received_on = day_of(received, line.facility.zone)
        if received_on is not None:
            line.warnings += _timing(line.service_date, line.filing_limit, received_on, line.facility)
    return line


def _date(line: ServiceLine, facility: Facility, performed: Performed, source: Source | None) -> None:
    """The service date, and the settings in force on it."""
    bare = source is not None and source.utc_midnight_is_date
    start = local(performed.start, facility.zone, utc_midnight_is_date=bare)
    end = local(performed.end, facility.zone, utc_midnight_is_date=bare)
    line.performed_start, line.performed_end = start.time, end.time
    day = start.day or end.day
    settings = facility.on(day) if day else None
    if settings is not None:
        day = (end.day or start.day) if settings.service_date is DatedBy.END else start.day
        settings = facility.on(day) if day else None
    line.service_date, line.settings = day, settings
    if day is None:
        line.problem(Reason.NO_SERVICE_DATE, "performed.start", "the date or time when the service began")
    elif settings is None:
        line.problem(Reason.OUTSIDE_SETTINGS, "performed.start", "a date that the facility's periods cover")
    elif facility.reports_from and day < facility.reports_from:
        line.problem(
            Reason.BEFORE_GO_LIVE,
            "performed.start",
            f"a service date from {facility.reports_from}, the go-live",
        )


def _classify(line: ServiceLine, message: ProcedureMessage, charge: Charge | None) -> bool:
    """Which of the four services it is; False if it is none of them.

    The code stated tells, else the charge code, else the text. A charge code that tells otherwise than the
    code is a conflict; a text is too weak to be one.
    """
    stated = (message.code or "").upper()
    service = SERVICE_OF_CODE.get(stated)
    coded = service is not None or HCPCS.fullmatch(stated) is not None
    if coded and charge is not None and charge.by_code and charge.service is not service:
        line.problem(
            Reason.CONFLICTING_CODES, "charge_code", "a charge code of the service that the code names"
        )
        return True
    if not coded:
        if charge is None:
            line.problem(
                Reason.UNMAPPED_CODE,
                "code" if message.code or not message.charge_code else "charge_code",
                "a CPT code, or a charge code or text that the facility's charges map",
            )
            return True
        service = charge.service
    if service is None:
        return False
    line.service = service
    if line.service_date is not None:
        line.code = code_on(service, line.service_date)
        if line.code is None:
            line.problem(
                Reason.NO_CODE_ON_DATE, "performed.start", "a date on which a code for the service exists"
            )
        elif stated and stated != line.code:
            line.stated_code = stated
            if coded:
                line.warnings.append(Warning.CODE_MAPPED)
    return True


def _report(
    line: ServiceLine,
    service: Service,
    settings: Settings,
    message: ProcedureMessage,
    charge: Charge | None,
    source: Source | None,
) -> None:
    """Stream, revenue code, whether on a line of its own, and whom a free unit goes to."""
    mapped = charge.stream if charge is not None and charge.service is service else None
    line.stream = message.stream or mapped or (source.default_stream if source else None)
    if line.stream is None:
        line.problem(Reason.NO_STREAM, "stream", "facility or professional")
    else:
        line.reporting = _reporting(service, line.stream, settings, message.patient_class)
    try:
        line.revenue_code = (
            normal_revenue_code(message.revenue_code)
            if message.revenue_code
            else settings.revenue_codes.get(service, REVENUE_CODES[service])
        )
    except ValueError:
        line.problem(Reason.BAD_REVENUE_CODE, "revenue_code", "3 or 4 digits")
    start = utc_text(line.performed_start) if line.performed_start else UNKNOWN_LAST
    if settings.survivor is Survivor.CHARGE_CODE:
        listed = charge is not None and charge.rank is not None
        line.survivor = (f"{charge.rank:06d}" if charge is not None and listed else UNKNOWN_LAST, start)
    else:
        line.survivor = (start,)


def _reporting(service: Service, stream: Stream, settings: Settings, patient_class: str | None) -> Reporting:
    """Product and inpatient reporting are the hospital's: a physician's service is reported either way."""
    if stream not in settings.streams:
        return Reporting.NOT_OURS
    if stream is Stream.PROFESSIONAL:
        return Reporting.SEPARATE
    inpatient = (patient_class or "").upper() in settings.inpatient_classes
    if inpatient and settings.inpatient is Inpatient.NOT_REPORTED:
        return Reporting.INPATIENT
    if service is not Service.ADMINISTRATION and (
        settings.pre_infusion is PreInfusion.IN_PRODUCT
        or (inpatient and settings.pre_infusion is PreInfusion.IN_PRODUCT_FOR_INPATIENTS)
    ):
        return Reporting.IN_PRODUCT
    return Reporting.SEPARATE


def _timing(
    service_date: date, filing_limit: date, received_on: date, facility: Facility
) -> Iterator[Warning]:
    if service_date > received_on:
        yield Warning.FUTURE_SERVICE_DATE
    age = (received_on - service_date).days
    if facility.lateness_days is not None and age > facility.lateness_days:
        yield Warning.LATE
    if received_on > filing_limit:
        yield Warning.PAST_FILING_LIMIT
