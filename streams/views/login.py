"""Login: how a browser shows who it is, once, and is known by a session then."""

import secrets
import time
from hmac import compare_digest
from typing import Any

import aiohttp_session
from aiohttp import web
from aiohttp_session.cookie_storage import EncryptedCookieStorage

from streams.views.failures import Failures
from streams.views.person import Person
from streams.views.rights import Role
from streams.views.secret import LINK_WITHIN, Secret
from streams.views.tokens import Tokens, digest

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


class Login:
    """Tells who asks, by a bearer token or by the session that a login left."""

    def __init__(self, secret: Secret, tokens: Tokens) -> None:
        self._secret = secret
        self._tokens = tokens
        self.failures = Failures()
        self._used: dict[str, float] = {}
        """One-time links by digest: until when each could be tried again."""

    async def person(self, request: web.Request) -> Person | None:
        """Who asks; None for nobody. Raises ``HTTPTooManyRequests`` as ``check`` does."""
        given = request.headers.get("Authorization", "")
        if given.startswith("Bearer "):
            return self._bearer(request, given.removeprefix("Bearer "))
        session = await aiohttp_session.get_session(request)
        return self._of(session)

    def _bearer(self, request: web.Request, given: str) -> Person | None:
        self.check(request)
        token = self._tokens.find(given)
        if token is None:
            self.failures.add(address(request))
            return None
        return Person(token.user, token.role)

    def _of(self, session: aiohttp_session.Session) -> Person | None:
        known: Any = session.get("person")
        if session.new or known is None or known["until"] < time.time():
            return None
        if known["token"] is not None and self._tokens.of_digest(known["token"]) is None:
            return None  # taken out of the file since then
        return Person(known["user"], Role(known["role"]), session["csrf"])

    def check(self, request: web.Request) -> None:
        """Raises ``HTTPTooManyRequests`` for an address that was wrong too often."""
        if wait := self.failures.wait(address(request)):
            raise web.HTTPTooManyRequests(headers={"Retry-After": f"{wait:.0f}"})

    async def with_token(self, request: web.Request, given: str) -> Person | None:
        """Begin a session with a token, or with a one-time link's; None if it is none."""
        self.check(request)
        token = self._tokens.find(given)
        if token is not None:
            return await self.begin(request, token.user, token.role, token.sha256)
        try:
            user, role = self._secret.linked(given)
        except ValueError:
            self.failures.add(address(request))
            return None
        if not self._first_use(given):
            return None
        return await self.begin(request, user, Role(role))

    async def begin(self, request: web.Request, user: str, role: Role, token: str | None = None) -> Person:
        """A session of its own from now on: what was known before is forgotten."""
        session = await aiohttp_session.new_session(request)
        csrf = secrets.token_urlsafe(24)
        session["csrf"] = csrf
        session["person"] = {
            "user": user,
            "role": role.value,
            "token": token,
            "until": time.time() + SESSION_WITHIN,
        }
        return Person(user, role, csrf)

    async def end(self, request: web.Request) -> None:
        """From now on it is a session of nobody. To delete the cookie would not do: aiohttp-session says so
        without Secure, and of one of this prefix browsers do not take that."""
        await aiohttp_session.new_session(request)
        await self.csrf(request)

    async def csrf(self, request: web.Request) -> str:
        """What the forms of this session must send, also before anybody logged in."""
        session = await aiohttp_session.get_session(request)
        if "csrf" not in session:
            session["csrf"] = secrets.token_urlsafe(24)
        return str(session["csrf"])

    async def check_form(self, request: web.Request, person: Person | None) -> None:
        """Raises ``HTTPForbidden`` for a form that is not of a page of this session."""
        if person is not None and person.csrf is None:
            return  # no browser sends a bearer token by itself
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise web.HTTPForbidden(reason="The form of another site")
        sent = (await request.post()).get("csrf", "")
        if not compare_digest(str(sent).encode(), (await self.csrf(request)).encode()):
            raise web.HTTPForbidden(reason="A form of this session expected: open the page again")

    def _first_use(self, link: str) -> bool:
        now, name = time.time(), digest(link)
        self._used = {used: until for used, until in self._used.items() if until > now}
        first = name not in self._used
        self._used[name] = now + LINK_WITHIN
        return first


def address(request: web.Request) -> str:
    return request.remote or "unknown"
