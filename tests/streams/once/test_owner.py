"""Owner: one source partition held by a worker."""

from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.once import OnceApp, Table
from streams.once.owner import Owner, State, transactional_id
from streams.once.store import Store
from tests.streams.once.fakes import FakeProducer, an_owner


def test_the_transactional_id_is_a_contract() -> None:
    """It names app, agent, source and partition: with any other id a successor would not fence the owner."""
    assert transactional_id("perdiem", "ledger", TopicPartition("perdiem.procedures", 7)) == (
        "perdiem-ledger-perdiem.procedures-7"
    )


def test_an_owner_is_polled_only_when_ready_and_idle(owner: Owner) -> None:
    """One batch at a time, and none before the state is whole."""
    pollable = {}
    for state in State:
        owner.state = state
        pollable[state] = owner.pollable
    assert [state for state, can_be in pollable.items() if can_be] == [State.READY]
    owner.state = State.READY
    owner.drained()
    assert not owner.pollable
    owner.moved(1, "digest")
    assert owner.pollable


class Broken(FakeProducer):
    async def stop(self) -> None:
        raise KafkaError


@pytest.mark.parametrize("producer", [FakeProducer, Broken])
async def test_a_released_owner_gives_its_store_free(
    app: OnceApp, table: Table[str, int], tmp_path: Path, producer: type[FakeProducer]
) -> None:
    """Whoever acquires the partition again can open it, however the producer ended."""
    owner = an_owner(app, table)
    owner.producer = cast(Any, producer())
    await owner.release()
    assert owner.released
    Store(tmp_path / "0" / "changelog-3", "cluster", "changelog", 3).close()
