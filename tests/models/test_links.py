"""Links: who survives whom, of merges that cross each other whichever was heard first."""

from itertools import permutations

import pytest

from models.billing import Outcome, Reason
from models.entries import Survivor
from models.links import Linked, Merge, Undo, decode_known, decode_link, encode_known, encode_link, link
from tests.models.entered import merged, unmerged
from tests.models.network import Links

ADA, BEN, CAL, DOT = "UH|1", "UH|2", "UH|3", "UH|4"


class Graph:
    """The links of all patients, as the table keeps them, and what was told of them."""

    def __init__(self) -> None:
        self.links = Links()
        self.survivors: dict[str, str | None] = {}
        self.at = 0

    def hear(self, said: Merge | Undo) -> Linked:
        self.at += 1
        linked = link(said, self.links, self.at)
        self.links.write(linked.links)
        self.survivors |= {told.patient: told.survivor for told in linked.survivors}
        return linked


@pytest.fixture
def graph() -> Graph:
    return Graph()


def outcomes(linked: Linked) -> list[tuple[str, int, Outcome, Reason | None]]:
    return [(made.event_id, made.sequence, made.outcome, made.reason) for made in linked.decisions]


def test_a_merge_tells_the_losing_patient_whom_it_belongs_to(graph: Graph) -> None:
    """Only the losing one: the survivor learns of it by what is handed over."""
    merge = merged(ADA, BEN)
    linked = graph.hear(merge)
    assert linked.survivors == [Survivor(patient=ADA, event_id=merge.event_id, survivor=BEN, at=1)]
    assert outcomes(linked) == [(merge.event_id, 1, Outcome.APPLIED, None)]
    assert linked.decisions[0].patient == ADA
    assert linked.reviews == []


def test_a_merge_of_the_survivor_is_told_to_all_that_it_survives(graph: Graph) -> None:
    """Each patient is told its last survivor, not the next one."""
    graph.hear(merged(ADA, BEN, "m1"))
    linked = graph.hear(merged(BEN, CAL, "m2"))
    assert [(told.patient, told.survivor) for told in linked.survivors] == [(ADA, CAL), (BEN, CAL)]


def test_merges_of_others_are_told_to_nobody_else(graph: Graph) -> None:
    """Only who is connected is looked at."""
    graph.hear(merged(ADA, BEN, "m1"))
    linked = graph.hear(merged(CAL, DOT, "m2"))
    assert [told.patient for told in linked.survivors] == [CAL]
    assert [(each.id, each.losing, each.surviving) for each in linked.links] == [("m2", CAL, DOT)]


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_who_survives_does_not_depend_on_the_order_of_arrival(order: tuple[int, ...]) -> None:
    """A chain, a circle and a second merge of one patient: decided by time alone."""
    graph = Graph()
    merges = [
        merged(ADA, BEN, "m1", time=1),
        merged(BEN, CAL, "m2", time=2),
        merged(CAL, ADA, "m3", time=3),
        merged(ADA, DOT, "m4", time=4),
    ]
    last = {}
    for position in order:
        for made in graph.hear(merges[position]).decisions:
            last[made.event_id] = (made.outcome, made.reason)
    assert {patient: to for patient, to in graph.survivors.items() if to} == {ADA: CAL, BEN: CAL}
    assert [last[merge.event_id] for merge in merges] == [
        (Outcome.APPLIED, None),
        (Outcome.APPLIED, None),
        (Outcome.REFUSED, Reason.WOULD_CYCLE),
        (Outcome.REFUSED, Reason.ALREADY_MERGED),
    ]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_merges_at_the_same_time_the_lower_id_is_first(graph: Graph, order: tuple[int, ...]) -> None:
    """So that two workers could not disagree."""
    merges = [merged(ADA, BEN, "a"), merged(ADA, CAL, "b")]
    for position in order:
        graph.hear(merges[position])
    assert graph.survivors[ADA] == BEN


