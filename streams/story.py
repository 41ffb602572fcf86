"""Story: what a hospital's systems say of one patient on one day, and what should stand of it."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from models.codes import Service, code_on
from models.procedures import Status, Stream

LAB, INFUSION, COMMANDS = "lab.procedures", "infusion.procedures", "perdiem.commands"
TOPIC = dict.fromkeys(Service, LAB) | {Service.ADMINISTRATION: INFUSION}


class System(NamedTuple):
    """A system that sends, under the names it gives itself and its facility."""

    applications: tuple[str, ...]
    facilities: tuple[str, ...]


@dataclass(frozen=True)
class Hospital:
    """An example hospital, as its systems spell it."""

    id: str
    systems: dict[str, System]
    """By the topic they send to."""
    authorities: tuple[str, ...]
    """Spellings of the assigning authority; the first is the normal one."""
    mrns: tuple[str, ...]
    """Formats of a medical record number; the first is the normal one."""
    zone: ZoneInfo
    charge_codes: dict[Service, tuple[str, ...]]
    professional: str | None = None
    """Charge code of the physicians' administration, where they bill beside the hospital."""
    unreported: frozenset[Service] = frozenset()
    """Services that have no line of their own."""
    inpatients: bool = True
    """Whether services of inpatients have lines of their own."""

    def patient(self, number: int) -> str:
        return f"{self.authorities[0]}|{self.mrns[0].format(number)}"


class Expected(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """A charge that should stand."""

    patient: str
    stream: Stream
    service: Service
    service_date: date
    code: str
    unit: int = 1


class Sent(NamedTuple):
    """One record for a source topic; ``poison`` are bytes that are no message."""

    at: datetime
    topic: str
    key: str
    message: dict[str, Any]
    poison: bytes | None = None

    def record(self) -> dict[str, Any]:
        """As a line of the file holds it."""
        value = (
            {"value": self.message}
            if self.poison is None
            else {"value_base64": base64.b64encode(self.poison).decode()}
        )
        return {"topic": self.topic, "key": self.key, **value, "headers": {}}


@dataclass
class Story:
    """What the systems of one hospital say of one patient on one day, and what should stand of it."""

    random: Random
    hospital: Hospital
    patient: int
    day: date
    name: str
    """Distinguishes this story's procedures and messages from all others."""
    sent: list[Sent] = field(default_factory=list)
    expected: set[Expected] = field(default_factory=set)

    def at(self, hour: float, day: date | None = None) -> datetime:
        """Local time of the day, without offset."""
        return datetime.combine(day or self.day, time()) + timedelta(hours=hour)

    def say(
        self,
        procedure: str,
        service: Service,
        hour: float,
        *,
        version: int = 1,
        status: Status = Status.PERFORMED,
        day: date | None = None,
        after: float = 0.5,
        **fields: Any,
    ) -> Sent:
        """One statement about a procedure that begins at ``hour``; sent ``after`` so many hours more."""
        start = self.at(hour, day)
        recorded = start.replace(tzinfo=self.hospital.zone).astimezone(UTC) + timedelta(minutes=10 * version)
        at = recorded + timedelta(hours=after)
        system = self.hospital.systems[TOPIC[service]]
        message = {
            "message_id": f"{self.name}-{len(self.sent)}",
            "sent": stamp(at),
            "processing": "P",
            "sending_application": self.random.choice(system.applications),
            "sending_facility": self.random.choice(system.facilities),
            "patient": {
                "mrn": self.random.choice(self.hospital.mrns).format(self.patient),
                "assigning_authority": self.random.choice(self.hospital.authorities),
            },
            "procedure_id": f"{self.name}-{procedure}",
            "version": version,
            "recorded": stamp(recorded),
            "status": status.value,
            "performed": {"start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat()},
            "account_number": f"A{self.patient}",
            "encounter_number": f"E{self.patient}",
            "patient_class": "O",
            "products": [f"W{self.patient:012}"],
            **self.named(service, start.date()),
            **fields,
        }
        if message.get("charge_code") is None:
            message.setdefault("stream", Stream.FACILITY.value)
        message = {name: value for name, value in message.items() if value is not None}
        sent = Sent(at, TOPIC[service], str(message["procedure_id"]), message)
        self.sent.append(sent)
        return sent

    def named(self, service: Service, day: date) -> dict[str, str]:
        """How a message says which service: by the code, by the hospital's own charge code, or by both."""
        code = {"code": code_on(service, day) or ""}
        charge = {"charge_code": self.random.choice(self.hospital.charge_codes[service])}
        return self.random.choice((code, charge, code | charge))

    def again(self, sent: Sent, after: float = 1) -> None:
        """The same statement, sent once more in a message of its own."""
        at = sent.at + timedelta(hours=after)
        message = sent.message | {"message_id": f"{self.name}-{len(self.sent)}", "sent": stamp(at)}
        self.sent.append(sent._replace(at=at, message=message))

    def expect(
        self,
        service: Service,
        day: date | None = None,
        stream: Stream = Stream.FACILITY,
        *,
        inpatient: bool = False,
        unit: int = 1,
        patient: int | None = None,
    ) -> None:
        """A charge of this service should stand, where the hospital has a line for it."""
        if stream is Stream.FACILITY and (
            service in self.hospital.unreported or (inpatient and not self.hospital.inpatients)
        ):
            return
        on = day or self.day
        whose = self.hospital.patient(self.patient if patient is None else patient)
        self.expected.add(Expected(whose, stream, service, on, code_on(service, on) or "", unit))


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
