"""Too many dead letters stop the worker, instead of a whole topic running into the dead letters."""

from pathlib import Path

import pytest

from streams.in_flight import wait_until_processed
from streams.local_worker import LocalWorker
from streams.settings import Settings
from streams.topics import Topics
from tests.integration.live import running, said
from tests.kafka import BOUND, Sent, produce, read_all

pytestmark = pytest.mark.integration

WINDOW = 20
REFUSED = 4


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Half of the latest 20 records of a partition may be dead letters."""
    # A worker that refuses to go on does not leave its group: the next one waits for its session to end.
    return settings.model_copy(
        update={"dead_letter_window": WINDOW, "session_timeout": 6.0, "heartbeat": 1.0}
    )


def records(topics: Topics, wrong: int, right: int, begin: int = 0) -> list[Sent]:
    """Of one partition, the wrong ones first."""
    values = [b"{"] * wrong + [said(f"L{begin + number}") for number in range(right)]
    return [Sent(topics.lab_procedures.name, value, b"k", partition=0) for value in values]


def refusal(worker: LocalWorker) -> str:
    """Start ``worker``, which stops because of dead letters; its one line."""
    assert worker.start().wait(BOUND) == REFUSED
    assert "Traceback" not in worker.log.read_text()
    return worker.last_line()


async def test_above_the_limit_nothing_is_taken_until_a_person_allows_it(
    settings: Settings, topics: Topics, tmp_path: Path
) -> None:
    """One line says the share, the topic and the setting; with the limit raised all goes on, once."""
    sent = records(topics, wrong=11, right=9)
    await produce(settings, sent)
    worker = LocalWorker(settings, tmp_path / "worker.log")
    assert refusal(worker) == (
        f"perdiem: {topics.lab_procedures.name}[0]: 55% of the latest 20 records became dead letters, "
        "more than 50%: nothing of this batch was taken; "
        f"see what {topics.lab_procedures.name} sends, or raise PERDIEM_DEAD_LETTER_LIMIT"
    )
    written = [
        topics.decisions.name,
        topics.dead_letters.name,
        topics.procedures.name,
        topics.intake_lab.name,
    ]
    assert await read_all(settings, *written) == []

    with running(settings.model_copy(update={"dead_letter_limit": 1.0}), worker.log):
        await wait_until_processed(settings, seconds=BOUND)
    assert len(await read_all(settings, topics.dead_letters.name)) == 11
    assert len(await read_all(settings, topics.billing_events.name)) == 9


async def test_the_limit_holds_only_once_the_window_is_full(
    settings: Settings, topics: Topics, tmp_path: Path
) -> None:
    """A first wrong record is no reason to stop; a restart forgets none of the records before it."""
    await produce(settings, records(topics, wrong=9, right=1))
    with running(settings, tmp_path / "worker.log") as worker:
        await wait_until_processed(settings, seconds=BOUND)
    assert len(await read_all(settings, topics.dead_letters.name)) == 9

    await produce(settings, records(topics, wrong=2, right=8, begin=1))
    assert "55% of the latest 20 records" in refusal(worker)
    assert len(await read_all(settings, topics.dead_letters.name)) == 9


async def test_held_and_not_ours_do_not_count(settings: Settings, topics: Topics, tmp_path: Path) -> None:
    """A hospital that sends other things, too, or an unknown one, does not stop the worker."""
    values = [said("N", code="Q2042")] * 15 + [said("H", sending_facility="elsewhere")] * 15
    await produce(settings, [Sent(topics.lab_procedures.name, value, b"k", partition=0) for value in values])
    with running(settings, tmp_path / "worker.log") as worker:
        await wait_until_processed(settings, seconds=BOUND)
        assert worker.process.exit_code is None
    assert len(await read_all(settings, topics.decisions.name)) == 30
