"""``perdiem reconcile``: what came in held against what became of it."""

import asyncio
import csv
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import app, counted
from streams.cli.options import AsJson

if TYPE_CHECKING:
    from models.reconciliation import Line, Reconciliation
    from models.tally import Bucket

NONE = "(none)"


@app.command()
def reconcile(
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="One service date; else all.")
    ] = None,
    facility: Annotated[str | None, typer.Option(help="One facility, by its id; else all.")] = None,
    unacknowledged_after: Annotated[
        float,
        typer.Option(
            min=0, metavar="HOURS", help="Standing charges of which billing said nothing for so long."
        ),
    ] = 24,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until the pipeline has caught up; 0 does not.")
    ] = 0,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets: a row for each bucket.")] = False,
    examples: Annotated[int, typer.Option(min=0, help="How many ids of charges to show.")] = 20,
) -> None:
    """Hold what came in against what became of it; exit 0 only if it balances.

    Records on their way through the pipeline have no outcome yet and do not balance: see --wait.
    """
    from streams.in_flight import wait_until_processed
    from streams.reconcile import Part, ReconcileError, reconcile_topics
    from streams.settings import Settings
    from streams.spreadsheet import rows

    if as_json and as_csv:
        raise ReconcileError("--json, --csv: expected one of them")
    settings = Settings.load()
    if wait:
        asyncio.run(wait_until_processed(settings, seconds=wait))
    part = Part(date.date() if date else None, facility)
    made = asyncio.run(reconcile_topics(settings, part, after_hours=unacknowledged_after, examples=examples))
    if as_json:
        print(json.dumps(made.told(), indent=2))
    elif as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows(made.lines))
    else:
        for line in lines(made):
            print(line)
    raise typer.Exit(0 if made.balances else 1)


def lines(made: "Reconciliation") -> Iterator[str]:
    """For a person: the equation, a line for each bucket and one for all, the verdict, the figures."""
    yield "Events in = the sum of their latest outcomes + in flight"
    yield ""
    yield from _buckets(made)
    yield ""
    yield from _verdict(made)
    yield ""
    yield from _figures(made)


def _buckets(made: "Reconciliation") -> Iterator[str]:
    from models.reconciliation import in_order

    table = [("service date", "facility", "source", "in")]
    equations = [""]
    for bucket in sorted(made.lines, key=in_order):
        line = made.lines[bucket]
        table.append((*_named(bucket), f"{line.came_in:,}"))
        equations.append(f" = {_equation(line)}")
    table.append(("total", "", "", f"{made.total.came_in:,}"))
    equations.append(f" = {_equation(made.total)}")
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for (*names, came_in), equation in zip(table, equations, strict=True):
        left = "  ".join(name.ljust(width) for name, width in zip(names, widths, strict=False))
        yield f"{left}  {came_in.rjust(widths[-1])}{equation}".rstrip()


def _named(bucket: "Bucket") -> tuple[str, str, str]:
    day = bucket.service_date
    return (day.isoformat() if day else "no date", bucket.facility or NONE, bucket.source or NONE)


def _equation(line: "Line") -> str:
    terms = [f"{count:,} {what.replace('_', ' ')}" for what, count in line.outcomes.items()]
    if line.in_flight or not terms:
        terms.append(f"{line.in_flight:,} in flight")
    return " + ".join(terms)


def _verdict(made: "Reconciliation") -> Iterator[str]:
    if made.balances:
        yield "It balances."
        return
    yield "It does not balance."
    for bucket, line in made.unbalanced.items():
        where = ", ".join(_named(bucket))
        if line.in_flight > 0:
            yield f"{where}: {counted(line.in_flight, 'event')} in flight"
        else:
            yield f"{where}: {-line.in_flight:,} more decided than came in"
    for bucket, more in made.miscounted.items():
        apart = ", ".join(f"{count:+,} {kind}" for kind, count in more.items() if count)
        yield f"{', '.join(_named(bucket))}: billing events written against counted: {apart}"


def _figures(made: "Reconciliation") -> Iterator[str]:
    from models.billing import Acknowledged

    total, lag = made.total, made.lag
    share = "none came in" if total.late_share is None else f"{total.late_share:.1%} of the events in"
    acknowledged = ", ".join(
        f"{made.standing.get(status, 0):,} {status.replace('_', ' ')}" for status in Acknowledged
    )
    suppressed = ", ".join(f"{n:,} {cause.replace('_', ' ')}" for cause, n in total.suppressed.items())
    figures = {
        "charges": f"{total.charges:,}",
        "credits": f"{total.credits:,}",
        "standing": f"{total.standing:,}",
        "acknowledged": f"{acknowledged}, {made.standing.get(None, 0):,} not at all{_forgotten(made)}",
        "duplicates": f"{sum(total.suppressed.values()):,} suppressed: {suppressed}",
        "late": f"{total.late:,}, {share}",
        "charge lag": "no charge says when its service was performed",
    }
    if lag.median is not None and lag.p95 is not None:
        figures["charge lag"] = (
            f"half within {_lasted(lag.median)}, 95 of 100 within {_lasted(lag.p95)} "
            f"({counted(lag.charges, 'first charge')})"
        )
    for name, figure in figures.items():
        yield f"{name:<14}{figure}"
    waiting = made.unacknowledged
    hours = f"{waiting.after_hours:g} h"
    yield f"{'unanswered':<14}{counted(waiting.count, 'standing charge')} not acknowledged after {hours}"
    for charge in waiting.ids:
        yield f"{'':<14}{charge}"
    if waiting.count > len(waiting.ids):
        yield f"{'':<14}and {waiting.count - len(waiting.ids):,} more: see --examples"


def _forgotten(made: "Reconciliation") -> str:
    """Why more charges stand than are known by what billing said of them."""
    forgotten = made.total.standing - sum(made.standing.values())
    return f", {forgotten:,} of days that were forgotten" if forgotten > 0 else ""


def _lasted(seconds: float) -> str:
    """``3 days, 2:15:00``; to the second, and below a minute to the millisecond."""
    if abs(seconds) < 60:
        return f"{seconds:.3f} s"
    return f"{'-' if seconds < 0 else ''}{timedelta(seconds=round(abs(seconds)))}"
