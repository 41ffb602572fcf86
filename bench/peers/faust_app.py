"""Stock Faust doing the plain job. ``BENCH_GUARANTEE``: exactly_once or at_least_once.

Settings beside the defaults: values raw and parsed by orjson, tables in memory, its Cython paths and
loggers at WARNING (it builds debug records that nobody reads), each of which makes it faster; no standby
replicas. ``BENCH_LINGER``: with its default of 0 every record is a request of its own, 0.7 k events/s;
with 0.02 s it reached 2.0 k, with 0.1 s 2.6 k, with 0.5 s, which every reader waits, 3.1 k.
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
    producer_linger=float(os.environ["BENCH_LINGER"]),
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
