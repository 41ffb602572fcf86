"""Links: one-time links, each of which logs in once, at whichever worker."""

import secrets
import time
from collections.abc import Sequence

import msgspec

from streams.once.owner import Owner
from streams.views.secret import LINK_WITHIN, Secret
from streams.views.tokens import digest
from streams.views.workers import Question, Workers


class Used(msgspec.Struct, frozen=True):
    """Says that a link, by its digest, is used now. ``by`` names this one use."""

    link: str
    by: str


class Links:
    """Each worker remembers the links that were used anywhere while it ran."""

    def __init__(self, secret: Secret, workers: Workers) -> None:
        self._secret = secret
        self._workers = workers
        self._used: dict[str, tuple[str, float]] = {}
        """By the link's digest: its first use, and until when it could be tried again."""
        self._question: Question[Used, bool] = Question(
            "link-used", Used, bool, (), self._first_here, every=True
        )
        workers.add(self._question)

    async def use(self, link: str) -> tuple[str, str] | None:
        """User and role of ``link``, at its first use; None for what is none of ours or was used."""
        try:
            named = self._secret.linked(link)
        except ValueError:
            return None
        used = Used(digest(link), secrets.token_hex(8))
        first = await self._first_here((), used) and all(
            (await self._workers.ask(self._question, used)).found
        )
        return named if first else None

    async def _first_here(self, owners: Sequence[Owner], used: Used) -> bool:
        """Whether no other use of it is known here. Of two at once each hears of the other: neither is."""
        now = time.time()
        self._used = {link: kept for link, kept in self._used.items() if kept[1] > now}
        first, _ = self._used.setdefault(used.link, (used.by, now + LINK_WITHIN))
        return first == used.by
