"""A worker that tells what it is asked, by itself and by others: a line of JSON each."""

import json
from collections.abc import Iterable
from typing import Any

from aiokafka import TopicPartition

from streams.app import run_worker
from streams.settings import Settings
from streams.views.workers import Question, Workers

_own = Workers._own


async def _told(
    self: Workers, question: Question[Any, Any], asked: Any, part: Iterable[TopicPartition]
) -> Any:
    part = [*part]
    print(json.dumps({"asked": question.name, "of": [[tp.topic, tp.partition] for tp in part]}), flush=True)
    return await _own(self, question, asked, part)


if __name__ == "__main__":
    Workers._own = _told  # type: ignore[method-assign]
    run_worker(Settings.load())
