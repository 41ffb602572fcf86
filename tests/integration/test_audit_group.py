"""The audit takes patients together who lie in several partitions, and reads real commands."""

from pathlib import Path

import pytest

from models.account import Account
from models.billing import encode_billing_event, encode_decision
from models.entries import encode_entry
from models.findings import Figure
from streams.audit import audit_topics
from streams.settings import Settings
from streams.topics import Topics
from tests.kafka import Sent, produce
from tests.models.accounts import FIRST
from tests.models.test_group import HOME, merged

pytestmark = pytest.mark.integration

FACILITIES = """
[[authorities]]
id = "UH"
aliases = ["University"]

[[facilities]]
id = "north"
time_zone = "America/New_York"
"""


@pytest.fixture
def audited(settings: Settings, topics: Topics, tmp_path: Path) -> Settings:
    """Settings with a facilities file that knows the patients, under an alias of their authority, too."""
    facilities = tmp_path / "facilities.toml"
    facilities.write_text(FACILITIES)
    return settings.model_copy(update={"facilities": facilities})


async def write(settings: Settings, topics: Topics, account: Account) -> None:
    """Write what became of one statement and of commands, under the event ids that Kafka gives them."""
    sources = [Sent(topics.lab_procedures.name, b"{}")]
    for spoken in account.commands:
        assert spoken.command is not None
        said = spoken.command.model_dump_json().replace("UH|", "University|")
        sources.append(Sent(topics.commands.name, said.encode()))
    names = [FIRST.event_id, *(spoken.event_id for spoken in account.commands)]
    places = await produce(settings, sources)
    ids = {
        b'"%s"' % name.encode(): b'"%s:%d:%d:0"' % (topic.encode(), partition, offset)
        for name, (topic, partition, offset) in zip(names, places, strict=True)
    }

    def sent(topic: str, key: str | None, value: bytes) -> Sent:
        for name, event_id in ids.items():
            value = value.replace(name, event_id)
        return Sent(topic, value, (key or HOME).encode())

    records = [
        *(sent(topics.procedures.name, HOME, encode_entry(entry)) for entry in account.procedures),
        *(sent(topics.decisions.name, made.patient, encode_decision(made)) for made in account.decisions),
        *(
            sent(topics.billing_events.name, event.patient, encode_billing_event(event))
            for event in account.billing_events
        ),
    ]
    await produce(settings, records)


async def figures(settings: Settings) -> set[Figure]:
    report = await audit_topics(settings)
    return {figure for figure, count in report.figures.items() if count}


async def test_patients_who_were_merged_are_audited_together(audited: Settings, topics: Topics) -> None:
    """The charge of one is the other's, in another partition. Only the ledger's state is missing here."""
    await write(audited, topics, merged())
    report = await audit_topics(audited)
    assert [finding.what for findings in report.found.values() for finding in findings] == [
        "is another or absent in the ledger's state"
    ]
    assert report.standing == 1


async def test_a_merge_that_had_no_effect_is_found(audited: Settings, topics: Topics) -> None:
    """It was commanded, and the charge stands where it stood."""
    account = merged()
    del account.billing_events[1:], account.decisions[1:3]
    await write(audited, topics, account)
    assert await figures(audited) >= {Figure.MISSING, Figure.DOUBLED}


async def test_a_merge_that_nobody_commanded_is_found(audited: Settings, topics: Topics) -> None:
    """What was passed on to the ledgers is not believed: the charge belongs where it was."""
    account = merged()
    del account.commands[:], account.decisions[3:]
    await write(audited, topics, account)
    assert await figures(audited) >= {Figure.MISSING, Figure.DOUBLED}
