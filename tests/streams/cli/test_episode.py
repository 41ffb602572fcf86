"""`perdiem episode` tells a course by date, and names no patient unless asked to."""

from datetime import date, timedelta

import msgspec

from models.billing import Decision, Outcome, Reason
from models.codes import Service
from models.episode import episodes, steps_of
from streams.cli.episode import lines, told
from streams.episode import Told
from tests.models.ledger import Ledger
from tests.models.said import MONDAY, PATIENT, said

HELD = Decision(
    event_id="infusion.procedures:0:7:0",
    sequence=1,
    cause="infusion.procedures:0:7:0",
    outcome=Outcome.HELD,
    reason=Reason.NO_STREAM,
    field="stream",
    detail="facility or professional",
    service=Service.RECEIPT,
    patient=PATIENT,
)


def made(*, merged: bool = False) -> Told:
    ledger = Ledger().apply_all(
        [
            said("A", product_ids=("W1",)),
            said("B", product_ids=("W1",)),
            said(
                "C",
                service=Service.ADMINISTRATION,
                service_date=MONDAY + timedelta(days=30),
                product_ids=("W1", "COI"),
            ),
            said("D", service=Service.ADMINISTRATION, service_date=MONDAY + timedelta(days=40)),
        ]
    )
    found = episodes(steps_of(ledger.days.values()), [HELD], date(2026, 1, 1), 30)
    return Told(PATIENT, merged, found, [HELD])


def test_a_course_is_told_by_date_with_charges_or_why_not() -> None:
    """Then what is missing, what to look at, and what waits for a person."""
    charges = [step.charge.id for step in made().episodes[0].steps if step.charge]
    assert [*lines(made())] == [
        "Episode 1: 2025-03-10 to 2025-04-19, products COI, W1",
        "  (not all of it shares a product: some was put here by its date)",
        "  2025-03-10  collection of cells, 38225, at north, facility billing",
        "     procedure A of lab, product W1",
        f"     charge {charges[0]} stands",
        "     It was the first of its service on that day that came in.",
        "  2025-03-10  collection of cells, 38225, at north, facility billing",
        "     procedure B of lab, product W1",
        "     Not charged: the service is already reported for this patient and day.",
        "     What is charged is procedure A of lab.",
        "  2025-04-09  administration, 38228, at north, facility billing",
        "     procedure C of lab, product W1, COI",
        f"     charge {charges[1]} stands",
        "     It was the first of its service on that day that came in.",
        "  2025-04-19  administration, 38228, at north, facility billing",
        "     procedure D of lab",
        f"     charge {charges[2]} stands",
        "     It was the first of its service on that day that came in.",
        "  missing: receipt and preparation (administration was on 2025-04-19);"
        " held: infusion.procedures:0:7:0",
        "  missing: preparation for transport (collection of cells was on 2025-03-10)",
        "  warning: Nothing was known of the receipt of the product that was given."
        " (administration on 2025-04-09, product COI, W1)",
        "",
        "1 event of the patient held or among the dead letters:",
        "  infusion.procedures:0:7:0: receipt and preparation",
        "     Held: a person must look at it.",
        "     Nothing says whether it is facility or professional billing.",
        "     stream: expected facility or professional.",
    ]


def test_no_patient_is_named_unless_asked_for() -> None:
    """Neither to a person nor to a program, nor that of the merge."""
    _, number = PATIENT.split("|")
    for merged in (False, True):
        for text in ("\n".join(lines(made(merged=merged))), str(told(made(merged=merged)))):
            assert number not in text
        assert PATIENT in next(lines(made(merged=merged), True))
        assert told(made(merged=merged), True)["patient"] == PATIENT
    assert next(lines(made(merged=True))) == "The patient was merged into another, whose episodes these are."


def test_programs_get_one_json_object() -> None:
    """Every date, product and id as such."""
    read = msgspec.json.decode(msgspec.json.encode(told(made())))
    [course] = read["episodes"]
    assert (course["begins"], course["ends"], course["products"]) == (
        "2025-03-10",
        "2025-04-19",
        ["COI", "W1"],
    )
    assert [step["outcome"] for step in course["steps"]] == [
        "reported",
        "already_reported",
        "reported",
        "reported",
    ]
    assert course["steps"][1]["charge_id"] is None
    assert course["steps"][1]["covered_by"]["procedure_id"] == "A"
    assert [each["service"] for each in course["missing"]] == ["receipt", "transport"]
    assert course["missing"][0]["waiting"] == ["infusion.procedures:0:7:0"]
    assert [each["warning"] for each in course["notices"]] == ["no_receipt"]
    assert read["waiting"] == [
        {"event_id": "infusion.procedures:0:7:0", "outcome": "held", "reason": "no_stream"}
    ]
