"""Sizes: how much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Of one bench. Times are seconds."""

    events: int
    """Records in the input of a throughput run."""
    rounds: int
    """How often each system is run, one after the other."""
    growth_rounds: int
    """The same, where Perdiem alone is run as something grows."""
    partitions: tuple[int, ...]
    repeats: tuple[float, ...]
    workers: tuple[int, ...]
    rates: tuple[int, ...]
    """Events a second, for latency."""
    latency_seconds: float
    latency_warmup: float
    patient_days: tuple[int, ...]
    """Sizes of the state, growing, for restore and memory."""
    page_events: int
    """Records in the input of a run with people at the pages, or without."""
    page_pairs: int
    page_state: int
    """Records behind the pages whose cost is measured one by one."""


FULL = Sizes(
    events=120_000,
    rounds=5,
    growth_rounds=3,
    partitions=(1, 4, 16, 64),
    repeats=(0.0, 0.01, 0.5),
    workers=(1, 2),
    rates=(50, 1_000, 5_000),
    latency_seconds=20,
    latency_warmup=5,
    patient_days=(10_000, 100_000, 1_000_000),
    page_events=240_000,
    page_pairs=10,
    page_state=10_000,
)
QUICK = Sizes(
    events=30_000,
    rounds=1,
    growth_rounds=1,
    partitions=(1, 16),
    repeats=(0.0, 0.5),
    workers=(1, 2),
    rates=(50, 1_000),
    latency_seconds=6,
    latency_warmup=2,
    patient_days=(1_000, 10_000),
    page_events=60_000,
    page_pairs=2,
    page_state=3_000,
)
