"""Workers crash at every step of a commit, and still every service is charged once."""

import signal
from pathlib import Path

import pytest

from streams.once import Step
from streams.settings import Settings
from tests.chaos.faulty import installed

pytestmark = pytest.mark.chaos

Moment = tuple[str, Step, str]

STEPS = list(Step)[1:]
"""Without the filling: whoever crashes there has sent nothing, as before the first of these."""
AGENTS = ("intake", "ledger", "holds", "identity")
ALL: list[Moment] = [
    (agent, step, when) for agent in AGENTS for step in STEPS for when in ("before", "after")
]
WORST = {(Step.WRITE, "after"), (Step.COMMIT, "after"), (Step.STORE, "before")}
FEW = [each for each in ALL if each[1:] in WORST and (each[0] in AGENTS[:2] or each[1] is Step.COMMIT)]
ENOUGH = 250
"""Records before each crash: every partition has some, so that each agent commits often enough."""


@pytest.mark.parametrize(
    "moments", [pytest.param(FEW, id="few"), pytest.param(ALL, id="all", marks=pytest.mark.long)]
)
async def test_a_crash_at_any_step_of_a_commit_charges_nothing_twice_and_loses_nothing(
    settings: Settings, tmp_path: Path, moments: list[Moment]
) -> None:
    """Each worker goes on where one crashed, by turns on two machines: its stores are not the latest."""
    async with installed(settings, tmp_path, patients=400) as faulty:
        for number, (agent, step, when) in enumerate(moments):
            await faulty.play(ENOUGH)
            crash = f"crash:{agent}:{step.name}:{when}:{1 + number % 3}"
            worker = faulty.start(crash, machine=number % 2)
            assert await faulty.ended(worker) == -signal.SIGKILL, crash
        await faulty.play()
        await faulty.ready()
        report = await faulty.end()
    print(f"\n{len(moments)} crashes, {faulty.sent} events; people: {faulty.people.did}")
    assert report.replayed == 0
