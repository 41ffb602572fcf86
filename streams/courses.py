"""Course: what is said of one patient's therapy, from the collection of cells to the last bag given.

As in a day's stories, what should stand is known from how the course is made; nothing of the rule is used.
"""

from datetime import timedelta
from typing import Any

from models.codes import Service
from models.procedures import Status, Stream
from streams.story import Story

EVENTS = 30
"""Of one course: several collections and bags, corrections, withdrawals, and the rest is sent again."""
MANUFACTURED = (18, 40)
"""Days from the collection of cells to the receipt of the product, at least and at most."""
SENT_AGAIN = 240.0
"""Hours after which a statement is sent again, at most."""
INPATIENTS = 0.25


def course(story: Story) -> None:
    """Collection on one to three days, transport, receipt of the product weeks later, and administration."""
    collected = story.random.randint(1, 3)
    for number in range(collected):
        _collect(story, number)
    shipped = collected - story.random.randint(0, 1)
    received = shipped + story.random.randint(*MANUFACTURED)
    _handle(story, shipped, received)
    _administer(story, received + story.random.randint(0, 3))
    while len(story.sent) < EVENTS:
        story.again(story.random.choice(story.sent), after=story.random.random() * SENT_AGAIN)


def _collect(story: Story, number: int) -> None:
    day = story.day + timedelta(days=number)
    story.say(f"C{number}", Service.COLLECTION, 8, status=Status.IN_PROGRESS, day=day, after=0)
    if number == 0 and story.random.random() < 0.2:
        # It was written down for the day before, and put right.
        story.say("C0", Service.COLLECTION, 8, version=2, day=day - timedelta(days=1), after=30)
        story.say("C0", Service.COLLECTION, 8, version=3, day=day, after=8)
    else:
        story.say(f"C{number}", Service.COLLECTION, 8, version=2, day=day, after=4)
    story.expect(Service.COLLECTION, day)
    if story.random.random() < 0.3:
        story.say(f"D{number}", Service.COLLECTION, 13, day=day)


def _handle(story: Story, shipped: int, received: int) -> None:
    """The cells go out, the product comes in; of two reports of transport one is withdrawn."""
    out, back = (story.day + timedelta(days=days) for days in (shipped, received))
    story.say("T", Service.TRANSPORT, 17, day=out)
    story.expect(Service.TRANSPORT, out)
    if story.random.random() < 0.2:
        wrong = out + timedelta(days=2)
        story.say("U", Service.TRANSPORT, 9, day=wrong)
        story.say("U", Service.TRANSPORT, 9, version=2, status=Status.WITHDRAWN, day=wrong, after=20)
    for bag in range(story.random.randint(1, 3)):
        story.say(f"R{bag}", Service.RECEIPT, 8 + bag, day=back, products=[f"W{story.patient:012}-{bag}"])
    story.expect(Service.RECEIPT, back)


def _administer(story: Story, days: int) -> None:
    """Bag after bag, begun and then completed; the account is put right, and one bag was never given."""
    day = story.day + timedelta(days=days)
    inpatient = story.random.random() < INPATIENTS
    where: dict[str, Any] = {"day": day, "patient_class": "I" if inpatient else "O"}
    for bag in range(story.random.randint(2, 4)):
        of = {**where, "products": [f"W{story.patient:012}-{bag}"]}
        story.say(f"B{bag}", Service.ADMINISTRATION, 10 + bag, status=Status.IN_PROGRESS, after=0, **of)
        story.say(f"B{bag}", Service.ADMINISTRATION, 10 + bag, version=2, after=2, **of)
    if story.random.random() < 0.3:
        corrected = {**of, "account_number": f"A{story.patient}-2"}
        story.say(f"B{bag}", Service.ADMINISTRATION, 10 + bag, version=3, after=50, **corrected)
    story.say("N", Service.ADMINISTRATION, 16, status=Status.NOT_PERFORMED, **where)
    story.expect(Service.ADMINISTRATION, day, inpatient=inpatient)
    if story.hospital.professional:
        story.say(
            "P", Service.ADMINISTRATION, 10, code=None, charge_code=story.hospital.professional, **where
        )
        story.expect(Service.ADMINISTRATION, day, Stream.PROFESSIONAL)
