"""Pictures: where the shapes of a chart lie. Templates draw them, and say the same in words."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from models.billing import Outcome

GROUPS: dict[str, tuple[Outcome, ...]] = {
    "charged": (Outcome.REPORTED, Outcome.CORRECTED),
    "duplicate": (Outcome.ALREADY_REPORTED, Outcome.REPEATED, Outcome.SUPERSEDED),
    "waiting": (Outcome.HELD, Outcome.DEAD_LETTERED),
}
"""Outcomes that mean alike to whoever bills; what is in none is ``uncharged``."""
_GROUP_OF = {outcome.value: group for group, outcomes in GROUPS.items() for outcome in outcomes}
ORDER = ("charged", "duplicate", "uncharged", "waiting")
SAID = {
    "charged": "a charge stands",
    "duplicate": "duplicates: charged already",
    "uncharged": "not to be charged",
    "waiting": "wait for a person",
}


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """One group of outcomes as a band that grows out of what came in: a part of the whole height."""

    group: str
    said: str
    count: int
    outcomes: dict[str, int]
    path: str
    """Of an SVG path, in a view box of ``WIDTH`` by ``HEIGHT``."""
    middle: float
    """Where its text stands."""


WIDTH, HEIGHT, GAP = 100.0, 200.0, 12.0
LEAST = 3.0
"""A band is never thinner, so that one event of thousands is seen."""


def grouped(outcomes: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Outcomes by group, in the order of ``ORDER``; no group that is empty."""
    found: dict[str, dict[str, int]] = {group: {} for group in ORDER}
    for outcome, count in outcomes.items():
        found[_GROUP_OF.get(outcome, "uncharged")][outcome] = count
    return {group: each for group, each in found.items() if each}


def flow(outcomes: Mapping[str, int]) -> list[Band]:
    """How what came in divides into groups: bands from the left edge, where they lie on each other, to the
    right, where there is room between them."""
    groups = {group: each for group, each in grouped(outcomes).items() if sum(each.values()) > 0}
    total = sum(sum(each.values()) for each in groups.values())
    if not total:
        return []
    room = HEIGHT - GAP * (len(groups) - 1)
    sizes = {group: max(LEAST, room * sum(each.values()) / total) for group, each in groups.items()}
    scale = room / sum(sizes.values())
    bands = []
    left, right = (HEIGHT - room) / 2, 0.0
    for group, each in groups.items():
        size = sizes[group] * scale
        bands.append(
            Band(
                group=group,
                said=SAID[group],
                count=sum(each.values()),
                outcomes=each,
                path=_band(left, right, size),
                middle=right + size / 2,
            )
        )
        left += size
        right += size + GAP
    return bands


def _band(left: float, right: float, size: float) -> str:
    half = WIDTH / 2
    return (
        f"M0 {left:.1f} C{half} {left:.1f} {half} {right:.1f} {WIDTH} {right:.1f} "
        f"V{right + size:.1f} C{half} {right + size:.1f} {half} {left + size:.1f} 0 {left + size:.1f} Z"
    )


def group_of(outcome: Outcome) -> str:
    """What the outcome means to whoever bills."""
    return _GROUP_OF.get(outcome, "uncharged")


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A stacked column: of each group from where to where, as parts of the tallest column."""

    x: float
    parts: list[tuple[str, float, float]]
    """Group, top and height, in a view box of 100 high."""


def columns(each: Sequence[Mapping[str, int]], width: float) -> list[Column]:
    """Columns of outcomes, side by side on ``width``."""
    sums = [
        {group: max(0, sum(counts.values())) for group, counts in grouped(outcomes).items()}
        for outcomes in each
    ]
    tallest = max((sum(found.values()) for found in sums), default=0) or 1
    step = width / max(1, len(sums))
    made = []
    for number, found in enumerate(sums):
        bottom, parts = 100.0, []
        for group in ORDER:
            if height := 100 * found.get(group, 0) / tallest:
                bottom -= height
                parts.append((group, bottom, height))
        made.append(Column(x=number * step, parts=parts))
    return made


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A line over time; it breaks where nothing was measured."""

    points: list[str]
    """Of SVG polylines, in a view box of 100 high."""
    most: float
    """What the top of the box stands for."""
    last: float | None


