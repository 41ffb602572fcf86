"""``make bench``: Perdiem beside what people would use instead, and what it costs as the work grows."""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

import msgspec

from bench.ground import HEAP_MB, Ground
from bench.latency import latencies
from bench.measure import FAILURES
from bench.pages import page_by_page, with_and_without
from bench.report import Report, machine, tables
from bench.restore import restores
from bench.sizes import FULL, QUICK, Sizes
from bench.systems import SYSTEMS, BenchError
from bench.throughput import by_partitions, by_repeats, by_workers, side_by_side, warm_up
from streams.errors import PerdiemError
from streams.local_kafka import LocalKafka

Part = Callable[[Ground, Sizes], AsyncIterator[Any]]
PARTS: dict[str, Part] = {
    "throughput": side_by_side,
    "latency": latencies,
    "workers": by_workers,
    "partitions": by_partitions,
    "repeats": by_repeats,
    "restore": restores,
    "pages": with_and_without,
    "costs": page_by_page,
}
"""In this order; each fills the field of the same name in Report."""
LATEST = Path(__file__).parent / "latest.json"
FOLDER = Path("var/bench")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small inputs, one round")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; else all")
    given = parser.parse_args()
    if unknown := [part for part in given.parts if part not in PARTS]:
        parser.error(f"{unknown[0]}: one of {', '.join(PARTS)} expected")
    report = Report(machine=machine(), quick=given.quick)
    report.notes = [f"{system.label}: skipped, {why}." for system in SYSTEMS if (why := system.missing())]
    rmtree(FOLDER, ignore_errors=True)
    # What clients say while topics are being created is of no interest here.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        with LocalKafka(FOLDER / "kafka", heap_mb=HEAP_MB) as kafka:
            asyncio.run(_measure(report, Ground(kafka, FOLDER.absolute()), given.parts or [*PARTS]))
    except PerdiemError as error:
        sys.exit(f"bench: {error}")
    print(*tables(report), sep="\n")


async def _measure(report: Report, ground: Ground, parts: list[str]) -> None:
    """Fill ``report``, telling each figure as it comes, and keep it as it grows."""
    sizes = QUICK if report.quick else FULL
    begun = time.monotonic()
    await warm_up(ground)
    for part in parts:
        async for row in _rows(part, ground, sizes):
            if isinstance(row, BenchError):
                report.notes.append(str(row))
                said = str(row)
            else:
                getattr(report, part).append(row)
                said = ", ".join(f"{k}={_short(v)}" for k, v in msgspec.structs.asdict(row).items())
            LATEST.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
            print(f"{time.monotonic() - begun:6.0f} s  {part}: {said}", file=sys.stderr, flush=True)


async def _rows(part: str, ground: Ground, sizes: Sizes) -> AsyncIterator[Any]:
    """What ``part`` measures; where it cannot go on, why, and the other parts go on."""
    try:
        async for row in PARTS[part](ground, sizes):
            yield row
    except FAILURES as error:
        yield BenchError(f"{part}: {type(error).__name__}: {error}")


def _short(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
