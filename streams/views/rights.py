"""Rights: what each page asks for, and which role has it. The one rule of who may see what."""

from enum import StrEnum


class Right(StrEnum):
    """What a page or form asks of whoever opens it."""

    WATCH = "watch"
    """Figures without patients: the overview, the day, the metrics."""
    PATIENTS = "patients"
    """Pages about patients; they are masked without ``UNMASK``."""
    UNMASK = "unmask"
    DECIDE = "decide"
    """Commands: release, reject."""
    DEAD_LETTERS = "dead_letters"
    """Dead letters, and to have them tried again; what a source sent only with ``UNMASK``."""


class Role(StrEnum):
    """What a person, or a program, is to this installation."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    OPERATOR = "operator"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.WATCH, Right.PATIENTS}),
    Role.ANALYST: frozenset(Right),
    Role.OPERATOR: frozenset({Right.WATCH, Right.DEAD_LETTERS}),
}
