"""The course of a therapy is told from what a real worker wrote."""

import json
from datetime import date
from typing import Any

import pytest

from models.billing import Decision, Outcome, encode_decision
from models.codes import Service
from models.entries import Survivor, encode_entry
from streams.cli.episode import lines
from streams.episode import EpisodeError, Told, of_patient
from streams.facilities import read_facilities
from streams.partitioning import partition_of
from streams.settings import Settings
from tests.integration.command import command
from tests.integration.live import Live, said
from tests.integration.pipeline import EXAMPLES
from tests.kafka import Sent, produce

pytestmark = pytest.mark.integration

FACILITIES = read_facilities(EXAMPLES / "facilities.toml")
COURSE = (
    ("38225", 10, ("W1",)),
    ("38226", 10, ("W1",)),
    ("38227", 20, ("W1", "COI")),
    ("38228", 21, ("COI",)),
)


def step(mrn: str, code: str, day: int, products: tuple[str, ...], **more: Any) -> bytes:
    return said(
        f"{mrn}-{code}-{day}",
        patient={"mrn": mrn, "assigning_authority": "LAKE"},
        code=code,
        performed={"start": f"2025-03-{day}T09:00:00"},
        products=products,
        **more,
    )


async def told(settings: Settings, patient: str) -> Told:
    return await of_patient(settings, patient, FACILITIES, today=date(2025, 3, 22), patience=30)


async def test_a_course_that_came_in_any_order_is_one_episode(live: Live) -> None:
    """With the charges that stand; a patient whose number begins the same has one of its own."""
    # In the same partition, too.
    there = partition_of(b"LAKE|500", live.settings.partitions)
    longer = next(
        f"500{more}"
        for more in range(100)
        if partition_of(f"LAKE|500{more}".encode(), live.settings.partitions) == there
    )
    await live.take([step("500", *each) for each in reversed(COURSE)] + [step(longer, *COURSE[3])])
    found = await told(live.settings, "Lakeside|00500")
    [course] = found.episodes
    assert (found.patient, found.merged, found.waiting) == ("LAKE|500", False, [])
    assert [each.service for each in course.steps] == [*Service]
    assert (course.products, course.by_time, course.missing) == (("COI", "W1"), False, ())
    charged = {event.id for event in await live.billing_events() if event.patient == "LAKE|500"}
    assert {each.charge.id for each in course.steps if each.charge} == charged
    assert len(charged) == 4

    [other] = (await told(live.settings, f"LAKE|{longer}")).episodes
    assert [(each.service, each.given) for each in other.missing] == [
        (Service.RECEIPT, Service.ADMINISTRATION)
    ]


async def test_the_state_after_a_correction_is_told(live: Live) -> None:
    """Of a day that was left nothing remains."""
    await live.take([step("510", *COURSE[0]), step("510", "38226", 10, ("W1",))])
    await live.take(
        [
            said(
                "510-38225-10",
                patient={"mrn": "510", "assigning_authority": "LAKE"},
                version=2,
                performed={"start": "2025-03-12T09:00:00"},
                products=["W1"],
            )
        ]
    )
    [course] = (await told(live.settings, "LAKE|510")).episodes
    assert [(each.service, each.on.day) for each in course.steps] == [
        (Service.TRANSPORT, 10),
        (Service.COLLECTION, 12),
    ]


async def test_a_merged_patients_course_is_the_survivors(live: Live) -> None:
    """Collected under one number, given under another: one course, whichever is asked for."""
    await live.take([step("520", *each) for each in COURSE[:2]] + [step("521", *each) for each in COURSE[2:]])
    merge = Survivor(patient="LAKE|520", event_id="perdiem.commands:0:0:0", survivor="LAKE|521", at=1)
    key = b"LAKE|520"
    place = partition_of(key, live.settings.partitions)
    await produce(
        live.settings, [Sent(live.topics.procedures.name, encode_entry(merge), key, partition=place)]
    )
    await live.processed()
    asked, survivor = [await told(live.settings, name) for name in ("LAKE|520", "LAKE|521")]
    assert (asked.patient, asked.merged, survivor.merged) == ("LAKE|521", True, False)
    assert asked.episodes == survivor.episodes
    [course] = asked.episodes
    assert [each.service for each in course.steps] == [*Service]
    assert {each.charge.patient for each in course.steps if each.charge} == {"LAKE|521"}
    text = "\n".join(lines(asked))
    assert "LAKE|" not in text
    assert "merged into another" in text


async def test_the_command_shows_no_patient_unless_asked_to(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a person and for a program, in any spelling; what is not known is an error that repeats nothing."""
    await live.take([step("540123", *COURSE[3])])
    asked = ("episode", "--patient", "Lakeside|0540123")
    code, out = await command(monkeypatch, live.settings, *asked)
    assert code == 0
    assert out.splitlines()[0] == "Episode 1: 2025-03-21 to 2025-03-21, products COI"
    assert "missing: receipt and preparation (administration was on 2025-03-21)" in out
    code, as_json = await command(monkeypatch, live.settings, *asked, "--json")
    assert (code, json.loads(as_json)["merged"]) == (0, False)
    # Of a procedure the id is the source's own, and here it begins with the number.
    for text in (out, as_json):
        assert "540123" not in text.replace("540123-38228-21", "")
    code, out = await command(monkeypatch, live.settings, *asked, "--show-patients")
    assert out.splitlines()[0] == "Patient LAKE|540123"
    assert await command(monkeypatch, live.settings, "episode", "--patient", "LAKE|1") == (2, "")


async def test_what_is_missing_may_be_held(live: Live) -> None:
    """The receipt waits for a person; once it does no longer, under whatever patient, it is not told."""
    [held] = (await live.take([step("530", *COURSE[3]), step("530", "38227", 20, (), version=None)]))[1:]
    found = await told(live.settings, "LAKE|530")
    [course] = found.episodes
    assert [made.event_id for made in found.waiting] == [held]
    assert [(each.service, each.waiting) for each in course.missing] == [(Service.RECEIPT, (held,))]

    taken_in = Decision(event_id=held, sequence=2, cause="c", outcome=Outcome.REPORTED, patient="LAKE|531")
    await produce(live.settings, [Sent(live.topics.decisions.name, encode_decision(taken_in), b"LAKE|531")])
    found = await told(live.settings, "LAKE|530")
    assert found.waiting == []
    assert [each.waiting for each in found.episodes[0].missing] == [()]


async def test_nothing_is_repeated_of_a_patient_that_is_not_known(live: Live) -> None:
    """Neither of one that is not known nor of one that is written wrongly."""
    for patient in ("LAKE|4711", "4711"):
        with pytest.raises(EpisodeError) as error:
            await told(live.settings, patient)
        assert "4711" not in str(error.value)
    with pytest.raises(EpisodeError, match=r"Expected .* PERDIEM_FACILITIES"):
        await of_patient(live.settings, "LAKE|4711", today=date(2025, 3, 22), patience=30)