def curve(values: Iterable[float | None], width: float, most: float | None = None) -> Curve:
    """``values`` at equal steps over ``width``; ``most`` is the top, else the highest value."""
    found = [*values]
    known = [value for value in found if value is not None]
    top = most or max(known, default=0) or 1.0
    step = width / max(1, len(found) - 1)
    lines: list[list[str]] = [[]]
    for number, value in enumerate(found):
        if value is None:
            if lines[-1]:
                lines.append([])
        else:
            lines[-1].append(f"{number * step:.1f},{100 - 96 * min(value, top) / top:.1f}")
    for line in lines:
        if len(line) == 1:  # a point alone would not be seen
            line.append(line[0])
    return Curve(
        points=[" ".join(line) for line in lines if line], most=top, last=known[-1] if known else None
    )


class Part(msgspec.Struct, frozen=True):
    """One outcome, or what has none yet, as a part of a bar."""

    name: str
    group: str
    count: int
    x: float
    width: float
    """Both of 100."""


class Equation(msgspec.Struct, frozen=True):
    """What came in, and what became of it: two bars on one scale. They end together, or do not close."""

    came_in: float
    """How long that bar is, of 100."""
    parts: list[Part]
    closes: bool


def equation(came_in: int, outcomes: Mapping[str, int], whole: int | None = None) -> Equation:
    """``whole`` is what all of the width stands for; else the larger side. What is below zero, as where not
    everybody was asked, has no length, and then nothing closes."""
    counted = [
        (name, group, count)
        for group, each in grouped(outcomes).items()
        for name, count in each.items()
        if count > 0
    ]
    decided = sum(outcomes.values())
    if came_in > decided:
        counted.append(("in flight", "flight", came_in - decided))
    scale = 100 / (whole or max(came_in, sum(count for *_, count in counted)) or 1)
    parts, x = [], 0.0
    for name, group, count in counted:
        parts.append(Part(name, group, count, x, count * scale))
        x += count * scale
    closes = came_in == decided and all(count >= 0 for count in outcomes.values())
    return Equation(max(0, came_in) * scale, parts, closes)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What happened at one time, to be drawn in the lane of this number."""

    lane: int
    at: float
    group: str
    said: str
    """Read to who points at it."""
    hollow: bool = False
    text: str = ""
    """Drawn beside it: a letter or two."""
    tie: tuple[str, ...] = ()
    """Points that share one of these are joined by a line."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    x: float
    y: float
    point: Point


class Lanes(msgspec.Struct, frozen=True, kw_only=True):
    """Points over time, in a view box of ``LANES_WIDTH`` by ``height``."""

    height: float
    lanes: list[tuple[str, float]]
    """Each name, and where its line lies."""
    marks: list[Mark]
    ties: list[str]
    """Of SVG polylines."""
    ticks: list[tuple[float, str]]


LANES_WIDTH, LANE = 760.0, 46.0
_LEFT, _RIGHT, _TOP, _FOOT, _APART, _NEAR = 170.0, 60.0, 8.0, 26.0, 104.0, 20.0


def lanes(names: Sequence[str], points: Iterable[Point], ticks: Mapping[float, str]) -> Lanes:
    """``points`` over time, beside each other where they would lie on each other.

    Of ``ticks`` those are named for which there is room.
    """
    ordered = sorted(points, key=lambda point: point.at)
    times = [*ticks, *(point.at for point in ordered)]
    first, last = min(times, default=0.0), max(times, default=0.0)

    def across(at: float) -> float:
        part = (at - first) / (last - first) if last > first else 0.0
        return round(_LEFT + 20 + part * (LANES_WIDTH - _LEFT - _RIGHT - 20), 1)

    marks: list[Mark] = []
    for point in ordered:
        x = across(point.at)
        near = sum(mark.point.lane == point.lane and x - mark.x < _NEAR for mark in marks)
        y = _TOP + LANE * (point.lane + 0.5) + (0, 13, -13)[near % 3]
        marks.append(Mark(x=x, y=y, point=point))
    ties: dict[str, list[str]] = {}
    for mark in marks:
        for tie in mark.point.tie:
            ties.setdefault(tie, []).append(f"{mark.x},{mark.y}")
    named: list[tuple[float, str]] = []
    for at, text in sorted(ticks.items()):
        if not named or across(at) - named[-1][0] >= _APART:
            named.append((across(at), text))
    return Lanes(
        height=_TOP + LANE * len(names) + _FOOT,
        lanes=[(name, _TOP + LANE * (number + 0.5)) for number, name in enumerate(names)],
        marks=marks,
        ties=[" ".join(line) for line in ties.values() if len(line) > 1],
        ticks=named,
    )
