"""What came of an order is told as far as it is known; whoever waits too long may look again."""

import uuid

import pytest

from models.commands import Discard, Redrive, Reject, Release
from streams.views.deciding import ACTS, Decided, Done, Follow, Order
from streams.views.person import Person
from streams.views.render import render
from streams.views.rights import Right, Role

EVENT = "lab.procedures:0:7:0"
NUMBER = uuid.UUID(int=5)


def an_order(act: str, *, number: uuid.UUID = NUMBER) -> Order:
    fill = ["patient.mrn=17"] if act == "release" else []
    return Order(
        act, "seen", number, [EVENT, "lab.procedures:0:8:0"], fill, "{}" if act == "correct" else None
    )


@pytest.mark.parametrize("act", sorted({act for acts in ACTS.values() for act in acts}))
def test_the_same_order_gives_the_same_commands(act: str) -> None:
    """Each item has a command of its own; another order is another command."""
    first, again = an_order(act).commands, an_order(act).commands
    assert [said.id for said in first] == [said.id for said in again]
    assert len({said.id for said in first}) == 2
    other = an_order(act, number=uuid.UUID(int=6)).commands
    assert not {said.id for said in other} & {said.id for said in first}


def test_an_act_is_the_command_that_it_names() -> None:
    """Closing an alert rejects it; a corrected dead letter is redriven with what was written."""
    kinds = {act: type(an_order(act).commands[0]) for acts in ACTS.values() for act in acts}
    assert kinds == {
        "release": Release,
        "reject": Reject,
        "redrive": Redrive,
        "correct": Redrive,
        "discard": Discard,
    }
    [release, _] = an_order("release").commands
    assert isinstance(release, Release)
    assert release.fill == {"patient": {"mrn": "17"}}
    [corrected, _] = an_order("correct").commands
    assert isinstance(corrected, Redrive)
    assert corrected.value == b"{}"


@pytest.mark.parametrize("done", [True, False])
def test_whoever_waits_too_long_can_look_again(done: bool) -> None:
    """The page says that it is not decided yet, and links to where it will be seen."""
    follows = [Follow(EVENT, "collection of cells", ["Its charge stands."], "c-1")] if done else []
    item = Decided(
        id=EVENT, name=EVENT, command="c:0:1:0", done=done, decided=False, said=["So far."], follows=follows
    )
    page = Done(path="/holds", title="Worklist", label="Release", items=[item])
    person = Person("ada", Role.ANALYST, "word")
    text = render("decided.html", page=page, person=person, rights=Right, path="/holds/decide")
    assert "not decided yet" in text
    assert f'<a href="/holds/{EVENT}">Look again</a>' in text
    assert ("charge c-1" in text) is done
