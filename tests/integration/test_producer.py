"""Producer: what it writes is there whole, once, and only if it was still the one to write."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import ProducerFenced, RequestTimedOutError

from streams.kafka.group import committed
from streams.once.outbox import Outbox
from streams.once.producer import FENCED, MAX_BATCH, Batches, Producer
from streams.settings import Settings
from streams.topics import Topics
from tests.kafka import read_all

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("topics")]

Start = Callable[..., Awaitable[Producer]]


@pytest.fixture
async def start(settings: Settings) -> AsyncIterator[Start]:
    """Starts producers that have one transactional id in common."""
    producers: list[Producer] = []

    async def start(transaction_timeout: float = 60) -> Producer:
        name = f"{settings.app_id}-id"
        producer = Producer(
            settings.kafka(), name, transaction_timeout=transaction_timeout, request_timeout=5
        )
        producers.append(producer)
        await producers[-1].start()
        return producers[-1]

    yield start
    for producer in producers:
        await producer.stop()


@pytest.fixture
def out(topics: Topics) -> TopicPartition:
    return TopicPartition(topics.billing_events.name, 1)


@pytest.fixture
def source(topics: Topics) -> TopicPartition:
    return TopicPartition(topics.procedures.name, 1)


def batches(producer: Producer, out: TopicPartition, *values: bytes) -> Batches:
    outbox = Outbox()
    for value in values:
        outbox.add(out.topic, out.partition, b"key", value)
    return outbox.batches(producer.create_batch)


async def written(
    settings: Settings, out: TopicPartition, *, isolation: str = "read_committed"
) -> list[bytes]:
    return [record.value for record in await read_all(settings, out.topic, isolation=isolation)]


async def offset(settings: Settings, source: TopicPartition) -> int | None:
    admin = AIOKafkaAdminClient(**settings.kafka())
    await admin.start()
    try:
        return (await committed(admin, settings.app_id, [source])).get(source)
    finally:
        await admin.close()


async def test_what_is_committed_is_there_with_its_offset_and_again_and_again(
    settings: Settings, start: Start, out: TopicPartition, source: TopicPartition
) -> None:
    """One transaction after the other; each tells the place of its last record and moves the offset."""
    producer = await start()
    places = []
    for number in range(20):
        values = [b"%d-%d" % (number, index) for index in range(3)]
        places.append(
            await producer.write(batches(producer, out, *values), {source: number}, settings.app_id)
        )
        await producer.commit()
    assert await written(settings, out) == [b"%d-%d" % (n, index) for n in range(20) for index in range(3)]
    # Three records and the marker of each transaction.
    assert [place[out] for place in places] == [4 * number + 2 for number in range(20)]
    assert await offset(settings, source) == 19


async def test_whoever_starts_takes_over_and_what_was_open_is_gone(
    settings: Settings, start: Start, out: TopicPartition, source: TopicPartition
) -> None:
    """The former one can neither write nor commit any more, and nothing of what it wrote is ever read."""
    former = await start()
    await former.write(batches(former, out, b"former"), {source: 7}, settings.app_id)
    latter = await start()
    with pytest.raises(ProducerFenced):
        await former.commit()
    with pytest.raises(ProducerFenced):
        await former.write(batches(former, out, b"late"), {source: 8}, settings.app_id)
    await latter.write(batches(latter, out, b"latter"), {source: 3}, settings.app_id)
    await latter.commit()
    assert await written(settings, out) == [b"latter"]
    assert await written(settings, out, isolation="read_uncommitted") == [b"former", b"latter"]
    assert await offset(settings, source) == 3


async def test_more_than_fits_into_a_batch_is_written_in_order(
    settings: Settings, start: Start, out: TopicPartition, source: TopicPartition
) -> None:
    """Batches of one partition follow each other, and the place told is that of the last record."""
    producer = await start()
    values = [b"%d" % number * (MAX_BATCH // 3) for number in range(8)]
    place = await producer.write(batches(producer, out, *values), {source: 1}, settings.app_id)
    await producer.commit()
    assert await written(settings, out) == values
    assert place == {out: 7}


async def test_a_write_whose_answer_is_lost_is_there_once(
    settings: Settings,
    start: Start,
    out: TopicPartition,
    source: TopicPartition,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is sent again, and the broker knows it by its number; the same goes for a commit."""
    producer = await start()
    send = producer._client.send
    lost: set[type] = set()

    async def losing(node: int, request: Any, **how: Any) -> Any:
        answer = await send(node, request, **how)
        if type(request) not in lost:
            lost.add(type(request))
            raise RequestTimedOutError
        return answer

    monkeypatch.setattr(producer._client, "send", losing)
    for number in range(5):
        place = await producer.write(
            batches(producer, out, b"%d" % number), {source: number}, settings.app_id
        )
        assert place == {out: 2 * number}
        await producer.commit()
    assert {request.__name__ for request in lost} >= {
        "ProduceRequest",
        "EndTxnRequest",
        "TxnOffsetCommitRequest",
    }
    assert await written(settings, out) == [b"%d" % number for number in range(5)]
    assert await offset(settings, source) == 4


async def test_a_transaction_that_took_too_long_is_lost_and_its_producer_told_so(
    settings: Settings, start: Start, out: TopicPartition, source: TopicPartition
) -> None:
    """The broker ends it; a commit does not pass for done, and whoever starts anew goes on."""
    producer = await start(transaction_timeout=1)
    await producer.write(batches(producer, out, b"late"), {source: 7}, settings.app_id)
    # Waits until no transaction is open: the broker looks every 10 s for those that took too long.
    assert await written(settings, out) == []
    with pytest.raises(FENCED):
        await producer.commit()
    again = await start()
    await again.write(batches(again, out, b"again"), {source: 7}, settings.app_id)
    await again.commit()
    assert await written(settings, out) == [b"again"]
