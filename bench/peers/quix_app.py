"""quixstreams, exactly-once, doing the plain job.

State is its default, RocksDB with a changelog topic. Beside the defaults: a commit each second, so that a
reader waits that long at most (the default of 5 s is no faster: commits are few either way); larger producer
batches.
"""

from operator import itemgetter
from pathlib import Path
from typing import Any

from quixstreams import Application, State

from bench.peers.once_per_key import Fields, Given, decide, key_of


def once(event: Fields, state: State) -> Fields:
    key = key_of(event)
    verdict = decide(key, state.get(key), event)
    state.set(key, verdict.state)
    return {"billing": verdict.billing, "decision": verdict.decision}


def main() -> None:
    given = Given.of_environment()
    app = Application(
        broker_address=given.brokers,
        consumer_group=given.group,
        processing_guarantee="exactly-once",
        commit_interval=1.0,
        auto_offset_reset="earliest",
        state_dir=Path(given.folder),
        producer_extra_config={"linger.ms": 20, "batch.size": 1 << 20},
        loglevel="WARNING",
    )

    def topic(name: str) -> Any:
        return app.topic(name, key_serializer="bytes", key_deserializer="bytes")

    verdicts: Any = app.dataframe(topic(given.source)).apply(once, stateful=True)
    charged = verdicts.filter(lambda verdict: verdict["billing"] is not None)
    charged.apply(itemgetter("billing")).to_topic(topic(given.billing))
    verdicts.apply(itemgetter("decision")).to_topic(topic(given.decisions))
    app.run()


if __name__ == "__main__":
    main()
