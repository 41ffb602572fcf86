"""Counter: a small app on the engine that shows every record lost or counted twice.

Agent ``passer`` counts the keys of ``in`` and passes each record on to ``between`` with its count;
agent ``counter`` counts once more and says both counts in ``out``. If every record is processed
exactly once, the two counts of a key are equal and go 1, 2, 3 ...

Run as a worker of its own: settings from the environment, a fault as arguments.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from typing import Any

from aiokafka import AIOKafkaProducer
from faust.web import Request, Response, View

from streams.app import engine
from streams.logs import set_up
from streams.once import Codec, Observer, OnceApp, Silent, Step, Table, UnitOfWork
from streams.once.owner import Owner
from streams.settings import Settings
from streams.views import health
from tests.held import hold_restores

SOURCE, BETWEEN, OUT, SOURCE_LOG, BETWEEN_LOG = "in", "between", "out", "in.log", "between.log"
COUNTS: Codec[str, int] = Codec(str.encode, bytes.decode, lambda count: str(count).encode(), int)


class Told(Silent):
    """Prints what tests wait for, a JSON object a line."""

    def restored(self, owner: Owner, records: int, seconds: float) -> None:
        print(json.dumps({"restored": owner.changelog.topic, "records": records}), flush=True)

    def rebalanced(self, generation: int, kept: int, acquired: int, released: int) -> None:
        told = {"generation": generation, "kept": kept, "acquired": acquired, "released": released}
        print(json.dumps(told), flush=True)


class Signalled(Told):
    """The process gets a signal as the first unit of ``agent`` is about to take ``step``."""

    def __init__(self, how: signal.Signals, agent: str, step: Step) -> None:
        self._how: signal.Signals | None = how
        self._at = (agent, step)

    def step(self, unit: UnitOfWork, step: Step) -> None:
        if self._how is not None and (unit.owner.agent.name, step) == self._at:
            how, self._how = self._how, None
            os.kill(os.getpid(), how)


class Robbed(Told):
    """Somebody else takes the transactional id in the middle of the first ``times`` units of ``agent``."""

    def __init__(self, agent: str, times: int) -> None:
        self._agent = agent
        self._times = times

    def step(self, unit: UnitOfWork, step: Step) -> None:
        if self._times and (unit.owner.agent.name, step) == (self._agent, Step.COMMIT):
            self._times -= 1
            thief = threading.Thread(target=lambda: asyncio.run(_take_id(unit.owner)))
            thief.start()
            thief.join()


async def _take_id(owner: Owner) -> None:
    producer = AIOKafkaProducer(**owner.engine.kafka, transactional_id=owner.transactional_id)
    await producer.start()
    await producer.stop()


def create_app(settings: Settings, observer: Observer, *, broken: bool = False) -> OnceApp:
    prefix = settings.topic_prefix
    app = OnceApp(
        settings.app_id,
        engine(settings),
        observer=observer,
        web_host=settings.web_host,
        web_port=settings.web_port,
        canonical_url=f"http://{settings.web_host}:{settings.web_port}",
    )
    passed, counts = app.once_table("passed", COUNTS), app.once_table("counts", COUNTS)

    def count(unit: UnitOfWork, table: Table[str, int], record: Any) -> int:
        key = record.key.decode()
        table[key] = table.get(key, 0) + 1
        return table[key]

    def passer(unit: UnitOfWork) -> None:
        for record in unit.records:
            if broken:
                raise ValueError(f"cannot deal with {record.key!r}")
            unit.send(prefix + BETWEEN, record.key, b"%d" % count(unit, passed, record))

    def counter(unit: UnitOfWork) -> None:
        for record in unit.records:
            unit.send(prefix + OUT, record.key, b"%s %d" % (record.value, count(unit, counts, record)))

    app.once_agent("passer", passer, changelogs={prefix + SOURCE: prefix + SOURCE_LOG}, tables=[passed])
    app.once_agent("counter", counter, changelogs={prefix + BETWEEN: prefix + BETWEEN_LOG}, tables=[counts])
    health.mount(app)

    @app.page("/counts")
    async def page(view: View, request: Request) -> Response:
        return view.json({"passed": {**passed}, "counts": {**counts}})

    return app


def main(fault: str = "", *arguments: str) -> None:
    observer = Told()
    if fault in ("kill", "freeze"):
        how = signal.SIGKILL if fault == "kill" else signal.SIGSTOP
        observer = Signalled(how, arguments[0], Step[arguments[1]])
    elif fault == "rob":
        observer = Robbed(arguments[0], int(arguments[1]))
    elif fault == "hold":
        hold_restores(arguments[0])
    settings = Settings.load()
    app = create_app(settings, observer, broken=fault == "break")
    set_up(settings)
    worker: Any = app.Worker()
    worker.execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
