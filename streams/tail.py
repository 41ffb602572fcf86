"""The last records of a topic of ours, and those that follow; each in one line."""

from collections.abc import AsyncGenerator, Callable

from aiokafka import ConsumerRecord

from models.billing import decode_billing_event, decode_decision
from models.commands import command
from models.explain import REASONS, explain, line, subject
from models.worklist import decode_item
from streams.headers import COMMAND, EVENT_ID, ITEM, TYPE
from streams.reading import Span, reader
from streams.settings import Settings
from streams.topics import Topics


async def tail(
    settings: Settings, what: str, limit: int, *, follow: bool
) -> AsyncGenerator[ConsumerRecord, None]:
    """The last ``limit`` records of ``what``, one of ``LINES``, by time; then what comes.

    Raises ``BrokersError``, ``ReadingError``.
    """
    topics = Topics.of(settings)
    topic = {
        "billing": topics.billing_events,
        "decisions": topics.decisions,
        "held": topics.held,
        "dead-letters": topics.dead_letters,
    }[what].name
    async with reader(settings) as source:
        spans = await source.spans(topic)
        ends = {
            # Markers of transactions take offsets too: twice as many are looked at.
            partition: Span(max(span.begin, span.end - 2 * limit), span.end)
            for partition, span in spans.items()
        }
        last = [record async for records in source.read(ends) for record in records]
        last.sort(key=lambda record: record.timestamp)
        for record in last[len(last) - min(limit, len(last)) :]:
            yield record
        if follow:
            async for records in source.follow(topic, spans):
                for record in records:
                    yield record


def billing_line(record: ConsumerRecord, show_patients: bool) -> str:
    event = decode_billing_event(record.value)
    patient = f", patient {event.patient}" if show_patients else ""
    return f"{event.charge_id} {line(event)}{patient}. {REASONS[event.reason]}"


def decision_line(record: ConsumerRecord, show_patients: bool) -> str:
    decision = decode_decision(record.value)
    patient = f", patient {decision.patient}" if show_patients and decision.patient else ""
    outcome = decision.outcome.replace("_", " ")
    return f"{decision.event_id} {outcome}: {subject(decision)}{patient}. {' '.join(explain(decision)[1:])}"


def aside_line(record: ConsumerRecord, _show_patients: bool) -> str:
    """What was put aside, another item, or a command on one. Of what a source sent nothing is shown."""
    told = {name: (text or b"").decode(errors="replace") for name, text in record.headers}
    event_id = told.get(EVENT_ID, "?")
    kind = told.get(TYPE, "").encode()
    if kind == COMMAND:
        said = command.validate_json(record.value)
        return f"{event_id} command: {said.command.replace('_', ' ')} by {said.user}"
    if kind == ITEM:
        item = decode_item(record.value)
        return (
            f"{item.id} {item.kind.replace('_', ' ')}: {REASONS[item.reason] if item.reason else item.detail}"
        )
    why = told.get("__streams.errors.message") or told.get("__streams.errors.exception", "")
    return f"{event_id} {told.get('perdiem-reason', '?').replace('_', ' ')}: {why}"


LINES: dict[str, Callable[[ConsumerRecord, bool], str]] = {
    "billing": billing_line,
    "decisions": decision_line,
    "held": aside_line,
    "dead-letters": aside_line,
}
