"""Overview: what this worker does, for people at ``/`` and for programs under the same path as JSON."""

from collections import Counter
from html import escape
from typing import Any

import msgspec
from faust.web import Request, Response, View

from streams.once import OnceApp
from streams.once.owner import Owner, State


class Partition(msgspec.Struct):
    """One source partition of this worker.

    ``lag`` counts the offsets behind ``position``, ``restored`` and ``to_restore`` those of the changelog:
    transaction markers included, which are no records.
    """

    agent: str
    topic: str
    partition: int
    state: str
    restored: int
    to_restore: int
    seconds_left: float | None
    position: int
    lag: int | None


class Overview(msgspec.Struct):
    """What this worker does. ``outcomes`` counts since it started; follow-ups are not counted as events."""

    verdict: str
    partitions: list[Partition]
    outcomes: dict[str, int]
    charges: int
    credits: int


def overview(app: OnceApp) -> Overview:
    """The state of this worker, without patient data."""
    owners = sorted(app.tables.owners.values(), key=lambda owner: owner.tp)
    counts: Counter[str] = sum((owner.counts for owner in owners), Counter())
    passed = {"charge", "credit", "passed_on", "follow_up"}
    return Overview(
        verdict=_verdict(app, owners),
        partitions=[_partition(app, owner) for owner in owners],
        outcomes={name: counts[name] for name in sorted(counts) if name not in passed},
        charges=counts["charge"],
        credits=counts["credit"],
    )


def _partition(app: OnceApp, owner: Owner) -> Partition:
    consumer: Any = app.consumer
    end = consumer.thread.log_end(owner.tp) if owner.state is State.READY else None
    left = owner.restore.seconds_left if owner.state is State.RESTORING else None
    return Partition(
        agent=owner.agent.name,
        topic=owner.tp.topic,
        partition=owner.tp.partition,
        state=owner.state,
        restored=owner.restore.done,
        to_restore=owner.restore.total,
        seconds_left=left,
        position=owner.position,
        lag=None if end is None else max(0, end - owner.position),
    )


def _verdict(app: OnceApp, owners: list[Owner]) -> str:
    if app.rebalancing:
        return "rebalancing"
    if not app.tables.watch.in_touch:
        return "cut off: Kafka does not answer"
    if not owners:
        return "no partitions"
    waiting = sum(owner.state is not State.READY for owner in owners)
    return f"restoring {waiting} of {len(owners)} partitions" if waiting else "running"


def mount(app: OnceApp) -> None:
    @app.page("/")
    async def index(view: View, request: Request) -> Response:
        """The overview: JSON for who accepts it, else a page."""
        found = overview(app)
        wanted: Any = request
        if "application/json" in wanted.headers.get("Accept", ""):
            return view.json(msgspec.to_builtins(found))
        return view.html(_page(found))


def _page(found: Overview) -> str:
    partitions = "".join(
        f"<tr><td>{escape(p.agent)}<td>{escape(p.topic)}<td class=n>{p.partition}<td>{p.state}"
        f"<td class=n>{p.position:,}<td class=n>{'' if p.lag is None else f'{p.lag:,}'}"
        f"<td class=n>{_progress(p)}"
        for p in found.partitions
    )
    outcomes = "".join(
        f"<tr><td>{escape(name.replace('_', ' '))}<td class=n>{count:,}"
        for name, count in found.outcomes.items()
    )
    return _PAGE.format(
        verdict=escape(found.verdict),
        charges=f"{found.charges:,}",
        credits=f"{found.credits:,}",
        outcomes=outcomes or "<tr><td colspan=2>No event yet",
        partitions=partitions or "<tr><td colspan=7>None",
    )


def _progress(partition: Partition) -> str:
    if partition.state != State.RESTORING:
        return ""
    left = "" if partition.seconds_left is None else f", {partition.seconds_left:.0f} s left"
    return f"{partition.restored:,} of {partition.to_restore:,}{left}"


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Perdiem: {verdict}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
body {{ margin: 2rem auto; max-width: 60rem; padding: 0 1rem }}
h1 {{ font-size: 1.4rem }} h2 {{ font-size: 1.1rem; margin-top: 2rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border-bottom: 1px solid #8884; padding: .25rem .5rem; text-align: left }}
div {{ overflow-x: auto }}
.n {{ text-align: right; font-variant-numeric: tabular-nums }}
</style>
<h1>Perdiem is {verdict}</h1>
<p>Since this worker started: <b>{charges}</b> charges, <b>{credits}</b> credits.
This page as JSON: ask for <code>Accept: application/json</code>.</p>
<h2>Decisions of this worker since it started</h2>
<p>The first decision of each event it processed. A later event may change what is true of an earlier one:
<code>perdiem audit</code> counts what is true now.</p>
<table><tr><th>Outcome<th class=n>Events{outcomes}</table>
<h2>Partitions of this worker</h2>
<div><table><tr><th>Agent<th>Source<th class=n>Partition<th>State<th class=n>Position<th class=n>Lag
<th class=n>Restore
{partitions}</table></div>
</html>"""
