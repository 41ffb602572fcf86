"""Identity: one procedure or one product under two patients."""

from datetime import date

import msgspec
import pytest
from msgspec.structs import replace

from models.identity import Top, Tops, decode_tops, encode_tops, identify, share
from models.news import Product, Stated, decode_news, encode_news, news_key
from models.worklist import Kind

ADA, BEN, CAL = "UH|1", "UH|2", "UH|3"


def stated(patient: str, version: int, at: int = 1, *, unique: bool = True) -> Stated:
    return Stated(
        source="lab",
        procedure_id="A",
        patient=patient,
        order=(f"{version:020}", 1, "d"),
        at=at,
        unique=unique,
        event_id=f"lab.procedures:0:{version}:0",
        facility="north",
    )


def heard(*news: Stated) -> Tops:
    tops: Tops = {}
    for at, each in enumerate(news, start=1):
        tops = identify(tops, each, at).tops
    return tops


def test_a_procedure_of_one_patient_is_nobodys_news() -> None:
    """Nothing is told, and nothing is alerted, however often its highest statement changes."""
    tops: Tops = {}
    for version in (1, 2, 3):
        tops, moved, alerts = identify(tops, stated(ADA, version, at=version), at=version)
        assert (moved, alerts) == ([], [])
    assert [*tops] == [ADA]


def test_the_patient_with_a_lower_statement_is_told_that_it_moved() -> None:
    """It is named with its own procedure; who has the highest is told nothing."""
    _, [moved], _ = identify(heard(stated(ADA, 1)), higher := stated(BEN, 2), at=7)
    assert (moved.patient, moved.procedure, moved.away, moved.at, moved.event_id) == (
        ADA,
        f"lab|A|{ADA}",
        True,
        7,
        higher.event_id,
    )


def test_a_lower_statement_of_another_patient_is_told_to_that_one() -> None:
    """It came too late to take anything."""
    _, moved, _ = identify(heard(stated(BEN, 2)), stated(ADA, 1), at=7)
    assert [(each.patient, each.away) for each in moved] == [(ADA, True)]


def test_two_are_told_when_the_highest_changes_hands() -> None:
    """One that it moved away, one that it is back."""
    _, moved, _ = identify(heard(stated(ADA, 1), stated(BEN, 2)), stated(ADA, 3, at=2), at=7)
    assert {(each.patient, each.away) for each in moved} == {(ADA, False), (BEN, True)}


def test_nobody_is_told_twice() -> None:
    """Of three only whose part changes."""
    tops = heard(stated(ADA, 1), stated(BEN, 2))
    _, moved, _ = identify(tops, stated(CAL, 3), at=7)
    assert {(each.patient, each.away) for each in moved} == {(BEN, True)}


def test_a_statement_that_sinks_gives_the_procedure_away() -> None:
    """A correction was rejected, say: what holds of Ada now is lower than what holds of Ben."""
    tops = heard(stated(ADA, 3), stated(BEN, 2))
    _, moved, _ = identify(tops, stated(ADA, 1, at=2), at=7)
    assert {(each.patient, each.away) for each in moved} == {(ADA, True), (BEN, False)}


def test_of_equal_statements_one_patient_is_chosen_whoever_came_first() -> None:
    """Two orders of arrival, one end."""
    one, other = heard(stated(ADA, 1), stated(BEN, 1)), heard(stated(BEN, 1), stated(ADA, 1))
    assert {patient: top.away for patient, top in one.items()} == {
        patient: top.away for patient, top in other.items()
    }


@pytest.mark.parametrize("at", [1, 2])
def test_old_news_changes_nothing(at: int) -> None:
    """Read again, or overtaken by a later one."""
    tops = heard(stated(BEN, 2), stated(ADA, 3, at=2))
    found = identify(tops, stated(ADA, 1, at=at), at=7)
    assert found.tops is tops
    assert (found.moved, found.alerts) == ([], [])


