"""Person: who has opened a page, and what they may do there."""

from dataclasses import dataclass

from streams.views.rights import RIGHTS, Right, Role


@dataclass(frozen=True)
class Person:
    """Somebody, or a program, that has shown who it is."""

    user: str
    role: Role
    csrf: str | None = None
    """What forms of this session must send; None where a bearer token came with the request itself."""

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]

    @property
    def unmasked(self) -> bool:
        """Whether patients are shown whole."""
        return self.may(Right.UNMASK)
