"""Every record of the sources has a decision, each decision a record, and all lie where they belong."""

from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from models.findings import Figure
from streams.audit import misplaced
from streams.partitioning import partition_of
from streams.reading import Span
from streams.sources import Sources
from streams.spill import NOWHERE

LAB = TopicPartition("lab.procedures", 0)


def record(offset: int) -> Any:
    return SimpleNamespace(topic=LAB.topic, partition=LAB.partition, offset=offset)


def sources(*offsets: int) -> Sources:
    """Offsets 10 to 19 can be checked; records lie at ``offsets``."""
    known = Sources({LAB: Span(10, 20)})
    known.present(map(record, offsets))
    return known


def test_a_record_without_a_decision_is_named_by_its_event_id() -> None:
    """The first id of the record: nothing else is known of it."""
    known = sources(10, 12, 19)
    assert known.decided("lab.procedures:0:12:0") is None
    assert [finding.id for finding in known.undecided()] == ["lab.procedures:0:10:0", "lab.procedures:0:19:0"]


def test_offsets_without_a_record_need_no_decision() -> None:
    """Markers of transactions, and what was aborted, take offsets too."""
    assert [*sources().undecided()] == []


def test_a_decision_about_no_record_is_named() -> None:
    """Of an offset without a record, of another topic, or of no offset at all."""
    known = sources(12)
    for event_id in ("lab.procedures:0:13:0", "other:0:12:0", "lab.procedures:1:12:0", "nonsense", "a:b:c:d"):
        finding = known.decided(event_id)
        assert finding is not None
        assert finding.id == event_id


def test_what_the_source_no_longer_keeps_or_got_later_is_not_judged() -> None:
    """Retention of a source is its own, and records may come while the audit reads."""
    known = sources(12)
    assert known.decided("lab.procedures:0:9:0") is None
    assert known.decided("lab.procedures:0:20:0") is None


def test_a_patient_in_another_partition_than_its_key_belongs_in_is_named_by_an_event() -> None:
    """Neither by its key nor by its partition alone: the key is the patient's."""
    key, event_id = b"UH|4711", "lab.procedures:0:12:0"
    belongs = partition_of(key, 8)
    assert [*misplaced({(key, belongs): event_id, (key, NOWHERE): event_id}, 8)] == []
    [finding] = misplaced({(key, (belongs + 1) % 8): event_id}, 8)
    assert (finding.figure, finding.id) == (Figure.UNEXPLAINED, event_id)
    assert "4711" not in finding.what
