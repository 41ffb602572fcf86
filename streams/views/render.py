"""Render: templates filled in, and how figures are written in them."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from models import explain
from models.dates import time_of
from models.explain import SERVICES, STATUSES, version
from streams.views.pictures import LANES_WIDTH, columns, curve, equation, flow, lanes

NOT_KNOWN = "\N{EN DASH}"


def render(template: str, **values: Any) -> str:
    """The text of ``template`` filled in; whatever stands in ``values`` is escaped."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("streams.views"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"NOT_KNOWN": NOT_KNOWN, "flow": flow, "columns": columns, "curve": curve}
    made.globals |= {"equation": equation, "explain": explain}
    made.globals |= {"lanes": lanes, "LANES_WIDTH": LANES_WIDTH}
    made.globals |= {"SERVICES": SERVICES, "STATUSES": STATUSES, "version": version}
    made.filters |= {"count": count, "words": words, "duration": duration, "moment": moment}
    return made


def count(number: float | None) -> str:
    """With thin groups of thousands; a dash for what is not known."""
    return NOT_KNOWN if number is None else f"{number:,.0f}"


def words(name: str | None) -> str:
    """What programs write with underscores, as people do."""
    return (name or "").replace("_", " ")


def duration(seconds: float | None) -> str:
    """In the largest unit that gives two figures."""
    if seconds is None:
        return NOT_KNOWN
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def moment(milliseconds: int | None) -> str:
    """UTC, to the second."""
    at = None if milliseconds is None else time_of(milliseconds)
    return NOT_KNOWN if at is None else at.strftime("%Y-%m-%d %H:%M:%S")
