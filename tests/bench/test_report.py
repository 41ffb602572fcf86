"""What the bench tells."""

import msgspec

from bench.latency import Latency
from bench.measure import Throughput
from bench.pages import Cost, Visited
from bench.report import Report, tables
from bench.restore import Restore
from bench.systems import FAUST_AS_IT_IS, FAUST_EXACTLY_ONCE, LEDGER, System


def run(
    system: System, rate: float, *, given: int = 100, events: int = 100, ended: bool = True
) -> Throughput:
    return Throughput(
        system=system.name,
        label=system.label,
        partitions=8,
        workers=1,
        repeats=0.0,
        given=given,
        events=events,
        rate=rate,
        cpu=100.0,
        broker_cpu=50.0,
        rss=90.0,
        ended=ended,
    )


def told(*runs: Throughput, notes: tuple[str, ...] = ()) -> str:
    report = Report(machine="2 cores", quick=False, notes=[*notes], throughput=[*runs])
    return "\n".join(tables(report))


def test_a_ratio_compares_runs_of_one_round() -> None:
    """A machine that is slow for a while is slow for both."""
    text = told(run(LEDGER, 8000), run(FAUST_AS_IT_IS, 200), run(LEDGER, 4000), run(FAUST_AS_IT_IS, 100))
    ratio = "| Perdiem, ledger, full rule / Faust exactly_once, as it comes | 40.00 (40.00-40.00) |"
    assert f"{ratio} 35 or more |" in text
    assert "| Faust exactly_once, as it comes | 150 (100-200) | 40 x |" in text


def test_the_goal_against_stock_faust_is_set_against_it_as_it_comes() -> None:
    """The tuned one is shown beside it, and is no goal."""
    text = told(run(LEDGER, 8000), run(FAUST_EXACTLY_ONCE, 400), run(FAUST_AS_IT_IS, 200))
    assert "Faust exactly_once, as it comes | 40.00 | 35 or more |" in text
    assert "Faust exactly_once, tuned | 20.00 | shown beside it |" in text


def test_events_that_a_system_at_rest_never_decided_are_told() -> None:
    """Lost events show; those that a slow system had no time for are no loss."""
    lost = run(FAUST_EXACTLY_ONCE, 100, events=93)
    assert "| 7 |" in told(lost)
    assert "cut short" in told(run(FAUST_EXACTLY_ONCE, 100, events=93, ended=False))


def test_what_was_not_measured_is_said_in_a_line() -> None:
    """A table without a peer says why."""
    assert "there is no JDK" in told(run(LEDGER, 1), notes=("Kafka Streams: skipped, there is no JDK.",))


def test_each_goal_stands_beside_what_was_measured() -> None:
    """Nobody has to look for the figure that was missed."""
    latency = Latency(
        system=LEDGER.name,
        label=LEDGER.label,
        rate=1000,
        p50=50.0,
        p99=180.0,
        worst=200.0,
        events=9,
        undecided=0,
    )
    small = Restore(
        patient_days=10,
        rate=9.0,
        rss_busy=100.0,
        warm=1.0,
        rss_warm=80.0,
        cold=2.0,
        rss_cold=90.0,
    )
    large = msgspec.structs.replace(small, patient_days=1000, rss_busy=170.0, cold=21.0)
    report = Report(machine="2 cores", quick=False, latency=[latency], restore=[small, large])
    text = "\n".join(tables(report))
    assert "| p99 at 1,000 events/s, Perdiem, ledger, full rule | 180 ms | under 150 ms |" in text
    assert "| ready with 1,000 patient-days, cold | 21.0 s | under 20 s" in text
    assert "| memory at 1,000 patient-days / 10, at work | 1.70 | 1.5 at most" in text


def visited(pair: int, people: int, rate: float) -> Visited:
    return Visited(pair=pair, people=people, rate=rate, cpu=60, broker_cpu=5, rss=250, pages=4, p50=9)


def told_of(*rows: Visited) -> str:
    return "\n".join(tables(Report(machine="2 cores", quick=False, pages=[*rows])))


def test_people_at_the_pages_may_cost_a_twentieth_and_surely_no_more() -> None:
    """A median below it is not enough where the interval goes beyond."""
    alike = [visited(pair, people, 100) for pair in range(10) for people in (0, 20)]
    assert "| +0.0% (+0.0% to +0.0%) | 5% more at most, with its interval of 95%: reached |" in told_of(
        *alike
    )
    rates = (100, 100, 100, 100, 100, 100, 80, 80, 80, 80)
    unsure = [
        visited(pair, people, rate if people else 100)
        for pair, rate in enumerate(rates)
        for people in (0, 20)
    ]
    assert "| +0.0% (+0.0% to +25.0%) | 5% more at most, with its interval of 95%: missed |" in told_of(
        *unsure
    )


def test_a_pair_of_which_a_run_failed_does_not_count() -> None:
    """Nothing is compared with the run of another pair."""
    whole = visited(1, 0, 100), visited(1, 20, 50)
    assert "1 pairs | +100.0%" in told_of(visited(0, 0, 400), *whole)
    assert "people" not in told_of(visited(0, 20, 400))


def test_what_pages_cost_is_told_as_how_many_a_twentieth_of_a_core_pays_for() -> None:
    """At each number of partitions; what an open overview costs stands beside it."""
    costs = [
        Cost(page=page, partitions=partitions, cpu=cpu, took=took, kib=9)
        for partitions, cpu in ((8, 2.0), (32, 5.0))
        for page, took in (("/", 3.0), ("/live", None))
    ]
    text = "\n".join(tables(Report(machine="2 cores", quick=False, costs=costs)))
    assert "| / | 2.0 | 3.0 | 9 | 5.0 | 3.0 | 9 |" in text
    assert "| /live | 2.0 |  | 9 | 5.0 |  | 9 |" in text
    assert "With 8 partitions a page costs 2.0 ms on average: 5% of a core pay for 25 a second." in text
    assert "With 32 partitions a page costs 5.0 ms on average: 5% of a core pay for 10 a second." in text
