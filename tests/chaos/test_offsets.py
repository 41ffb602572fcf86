"""What the group committed and what the log still holds do not fit together any more."""

from collections import defaultdict
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete

from models.billing import Decision, decode_decision
from streams.settings import Settings
from streams.topics import Topics
from tests.chaos.scenario import under_load
from tests.group import Group
from tests.integration.counting import until
from tests.integration.live import said
from tests.kafka import Sent, produce, read_all

pytestmark = pytest.mark.chaos


async def test_offsets_reset_to_the_earliest_charge_nothing_again(settings: Settings, tmp_path: Path) -> None:
    """Every agent reads every record once more: no billing event is written, no decision is another one."""
    topics, group = Topics.of(settings), Group(settings)
    read = [topic.removeprefix(settings.topic_prefix) for logs in topics.agents.values() for topic in logs]

    async def all_are_read() -> bool:
        return all([await group.committed(topic) for topic in read])

    async with under_load(settings, tmp_path, rate=2000) as scenario:
        await scenario.stalls.over()
        await until(all_are_read)
        await scenario.rest()
        written = await read_all(settings, topics.billing_events.name)
        before = await own_decisions(settings)
        for topic in read:
            await group.commit(dict.fromkeys(await group.committed(topic), 0))
        await scenario.cluster.start()
        await scenario.processed()
        assert await read_all(settings, topics.billing_events.name) == written
        after = await own_decisions(settings)
        assert after.keys() == before.keys()
        for event_id, said in after.items():
            known = before[event_id]
            assert all(decision in said for decision in known)
            # What was decided of a command or an acknowledgement is said in the same words.
            assert all(decision.repeated or decision in known for decision in said)
        repeated = sum(decision.repeated for said in after.values() for decision in said)
        print(f"{len(before)} events; after the reset {repeated} decisions that say `repeated`")
        scenario.go_on()
        await scenario.stalls.over()
    assert scenario.cluster.crashes == []


@pytest.mark.long
async def test_records_deleted_before_they_were_processed_are_refused_until_their_loss_is_accepted(
    settings: Settings, tmp_path: Path
) -> None:
    """Retention took what nobody had read: the workers name the range; what is left is all processed."""
    group = Group(settings)
    async with under_load(settings, tmp_path) as scenario:
        await scenario.stalls.over()
        await scenario.rest()
        source = TopicPartition(Topics.of(settings).lab_procedures.name, 0)
        at = (await group.committed(settings.topic_lab_procedures))[source]
        await produce(settings, [Sent(source.topic, said("lost"), b"lab", partition=0)] * 3)
        async with group.admin() as admin:
            await admin.delete_records({source: RecordsToDelete(at + 3)})
        scenario.go_on()
        scenario.cluster.launch()
        assert await scenario.refused() == {
            f"{source.topic}[0]: records {at} to {at + 2} were deleted before they were processed: "
            f"restore them, or accept the loss by resetting the group's offset to {at + 3}"
        }
        await group.commit({source: at + 3})
        await scenario.cluster.start()
        await scenario.stalls.over()
    assert scenario.cluster.crashes == []


async def own_decisions(settings: Settings) -> dict[str, list[Decision]]:
    """By event id, what was decided because of that event itself, in order."""
    own: dict[str, list[Decision]] = defaultdict(list)
    for record in await read_all(settings, Topics.of(settings).decisions.name):
        decision = decode_decision(record.value)
        if decision.cause == decision.event_id:
            own[decision.event_id].append(decision)
    return own
