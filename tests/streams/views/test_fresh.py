"""What many look at costs no more than one look."""

import asyncio

import pytest

from streams.views.fresh import Fresh


class Made:
    """Counts how often something is made; at first that fails ``failures`` times."""

    def __init__(self, failures: int = 0) -> None:
        self.times = 0
        self._failures = failures

    async def make(self) -> int:
        self.times += 1
        await asyncio.sleep(0)
        if self.times <= self._failures:
            raise ConnectionError
        return self.times


async def test_many_who_look_at_once_cost_one_look() -> None:
    """Twenty open pages ask the workers no more often than one does."""
    made = Made()
    fresh = Fresh(made.make, seconds=60)
    assert await asyncio.gather(*(fresh.get() for _ in range(20))) == [1] * 20
    assert made.times == 1


async def test_what_is_too_old_is_made_anew() -> None:
    """Nobody is shown what is older than promised."""
    fresh = Fresh(Made().make, seconds=0.02)
    assert await fresh.get() == 1
    await asyncio.sleep(0.03)
    assert await fresh.get() == 2


async def test_a_failure_is_not_kept() -> None:
    """Whoever looks next is shown what there is by then."""
    fresh = Fresh(Made(failures=1).make, seconds=60)
    with pytest.raises(ConnectionError):
        await fresh.get()
    assert await fresh.get() == 2