def test_a_merge_that_is_refused_later_is_told_so_by_the_one_that_refuses_it(graph: Graph) -> None:
    """Its decision goes on in number, and names the other as its cause."""
    graph.hear(later := merged(ADA, BEN, "m2", time=2))
    linked = graph.hear(earlier := merged(ADA, CAL, "m1", time=1))
    assert (later.event_id, 2, Outcome.REFUSED, Reason.ALREADY_MERGED) in outcomes(linked)
    assert {made.cause for made in linked.decisions} == {earlier.event_id}


def test_an_undoing_frees_the_patient_and_asks_for_a_review(graph: Graph) -> None:
    """Of the survivor, for what it was told since the merge came."""
    graph.hear(merge := merged(ADA, BEN, time=5))
    linked = graph.hear(undo := unmerged(merge))
    assert [(told.patient, told.survivor) for told in linked.survivors] == [(ADA, None)]
    [review] = linked.reviews
    assert (review.patient, review.merge, review.since, review.event_id) == (BEN, "m1", 5, undo.event_id)
    assert outcomes(linked) == [
        (undo.event_id, 1, Outcome.APPLIED, None),
        (merge.event_id, 2, Outcome.UNDONE, None),
    ]


def test_the_review_of_a_chain_is_the_last_survivors(graph: Graph) -> None:
    """That is who was charged for all of them."""
    graph.hear(first := merged(ADA, BEN, "m1"))
    graph.hear(merged(BEN, CAL, "m2"))
    assert [review.patient for review in graph.hear(unmerged(first)).reviews] == [CAL]


def test_an_undoing_that_is_heard_first_is_kept_for_its_merge(graph: Graph) -> None:
    """It is applied; its merge, when it comes, has no effect, and nobody is asked to look."""
    merge = merged(ADA, BEN)
    linked = graph.hear(undo := unmerged(merge))
    assert outcomes(linked) == [(undo.event_id, 1, Outcome.APPLIED, None)]
    assert (linked.survivors, linked.reviews) == ([], [])
    linked = graph.hear(merge)
    assert outcomes(linked) == [(merge.event_id, 1, Outcome.UNDONE, None)]
    assert linked.decisions[0].of == undo.event_id
    assert linked.survivors == []


def test_an_undoing_that_names_the_two_the_wrong_way_round_still_undoes(graph: Graph) -> None:
    """The merge is named by its id."""
    graph.hear(merge := merged(ADA, BEN))
    graph.hear(Undo(event_id="e", id="u", merge=merge.id, losing=BEN, surviving=ADA))
    assert graph.survivors[ADA] is None


@pytest.mark.parametrize("merge_first", [True, False])
def test_an_undoing_that_names_two_other_patients_undoes_its_merge_and_loses_no_other(
    graph: Graph, merge_first: bool
) -> None:
    """The merge is named by its id, whichever comes first: Ada is free, and all that is said of Ben, Cal and
    Dot holds."""
    merge = merged(ADA, BEN, "m1", time=1)
    undo = Undo(event_id="e", id="u", merge=merge.id, losing=CAL, surviving="UH|9")
    for said in (merge, undo) if merge_first else (undo, merge):
        graph.hear(said)
    graph.hear(merged(CAL, BEN, "m2", time=2))
    graph.hear(merged(BEN, DOT, "m3", time=3))
    assert {patient: graph.survivors.get(patient) for patient in (ADA, BEN, CAL)} == {
        ADA: None,
        BEN: DOT,
        CAL: DOT,
    }
    assert len([*graph.links.of(ADA)]) == 1


def test_the_same_merge_in_another_record_is_repeated(graph: Graph) -> None:
    """Nothing is told to anybody, and nothing is written."""
    graph.hear(first := merged(ADA, BEN))
    linked = graph.hear(again := merged(ADA, BEN))
    assert outcomes(linked) == [(again.event_id, 1, Outcome.REPEATED, None)]
    assert linked.decisions[0].of == first.event_id
    assert (linked.links, linked.survivors) == ([], [])


def test_a_merge_id_used_again_for_two_other_patients_merges_nobody(graph: Graph) -> None:
    """The same id is the same command: no second one is applied."""
    graph.hear(first := merged(ADA, BEN, "m1"))
    linked = graph.hear(again := merged(CAL, DOT, "m1"))
    assert outcomes(linked) == [(again.event_id, 1, Outcome.REPEATED, None)]
    assert linked.decisions[0].of == first.event_id
    assert (linked.links, linked.survivors) == ([], [])


