"""What the engine needs to know about its surroundings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Settings of the engine. Times are seconds."""

    kafka: Mapping[str, Any]
    """Keyword arguments of every Kafka client: brokers, security."""
    data_dir: Path
    """Where the local stores live. A cache: it may be deleted at any time while no worker runs."""
    lanes: int = 4
    """How many partitions' commits of one agent overlap."""
    max_poll_records: int = 2000
    """The most records of one partition in one batch."""
    transaction_timeout: float = 24.0
    """After it the broker aborts a transaction that nobody ended."""
    restore_timeout: float = 60.0
    """The longest that a restore may go without progress."""
    session_timeout: float = 10.0
    heartbeat: float = 2.0
    partitions: int = 8
    """Of every source topic and changelog. Fixed at creation."""

    @property
    def unit_deadline(self) -> float:
        """The longest that one unit of work may take: half of what the broker allows."""
        return self.transaction_timeout / 2

    @property
    def request_timeout(self) -> float:
        """The longest wait for one answer: a broker that is gone must leave time to ask another."""
        return max(1.0, self.unit_deadline / 4)
