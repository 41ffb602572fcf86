"""``perdiem episode``: the course of a patient's therapy, from collection to administration."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import app, counted, words
from streams.cli.options import AsJson, ShowPatients

if TYPE_CHECKING:
    from models.episode import Episode, Missing, Notice, Step
    from streams.episode import Told


@app.command()
def episode(
    patient: Annotated[
        str,
        typer.Option(
            help="AUTHORITY|MRN. Any spelling that the facilities file knows, if PERDIEM_FACILITIES is set."
        ),
    ],
    missing_after: Annotated[
        int, typer.Option(min=0, metavar="DAYS", help="Days after which what should follow is missing.")
    ] = 30,
    as_json: AsJson = False,
    show_patients: ShowPatients = False,
) -> None:
    """Show the course of a patient's therapy: collection, transport, receipt, administration.

    With what is charged or why not, what is missing, and what to look at across days. It changes nothing.
    """
    import msgspec

    from streams.episode import of_patient
    from streams.facilities import read_facilities
    from streams.settings import Settings

    settings = Settings.load()
    facilities = read_facilities(settings.facilities) if settings.facilities else None
    today = datetime.now(UTC).date()
    found = asyncio.run(of_patient(settings, patient, facilities, today=today, patience=missing_after))
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(told(found, show_patients))).decode())
        return
    for line in lines(found, show_patients):
        print(line)


def lines(found: "Told", show_patients: bool = False) -> Iterator[str]:
    """For a person: each episode with its procedures by date, then what waits."""
    from models.explain import explain, subject

    if show_patients:
        yield f"Patient {found.patient}{', whom the one asked for was merged into' if found.merged else ''}"
    elif found.merged:
        yield "The patient was merged into another, whose episodes these are."
    for number, each in enumerate(found.episodes, start=1):
        yield from _episode(number, each)
        yield ""
    waiting = counted(len(found.waiting), "event")
    yield f"{waiting} of the patient held or among the dead letters{':' if found.waiting else '.'}"
    for made in found.waiting:
        yield f"  {made.event_id}: {subject(made)}"
        yield from (f"     {sentence}" for sentence in explain(made))


def _episode(number: int, episode: "Episode") -> Iterator[str]:
    first, last = episode.steps[0].on, episode.steps[-1].on
    products = f"products {', '.join(episode.products)}" if episode.products else "no product stated"
    yield f"Episode {number}: {first} to {last}, {products}"
    if episode.by_time:
        yield "  (not all of it shares a product: some was put here by its date)"
    for step in episode.steps:
        yield from _step(step)
    yield from (f"  missing: {_missing(missing)}" for missing in episode.missing)
    yield from (f"  warning: {_notice(notice)}" for notice in episode.notices)


def _step(step: "Step") -> Iterator[str]:
    from models.explain import SERVICES, explain

    about = step.statement
    known = (SERVICES[step.service], about.code, about.facility and f"at {about.facility}")
    stream = f"{about.stream} billing" if about.stream else None
    yield f"  {step.on}  {', '.join(filter(None, (*known, stream)))}"
    said = f", product {', '.join(about.product_ids)}" if about.product_ids else ""
    yield f"     procedure {about.procedure_id} of {about.source}{said}"
    if step.charge is not None:
        billed = f", {words(step.acknowledged)}" if step.acknowledged else ""
        yield f"     charge {step.charge.id} stands{billed}"
    for sentence in explain(step.decision)[step.charge is not None :]:
        yield f"     {sentence}"


def _missing(missing: "Missing") -> str:
    from models.explain import SERVICES

    after = f"{SERVICES[missing.given]} was on {missing.since}"
    held = f"; held: {', '.join(missing.waiting)}" if missing.waiting else ""
    return f"{SERVICES[missing.service]} ({after}){held}"


def _notice(notice: "Notice") -> str:
    from models.explain import SERVICES, WARNINGS

    dates = ", ".join(map(str, notice.dates))
    what = f"{SERVICES[notice.service]} on {dates}, product {', '.join(notice.products)}"
    return f"{WARNINGS[notice.warning]} ({what})"


def told(found: "Told", show_patients: bool = False) -> dict[str, Any]:
    """For programs. The patient only if asked for."""
    whose = {"patient": found.patient} if show_patients else {}
    return {
        **whose,
        "merged": found.merged,
        "episodes": [_told_episode(each) for each in found.episodes],
        "waiting": [
            {"event_id": made.event_id, "outcome": made.outcome, "reason": made.reason}
            for made in found.waiting
        ],
    }


def _told_episode(episode: "Episode") -> dict[str, Any]:
    return {
        "begins": episode.steps[0].on,
        "ends": episode.steps[-1].on,
        "products": episode.products,
        "by_time": episode.by_time,
        "steps": [_told_step(step) for step in episode.steps],
        "missing": [each._asdict() for each in episode.missing],
        "notices": [each._asdict() for each in episode.notices],
    }


def _told_step(step: "Step") -> dict[str, Any]:
    statement, made = step.statement, step.decision
    return {
        "service_date": step.on,
        "service": step.service,
        "code": statement.code,
        "facility": statement.facility,
        "stream": statement.stream,
        "performed": step.performed,
        "performed_start": statement.performed_start,
        "products": statement.product_ids,
        "source": statement.source,
        "procedure_id": statement.procedure_id,
        "event_id": statement.event_id,
        "outcome": made.outcome,
        "reason": made.reason,
        "covered_by": made.covered_by,
        "charge_id": step.charge.id if step.charge else None,
        "acknowledged": step.acknowledged,
        "warnings": made.warnings,
    }