def test_the_record_of_a_merge_read_again_says_nothing(graph: Graph) -> None:
    """More may have been decided about it since."""
    graph.hear(merge := merged(ADA, BEN))
    assert graph.hear(merge) == Linked([], [], [], [])


def test_the_record_of_an_undoing_read_again_gives_the_identical_decision(graph: Graph) -> None:
    """About an undoing there is only ever one."""
    graph.hear(merge := merged(ADA, BEN))
    first = graph.hear(undo := unmerged(merge))
    again = graph.hear(undo)
    assert again.decisions == first.decisions[:1]
    assert (again.survivors, again.reviews) == ([], [])


def test_another_undoing_of_what_is_undone_is_refused(graph: Graph) -> None:
    """It is done with."""
    graph.hear(merge := merged(ADA, BEN))
    graph.hear(unmerged(merge, "u1"))
    assert outcomes(graph.hear(second := unmerged(merge, "u2"))) == [
        (second.event_id, 1, Outcome.REFUSED, Reason.ALREADY_UNDONE)
    ]


def test_what_was_refused_is_answered_alike_when_it_is_read_again_or_sent_again(graph: Graph) -> None:
    """A merge says nothing more, its undoing the same once more; another record of either is repeated."""
    graph.hear(first := merged(ADA, BEN, "m1", time=1))
    graph.hear(refused := merged(BEN, ADA, "m2", time=2))
    answer = graph.hear(undo := unmerged(refused, "u2"))
    assert outcomes(answer) == [(undo.event_id, 1, Outcome.REFUSED, Reason.NEVER_MERGED)]
    assert answer.decisions[0].of == refused.event_id
    graph.hear(unmerged(first, "u1"))
    for said, again in ((refused, merged(BEN, ADA, "m2", time=2)), (undo, unmerged(refused, "u2"))):
        assert graph.hear(said).decisions == (answer.decisions if said is undo else [])
        [repeated] = graph.hear(again).decisions
        assert (repeated.outcome, repeated.of) == (Outcome.REPEATED, said.event_id)
    assert graph.survivors == {ADA: None}


def test_what_lies_on_the_topic_and_in_the_table_reads_as_it_was_written(graph: Graph) -> None:
    """A merge, an undoing, and what is known of both."""
    merge = merged(ADA, BEN)
    undo = unmerged(merge)
    graph.hear(merge)
    graph.hear(undo)
    assert [decode_link(encode_link(said)) for said in (merge, undo)] == [merge, undo]
    known = graph.links.link(merge.id)
    assert known is not None
    assert (known.merge, known.undo, known.refused) == (merge, undo, None)
    assert decode_known(encode_known(known)) == known


def test_the_id_of_an_undoing_used_again_for_another_merge_undoes_nothing(graph: Graph) -> None:
    """The same id is the same command, and had its effect: it is repeated, as a merge is."""
    one, other = merged(ADA, BEN, "m1"), merged(CAL, DOT, "m2")
    for said in (one, other, unmerged(one, "u1")):
        graph.hear(said)
    linked = graph.hear(again := unmerged(other, "u1"))
    assert outcomes(linked) == [(again.event_id, 1, Outcome.REPEATED, None)]
    assert graph.survivors[CAL] == DOT


def test_decisions_about_a_merge_that_was_a_dead_letter_go_on_in_number(graph: Graph) -> None:
    """Redriven after one decision it has the second one, and what is decided of it later the third."""
    graph.links.write(link(merge := merged(ADA, BEN), graph.links, 1, decided=1).links)
    linked = link(unmerged(merge), graph.links, 2, decided=4)
    assert [(made.event_id == merge.event_id, made.sequence) for made in linked.decisions] == [
        (False, 5),
        (True, 3),
    ]


def test_what_an_undoing_named_is_remembered_under_no_patient(graph: Graph) -> None:
    """Else all that was ever undone would lie under one key."""
    linked = graph.hear(unmerged(merged(ADA, BEN)))
    assert [link.patients for link in linked.links] == [(ADA, BEN), ()]
