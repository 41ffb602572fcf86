"""Login: how a browser shows who it is, once, and is known by a session then."""

import secrets
import time
from hmac import compare_digest
from typing import Any, NamedTuple

import aiohttp_session
from aiohttp import web
from aiohttp_session.cookie_storage import EncryptedCookieStorage

from streams.views.failures import Failures
from streams.views.links import Links
from streams.views.person import Person
from streams.views.proxies import Proxies
from streams.views.rights import Role
from streams.views.secret import Secret
from streams.views.tokens import Token, Tokens

SESSION_WITHIN = 8 * 3600
"""Seconds: a working day, whatever happens in it."""
COOKIE = "__Host-perdiem"
"""The prefix has browsers refuse it without Secure, with a domain, or for a part of the pages."""


def sessions(secret: Secret) -> EncryptedCookieStorage:
    """Sessions live in the browser, encrypted: any worker reads them."""
    return EncryptedCookieStorage(
        secret.session,
        cookie_name=COOKIE,
        max_age=SESSION_WITHIN,
        secure=True,
        httponly=True,
        samesite="Lax",
    )


class Known(NamedTuple):
    """Who somebody has shown to be. ``token``: the digest of theirs, if one showed it."""

    user: str
    role: Role
    token: str | None = None


class Login:
    """Tells who asks, by a bearer token or by the session that a login left."""

    def __init__(self, tokens: Tokens, links: Links, proxies: Proxies) -> None:
        self._tokens = tokens
        self._links = links
        self._proxies = proxies
        self._failures = Failures()

    async def person(self, request: web.Request) -> Person | None:
        """Who asks; None for nobody. Raises ``HTTPTooManyRequests`` as ``check`` does."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            token = self._token(request, given.strip())
            return Person(token.user, token.role) if token else None
        session = await aiohttp_session.get_session(request)
        return self._of(session)

    def _of(self, session: aiohttp_session.Session) -> Person | None:
        kept: Any = session.get("person")
        if session.new or kept is None or kept["until"] < time.time():
            return None
        known = Known(kept["user"], Role(kept["role"]), kept["token"])
        if known.token is not None:
            token = self._tokens.of_digest(known.token)
            if token is None:
                return None  # taken out of the file since then
            known = Known(token.user, token.role)  # which the file may have changed
        return Person(known.user, known.role, session["csrf"])

    def check(self, request: web.Request) -> None:
        """Raises ``HTTPTooManyRequests`` for an address that was wrong too often."""
        if wait := self._failures.wait(self._proxies.origin(request)):
            raise web.HTTPTooManyRequests(
                reason=f"Too many failed logins: try again in {wait:.0f} s",
                headers={"Retry-After": f"{wait:.0f}"},
            )

    def failed(self, request: web.Request) -> None:
        self._failures.add(self._proxies.origin(request))

    def with_token(self, request: web.Request, given: str) -> Known | None:
        """Whose token ``given`` is. Raises ``HTTPTooManyRequests`` as ``check`` does."""
        token = self._token(request, given)
        return Known(token.user, token.role, token.sha256) if token else None

    def _token(self, request: web.Request, given: str) -> Token | None:
        self.check(request)
        token = self._tokens.find(given)
        if token is None:
            self.failed(request)
        return token

    async def with_link(self, request: web.Request, given: str) -> Known | None:
        """Whom a one-time link, not used before, names. Raises ``HTTPTooManyRequests`` as ``check`` does."""
        self.check(request)
        named = await self._links.use(given)
        if named is None:
            self.failed(request)
            return None
        user, role = named
        return Known(user, Role(role))

    async def begin(self, request: web.Request, known: Known) -> None:
        """A session of its own from now on: what was known before is forgotten."""
        session = await aiohttp_session.new_session(request)
        session["csrf"] = secrets.token_urlsafe(24)
        session["person"] = known._asdict() | {"until": time.time() + SESSION_WITHIN}

    async def end(self, request: web.Request) -> None:
        # An empty one would have the cookie deleted without Secure, which browsers refuse for its prefix.
        session = await aiohttp_session.new_session(request)
        session["csrf"] = secrets.token_urlsafe(24)

    async def csrf(self, request: web.Request) -> str:
        """What the forms of this session must send, also before anybody logged in."""
        session = await aiohttp_session.get_session(request)
        if "csrf" not in session:
            session["csrf"] = secrets.token_urlsafe(24)
        return str(session["csrf"])

    async def check_form(self, request: web.Request, person: Person | None) -> None:
        """Raises ``HTTPForbidden`` for a form that is not of a page of this session, and
        ``HTTPBadRequest`` for what is no form."""
        try:
            sent = (await request.post()).get("csrf", "")
        except (ValueError, LookupError):
            raise web.HTTPBadRequest(reason="A form that can be read expected") from None
        if person is not None and person.csrf is None:
            return  # no browser sends a bearer token by itself
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise web.HTTPForbidden(reason="The form of another site")
        if (await aiohttp_session.get_session(request)).new:
            raise web.HTTPForbidden(
                reason="The browser sent no cookie: it keeps one only from https, or from this machine itself"
            )
        if not compare_digest(str(sent).encode(), (await self.csrf(request)).encode()):
            raise web.HTTPForbidden(reason="A form of this session expected: open the page again")