def test_what_was_known_is_not_changed() -> None:
    """A new table value is made: the one that was read may be read again."""
    tops = heard(stated(ADA, 1))
    before = dict(tops)
    identify(tops, stated(BEN, 2), at=7)
    assert tops == before


def test_a_second_patient_is_an_alert_once() -> None:
    """A third is another one; another statement of the second is none."""
    tops = heard(stated(ADA, 1))
    tops, _, [second] = identify(tops, stated(BEN, 2), at=2)
    tops, _, none = identify(tops, stated(BEN, 3, at=2), at=3)
    tops, _, [third] = identify(tops, stated(CAL, 4), at=4)
    assert none == []
    assert (second.kind, second.patient, second.source, second.facility) == (Kind.ALERT, BEN, "lab", "north")
    assert second.id != third.id


def test_an_alert_has_the_same_id_whenever_it_is_made_and_shows_no_patient() -> None:
    """The worklist has it once, and its id may be in a log."""
    [one], [other] = (identify(heard(stated(ADA, 1)), stated(BEN, 2), at).alerts for at in (2, 9))
    assert one.id == other.id
    assert BEN not in one.id


def test_where_ids_are_not_unique_there_is_only_the_alert() -> None:
    """It says so."""
    found = identify(heard(stated(ADA, 1, unique=False)), stated(BEN, 2, unique=False), at=2)
    assert found.moved == []
    assert [alert.detail for alert in found.alerts] == [
        "one procedure under two patients: the source's ids are not unique, so nothing was moved"
    ]


def test_a_product_of_a_second_patient_is_an_alert() -> None:
    """And of a third; of the first it is none."""
    patients, none = share((), Product("W1", ADA, "e1", "north"))
    patients, [second] = share(patients, Product("W1", BEN, "e2", "north"))
    patients, [third] = share(patients, Product("W1", CAL, "e3"))
    assert none == []
    assert patients == (ADA, BEN, CAL)
    assert (second.kind, second.patient, second.facility) == (Kind.ALERT, BEN, "north")
    assert second.event_ids == ("e2",)
    assert second.id != third.id
    assert BEN not in second.id


def test_a_product_told_again_is_no_alert() -> None:
    """Read again, or told of another procedure."""
    patients, _ = share((ADA,), Product("W1", BEN, "e2"))
    assert share(patients, Product("W1", BEN, "e9")) == (patients, [])


def test_an_alert_says_what_it_is_about_and_whose_that_was_before() -> None:
    """A person need not look it up: procedure or product, service date, and every other patient."""
    monday = date(2025, 3, 10)
    share_of = replace(Product("W1", CAL, "e3", "north"), service_date=monday)
    _, [shared] = share((ADA, BEN), share_of)
    assert (shared.product, shared.others, shared.service_date) == ("W1", (ADA, BEN), monday)
    news = replace(stated(BEN, 2), service_date=monday)
    _, _, [alert] = identify(heard(stated(ADA, 1)), news, at=7)
    assert (alert.procedure_id, alert.others, alert.service_date) == ("A", (ADA,), monday)


def test_news_of_one_procedure_or_product_are_kept_together() -> None:
    """A procedure by source and id, whosever it is; a product by its id. The two never meet."""
    assert news_key(stated(ADA, 1)) == news_key(stated(BEN, 2))
    assert news_key(Product("W1", ADA, "e")) == news_key(Product("W1", BEN, "f"))
    other = msgspec.structs.replace(stated(ADA, 1), source="infusion")
    assert len({news_key(stated(ADA, 1)), news_key(other), news_key(Product("lab|A", ADA, "e"))}) == 3


def test_what_lies_on_the_topic_and_in_the_table_reads_as_it_was_written() -> None:
    """News of both kinds, and the highest statements by patient."""
    for news in (stated(ADA, 1), Product("W1", ADA, "e1", "north")):
        assert decode_news(encode_news(news)) == news
    tops = {ADA: Top(("1", 1, "d"), 3, True)}
    assert decode_tops(encode_tops(tops)) == tops
