"""The stories that people have a part in: second units, merges, what the former system charged.

As in ``streams.stories`` what should stand is known from how a story is made.
"""

from datetime import UTC, timedelta
from typing import Any

from models.codes import Service
from models.procedures import Stream
from streams.stories import Teller
from streams.story import COMMANDS, Sent, Story, stamp

ELSEWHERE = 1_000_000
"""Numbers of patients that a story knows under a second medical record number begin here."""


def second_unit(story: Story) -> None:
    """Two infusions that the payer allowed on appeal; the permission comes before or after them."""
    story.say("A1", Service.ADMINISTRATION, 8)
    story.say("A2", Service.ADMINISTRATION, 15)
    _command(story, "allow", "allow_unit", 4 + 20 * story.random.random(), **_unit(story))
    story.expect(Service.ADMINISTRATION)
    story.expect(Service.ADMINISTRATION, unit=2)


def taken_back(story: Story) -> None:
    """A second unit is allowed by mistake; taking it back may come first."""
    story.say("A1", Service.ADMINISTRATION, 8)
    story.say("A2", Service.ADMINISTRATION, 15)
    allowed = _command(story, "allow", "allow_unit", 4 + 20 * story.random.random(), **_unit(story))
    later = 4 + 20 * story.random.random()
    _command(story, "back", "take_back_unit", later, allowed_by=allowed, **_unit(story))
    story.expect(Service.ADMINISTRATION)


def charged_before(story: Story) -> None:
    """The former system charged a receipt that comes here, too."""
    story.say("R", Service.RECEIPT, 9)
    _command(
        story, "opening", "opening_balance", 3 + 20 * story.random.random(), **_unit(story, Service.RECEIPT)
    )


def merged(story: Story) -> None:
    """The same person under two numbers: both report a collection, and one of them its transport."""
    other = _other(story)
    story.say("C1", Service.COLLECTION, 8)
    story.say("C2", Service.COLLECTION, 11, patient=_stated(story, other))
    story.say("T", Service.TRANSPORT, 15, patient=_stated(story, other))
    _merge(story, other)
    story.expect(Service.COLLECTION)
    story.expect(Service.TRANSPORT)


def merged_by_mistake(story: Story) -> None:
    """They were two after all: each has a collection of its own. The undoing may come first."""
    other = _other(story)
    story.say("C1", Service.COLLECTION, 8)
    story.say("C2", Service.COLLECTION, 11, patient=_stated(story, other))
    merge = _merge(story, other)
    _command(story, "undo", "undo_merge", 4 + 20 * story.random.random(), merge=merge, **_both(story, other))
    story.expect(Service.COLLECTION)
    story.expect(Service.COLLECTION, patient=other)


def wrong_patient(story: Story) -> None:
    """An infusion was stated of the wrong patient, then of the right one, with a higher version."""
    other = _other(story)
    story.say("A", Service.ADMINISTRATION, 9, patient=_stated(story, other))
    story.say("A", Service.ADMINISTRATION, 9, version=2, after=4)
    story.expect(Service.ADMINISTRATION)


def _other(story: Story) -> int:
    """Number of a patient that no other story knows."""
    return ELSEWHERE * int(f"{story.day:%y%m%d}") + story.patient


def _stated(story: Story, number: int) -> dict[str, str]:
    """That patient as the systems state it."""
    mrn = story.random.choice(story.hospital.mrns).format(number)
    return {"mrn": mrn, "assigning_authority": story.random.choice(story.hospital.authorities)}


def _both(story: Story, other: int) -> dict[str, str]:
    return {"losing": story.hospital.patient(other), "surviving": story.hospital.patient(story.patient)}


def _merge(story: Story, other: int) -> str:
    return _command(story, "merge", "merge", 4 + 20 * story.random.random(), **_both(story, other))


def _unit(story: Story, service: Service = Service.ADMINISTRATION) -> dict[str, str]:
    return {
        "patient": story.hospital.patient(story.patient),
        "stream": Stream.FACILITY.value,
        "service": service.value,
        "service_date": story.day.isoformat(),
    }


def _command(story: Story, name: str, command: str, hour: float, **fields: Any) -> str:
    """A person's command, ``hour`` hours into the day; its id."""
    at = story.at(hour).replace(tzinfo=story.hospital.zone).astimezone(UTC) + timedelta(minutes=1)
    identity = f"{story.name}-{name}"
    said = {"command": command, "id": identity, "user": "desk", "time": stamp(at), "reason": "simulated"}
    story.sent.append(Sent(at, COMMANDS, identity, said | fields))
    return identity


STORIES_OF_PEOPLE: dict[Teller, float] = {
    second_unit: 2,
    taken_back: 1,
    charged_before: 1,
    merged: 2,
    merged_by_mistake: 1,
    wrong_patient: 2,
}
"""How often each happens, in proportion to the others of ``streams.stories``."""
