"""What the bench tells."""

import msgspec

from bench.latency import Latency
from bench.measure import Throughput
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
