"""What stands in a URL for an item says nothing of a patient; what stands in a list does not, either."""

import pytest
from aiohttp import web

from models.billing import Reason
from models.worklist import Item, Kind, Listed
from streams.views.listing import cursor, id_of, line_of, name_of, place_of
from streams.views.secret import Secret

KEYS = Secret("the secret of an installation of the tests")
EVENT = "lab.procedures:0:7:0"
NAMED_BY_PEOPLE = ("override:4711", "refused:c-4711", "correction:lab.procedures:0:7:0:4711", "unmerged:4711")


def test_an_event_is_named_by_its_own_id() -> None:
    """It is a place in a topic, and people tell each other that."""
    assert name_of(KEYS, EVENT) == EVENT
    assert id_of(KEYS, EVENT) == EVENT


@pytest.mark.parametrize("item", NAMED_BY_PEOPLE)
def test_what_people_named_stands_in_no_url(item: str) -> None:
    """A command may be called anything; the opaque name leads back to it, on every worker."""
    name = name_of(KEYS, item)
    assert "4711" not in name
    assert id_of(Secret("the secret of an installation of the tests"), name) == item


def test_other_names_lead_nowhere() -> None:
    """Neither made up, nor made for something else."""
    place = cursor(KEYS, Listed(True, 5, EVENT))
    for name in (
        "x",
        "",
        "4711",
        place,
        name_of(Secret("another installation's secret, it is"), "override:1"),
    ):
        with pytest.raises(web.HTTPNotFound):
            id_of(KEYS, name)
    for text in ("x", KEYS.opaque("item", "override:1")):
        with pytest.raises(web.HTTPBadRequest):
            place_of(KEYS, text)


@pytest.mark.parametrize("place", [Listed(True, 5, EVENT), Listed(False, 0, "override:4711")])
def test_a_page_begins_where_the_one_before_ended(place: Listed) -> None:
    """The place is in the address of the next page, and says nothing there."""
    assert place_of(KEYS, cursor(KEYS, place)) == place


def test_a_list_says_nothing_of_a_patient() -> None:
    """Nor what billing wrote: that may name anybody. What would release an item is ours to say."""
    refused = Item(id="refused:c", kind=Kind.REFUSED_CHARGE, patient="UH|4711", detail="MRN 4711 unknown")
    held = Item(id=EVENT, kind=Kind.HELD, patient="UH|4711", reason=Reason.NO_STREAM)
    for item in (refused, held):
        assert "4711" not in str(line_of(KEYS, item, unmasked=True))
    assert (
        line_of(KEYS, held, unmasked=False).releases
        == "Nothing says whether it is facility or professional billing."
    )


@pytest.mark.parametrize("kind", Kind)
def test_a_product_is_told_only_to_who_may_see_patients(kind: Kind) -> None:
    """A patient may be known by it, whatever kind of item names it."""
    item = Item(id="i", kind=kind, patient="UH|4711", product="W1", detail="one product under two patients")
    assert "W1" not in str(line_of(KEYS, item, unmasked=False))
    shown = line_of(KEYS, item, unmasked=True).releases
    assert (kind is not Kind.ALERT) or shown == "one product under two patients, product W1"
