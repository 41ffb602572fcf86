"""The stories that are told of a day: several collections, resends, corrections, and what else happens.

What should stand is known from how a story is made; nothing of the rule is used to find it.
"""

from collections.abc import Callable
from datetime import date, timedelta

from models.codes import CATEGORY_III, Service, code_on
from models.procedures import Status, Stream
from streams.story import Story, stamp

YEAR_END = date(2024, 12, 31)
"""The last day of the codes that came before."""
PRODUCT_CODE = "Q2042"
"""HCPCS code of a product: none of the four services."""


def collections(story: Story) -> None:
    """Cells are collected twice and made ready for transport; one message comes twice."""
    for number in range(story.random.randint(2, 4)):
        first = story.say(f"C{number}", Service.COLLECTION, 7 + 2 * number, quantity=number + 1)
    story.again(first)
    story.say("T", Service.TRANSPORT, 17)
    story.expect(Service.COLLECTION)
    story.expect(Service.TRANSPORT)


def bags(story: Story) -> None:
    """The product is received and given in several bags, each an event of its own."""
    story.say("R", Service.RECEIPT, 8)
    for bag in range(story.random.randint(2, 4)):
        story.say(
            f"B{bag}", Service.ADMINISTRATION, 10 + bag, quantity=1, products=[f"W{story.patient:012}-{bag}"]
        )
    story.expect(Service.RECEIPT)
    story.expect(Service.ADMINISTRATION)


def both_streams(story: Story) -> None:
    """The hospital and the physician both report the infusion, where the hospital bills for both."""
    story.say("F", Service.ADMINISTRATION, 11)
    story.expect(Service.ADMINISTRATION)
    if story.hospital.professional:
        story.say("P", Service.ADMINISTRATION, 11, code=None, charge_code=story.hospital.professional)
        story.expect(Service.ADMINISTRATION, stream=Stream.PROFESSIONAL)


def over_midnight(story: Story) -> None:
    """An infusion over midnight belongs to the day it began; one that is written in UTC, to the local day."""
    story.say("M", Service.ADMINISTRATION, 23.5)
    start = story.at(21).replace(tzinfo=story.hospital.zone)
    story.say("U", Service.COLLECTION, 21, performed={"start": stamp(start)})
    story.expect(Service.ADMINISTRATION)
    story.expect(Service.COLLECTION)


def clock_change(story: Story) -> None:
    """At half past two in the morning, an hour that a change of the clocks may skip or repeat."""
    story.say("D", Service.COLLECTION, 2.5)
    story.expect(Service.COLLECTION)


def date_only(story: Story) -> None:
    """The system knows the date only."""
    story.say("N", Service.TRANSPORT, 9, performed={"start": story.day.isoformat()})
    story.expect(Service.TRANSPORT)


def in_progress(story: Story) -> None:
    """Begun, then completed; another one was begun and never completed."""
    story.say("I", Service.ADMINISTRATION, 9, status=Status.IN_PROGRESS, after=0)
    story.say("I", Service.ADMINISTRATION, 9, version=2, after=3)
    story.say("J", Service.COLLECTION, 9, status=Status.IN_PROGRESS)
    story.expect(Service.ADMINISTRATION)


def corrected(story: Story) -> None:
    """An account number is put right, a collection moved to the day before, a transport was a receipt."""
    before = story.day - timedelta(days=1)
    story.say("A", Service.ADMINISTRATION, 9, account_number="A0")
    story.say("A", Service.ADMINISTRATION, 9, version=2, after=5)
    story.say("C", Service.COLLECTION, 10)
    story.say("C", Service.COLLECTION, 10, day=before, version=3, after=28)
    story.say("S", Service.TRANSPORT, 12)
    story.say("S", Service.RECEIPT, 12, version=2, after=6)
    story.expect(Service.ADMINISTRATION)
    story.expect(Service.COLLECTION, before)
    story.expect(Service.RECEIPT)


def withdrawn(story: Story) -> None:
    """Of two collections one is withdrawn, and its first message comes once more; of one transport, all."""
    first = story.say("C1", Service.COLLECTION, 7)
    story.say("C2", Service.COLLECTION, 12)
    story.say("C1", Service.COLLECTION, 7, version=2, status=Status.WITHDRAWN, after=8)
    story.again(first, after=12)
    story.say("T", Service.TRANSPORT, 15)
    story.say("T", Service.TRANSPORT, 15, version=2, status=Status.WITHDRAWN, after=2)
    story.expect(Service.COLLECTION)


def reinstated(story: Story) -> None:
    """Withdrawn by mistake, and stated once more in another encounter."""
    story.say("C", Service.COLLECTION, 8)
    story.say("C", Service.COLLECTION, 8, version=2, status=Status.WITHDRAWN, after=2)
    story.say("C", Service.COLLECTION, 8, version=3, after=4, encounter_number=f"E{story.patient}-2")
    story.expect(Service.COLLECTION)


def not_performed(story: Story) -> None:
    """The infusion was put off."""
    story.say("X", Service.ADMINISTRATION, 9, status=Status.NOT_PERFORMED)


def year_end(story: Story) -> None:
    """Late news of the last year, under the codes of then; and an old code used after its end."""
    old = CATEGORY_III[Service.COLLECTION]
    story.say("O", Service.COLLECTION, 9, day=YEAR_END, code=old, charge_code=None)
    story.expect(Service.COLLECTION, YEAR_END)
    story.say("K", Service.RECEIPT, 9, code=CATEGORY_III[Service.RECEIPT], charge_code=None)
    story.expect(Service.RECEIPT)


def inpatient(story: Story) -> None:
    """A hospital may report the services of an inpatient within the stay or the product."""
    story.say("C", Service.COLLECTION, 9, patient_class="I")
    story.say("A", Service.ADMINISTRATION, 13, patient_class="I")
    story.expect(Service.COLLECTION, inpatient=True)
    story.expect(Service.ADMINISTRATION, inpatient=True)


def not_charged(story: Story) -> None:
    """A test message, a product, and two that a person must look at: nothing is charged."""
    code = code_on(Service.COLLECTION, story.day)
    story.say("T", Service.COLLECTION, 9, processing="T")
    story.say("Q", Service.ADMINISTRATION, 10, code=PRODUCT_CODE, charge_code=None)
    story.say("H", Service.COLLECTION, 11, code=None, charge_code="0000000000")
    patient = {"mrn": str(story.patient), "assigning_authority": "ELSEWHERE"}
    story.say("U", Service.COLLECTION, 12, code=code, charge_code=None, patient=patient)


def poison(story: Story) -> None:
    """What cannot be read: no JSON, another type, a status that is none. One good event between them."""
    sent = story.say("P", Service.TRANSPORT, 9)
    story.expect(Service.TRANSPORT)
    bad = story.say("W", Service.TRANSPORT, 10)
    bad.message["status"] = "PERFORMED, PROBABLY"
    for unreadable in (b"MSH|^~\\&|not|json", b"\xff\xfe\x00", b"[1, 2]"):
        story.sent.append(sent._replace(message={}, poison=unreadable))


Teller = Callable[[Story], None]
STORIES: dict[Teller, float] = {
    collections: 6,
    both_streams: 4,
    bags: 6,
    over_midnight: 2,
    inpatient: 1,
    in_progress: 2,
    corrected: 2,
    withdrawn: 2,
    not_performed: 1,
    reinstated: 1,
    clock_change: 1,
    date_only: 1,
    year_end: 1,
    not_charged: 1,
    poison: 0.2,
}
"""How often each happens, in proportion; in this order each meets a hospital that it says something about."""
