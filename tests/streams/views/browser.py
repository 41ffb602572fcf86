"""Pages, served without Kafka, and a browser that keeps the cookie of one session."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import ClientSession, DummyCookieJar, web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDictProxy
from yarl import URL

from streams.access import Did
from streams.app import create_app
from streams.once import OnceApp
from streams.settings import Settings
from streams.views import mount
from streams.views.login import COOKIE
from streams.views.rights import Right
from streams.views.site import Asked, Shown, Site

LOOKED = "/looked-at/{name}"
"""A page of the tests, about a patient; its form gives a command."""
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Answer(NamedTuple):
    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def to(self) -> str:
        return self.headers.get("Location", "")


class Pages:
    """The pages that a worker with these settings serves."""

    site: Site
    url: URL

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def mount(self, app: OnceApp, site: Site, *rest: Any) -> None:
        """In place of ``streams.views.mount``: the tests add a page that notes looks and commands."""
        self.site = site
        mount(app, site, *rest)

        @site.page(LOOKED, Right.PATIENTS, "error.html")
        async def look(asked: Asked) -> Shown:
            if asked.person.unmasked:
                await asked.note(Did.LOOK, asked.names["name"])
            return web.Response(text=asked.person.user)

        @site.form(LOOKED, Right.DECIDE, "error.html")
        async def command(asked: Asked) -> Shown:
            await asked.note(Did.COMMAND, asked.names["name"])
            return web.Response(text=asked.person.user)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        faust: Any = create_app(self.settings).web
        faust.init_server()
        async with TestServer(faust.web_app, host="127.0.0.1") as server:
            self.url = server.make_url("/")
            yield

    async def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        whole: bool = True,
    ) -> Answer:
        """One request. ``whole`` is false for what never ends: its first lines are enough."""
        url = URL(f"{self.url}{path.removeprefix('/')}", encoded=True)
        async with (
            ClientSession(cookie_jar=DummyCookieJar()) as client,
            client.request(
                method,
                url,
                headers={"Accept": "text/html"} | dict(headers or {}),
                data=data,
                allow_redirects=False,
            ) as response,
        ):
            text = (await response.text()) if whole else (await response.content.readline()).decode()
            return Answer(response.status, response.headers, text)


class Browser:
    """Follows no redirect by itself."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.cookie: str | None = None
        self.csrf = ""

    async def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        return self._kept(await self._pages.ask(path, method, headers=self._headers(headers)))

    async def post(self, path: str, *, sent_from: str | None = None, **fields: str) -> Answer:
        """Sends a form, with the ``csrf`` of the page that was looked at last unless one is given."""
        data = {"csrf": self.csrf} | fields
        headers = {"Sec-Fetch-Site": sent_from} if sent_from else {}
        return self._kept(await self._pages.ask(path, "POST", headers=self._headers(headers), data=data))

    async def log_in(self, token: str, **fields: str) -> Answer:
        await self.get("/login")
        answer = await self.post("/login", token=token, **fields)
        if answer.status == 303:
            await self.get("/")
        return answer

    def _headers(self, given: Mapping[str, str]) -> dict[str, str]:
        return {**given} | ({"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {})

    def _kept(self, answer: Answer) -> Answer:
        for line in answer.headers.getall("Set-Cookie", ()):
            name, _, rest = line.partition("=")
            # As browsers do with this prefix.
            if name == COOKIE and "; Secure" in rest and "Path=/" in rest and "Domain" not in rest:
                self.cookie = rest.partition(";")[0].strip('"') or None
        if found := _CSRF.search(answer.text):
            self.csrf = found[1]
        return answer
