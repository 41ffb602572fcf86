"""Stock Faust doing the plain job. ``BENCH_GUARANTEE``: exactly_once or at_least_once.

Settings beside the defaults, each of which made it faster or was needed to run at all: values raw and
parsed by orjson; tables in memory, the fastest store; a linger that lets its producer build batches
(sending each record at once halves the rate); no standby replicas; loggers at WARNING (Faust builds
debug records that nobody reads).
"""

import logging
import os
from typing import Any

import faust
import orjson

from bench.peers.once_per_key import Fields, Given, decide, key_of

given = Given.of_environment()
for library in ("aiokafka", "faust", "mode", "asyncio"):
    logging.getLogger(library).setLevel(logging.WARNING)

app = faust.App(
    given.group,
    broker=f"kafka://{given.brokers}",
    store="memory://",
    datadir=given.folder,
    processing_guarantee=os.environ["BENCH_GUARANTEE"],
    topic_partitions=given.partitions,
    table_standby_replicas=0,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    producer_linger=0.02,
    producer_max_batch_size=131072,
    cython_optimizations=True,
)
RAW: dict[str, Any] = {
    "key_type": bytes,
    "value_type": bytes,
    "key_serializer": "raw",
    "value_serializer": "raw",
}
source = app.topic(given.source, **RAW)
billing = app.topic(given.billing, **RAW)
decisions = app.topic(given.decisions, **RAW)
first: Any = app.Table("once", key_type=str, value_type=dict, partitions=given.partitions)


@app.agent(source)
async def once(stream: Any) -> None:
    async for message in stream.events():
        event: Fields = orjson.loads(message.value)
        key = key_of(event)
        verdict = decide(key, first.get(key), event)
        first[key] = verdict.state
        if verdict.billing is not None:
            await billing.send(key=message.key, value=orjson.dumps(verdict.billing))
        await decisions.send(key=message.key, value=orjson.dumps(verdict.decision))


if __name__ == "__main__":
    app.main()
