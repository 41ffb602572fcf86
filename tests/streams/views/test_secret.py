"""Opaque ids, one-time links and what workers show each other hold only where the same secret is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.views.secret import Secret

OURS = Secret("the secret of one installation here")
THEIRS = Secret("the secret of another installation")


@given(st.lists(st.text(st.characters(exclude_characters="\x1f")), min_size=1, max_size=3))
def test_an_opaque_id_leads_back_to_what_it_names(parts: list[str]) -> None:
    """Whatever the parts are; and only characters that a URL takes as they are stand in it."""
    name = OURS.opaque(*parts)
    assert OURS.named(name) == tuple(parts)
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_an_opaque_id_stays_the_same_over_a_restart() -> None:
    """A page's address can be kept and sent on."""
    again = Secret("the secret of one installation here")
    assert again.opaque("LAKE|17", "2025-03-09") == OURS.opaque("LAKE|17", "2025-03-09")


def test_an_opaque_id_does_not_show_what_it_names() -> None:
    """Not in part, and two patients of one authority have nothing in common."""
    first, second = OURS.opaque("LAKE|17"), OURS.opaque("LAKE|18")
    assert not first.startswith(second[:8])


@pytest.mark.parametrize(
    "name", ["", "x", "LAKE|17", OURS.opaque("LAKE|17")[:-2] + "AA", THEIRS.opaque("LAKE|17")]
)
def test_a_name_that_was_not_given_here_names_nothing(name: str) -> None:
    """Made up, changed, or of another installation."""
    with pytest.raises(ValueError, match="no name of this installation"):
        OURS.named(name)


def test_a_worker_believes_only_workers_of_its_installation() -> None:
    """What one says to another is good for that alone, and nobody on the way reads it."""
    sealed = OURS.seal(b"about", b"said")
    assert b"said" not in sealed
    assert OURS.unseal(b"about", sealed) == b"said"
    for secret, about, shown in ((OURS, b"other", sealed), (THEIRS, b"about", sealed), (OURS, b"about", b"")):
        with pytest.raises(ValueError, match=r"about something else|sealed here within a minute expected"):
            secret.unseal(about, shown)


def test_a_link_tells_who_it_is_for() -> None:
    """And one of another installation tells nobody."""
    assert OURS.linked(OURS.link("anna b", "analyst")) == ("anna b", "analyst")
    with pytest.raises(ValueError, match="within ten minutes"):
        THEIRS.linked(OURS.link("anna b", "analyst"))
