"""People: browsers that go round all pages of a worker, in a process of their own.

Each person logs in, keeps the overview open, which follows its worker by itself, and opens a page every
``think`` seconds. Where a page needs a name, people follow a link to it that they have seen, and they come
to a patient by searching for one, as anybody would.
"""

import asyncio
import html
import os
import re
import signal
import sys
import time
from collections.abc import Awaitable, Collection, Iterable, Iterator
from contextlib import aclosing, suppress
from itertools import cycle
from pathlib import Path

import msgspec
from aiohttp import ClientConnectionError, ClientPayloadError, ClientSession, CookieJar
from yarl import URL

from streams.settings import Settings

NICE = 19
"""People have machines of their own: here they take of the cores what nobody else wants."""
COME_WITHIN = 2.0
"""Seconds in which all log in: an open overview is renewed as often, so theirs are all the time."""
LIVE = "/live"
"""Never ends: it is held open, not opened again and again."""
SEARCH = "/find"
SEARCHING = f"POST {SEARCH}"
_NAME = re.compile(r"{\w+}")
_LINK = re.compile(r'href="(/[^"#]*)')
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
_GONE = (ClientConnectionError, ClientPayloadError, ConnectionResetError)


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is told."""

    url: str
    token: str
    patients: list[str]
    """``authority|MRN`` of whom people search for."""
    people: int
    think: float
    """Seconds between two pages of one person."""
    told: str
    """Path of the file that ``Told`` is written to in the end."""


class Told(msgspec.Struct, kw_only=True):
    """What came of a visit."""

    pages: dict[str, list[float]] = {}
    """By route: the milliseconds that each page took."""
    seconds: float = 0.0
    """From the first page to the last."""
    live: int = 0
    """Times that an open overview was renewed."""
    bytes: int = 0
    """Of pages that were opened, and of what came while an overview was."""
    refused: dict[str, int] = {}
    """By route and status: pages that were not shown."""
    cpu: float = 0.0
    """Seconds of CPU time that the people themselves used."""

    @property
    def opened(self) -> int:
        return sum(map(len, self.pages.values()))


class Links:
    """The links that somebody has seen, each as an address of the first route that it fits."""

    def __init__(self, routes: Collection[str]) -> None:
        self._fits = {
            route: re.compile("[^/?]+".join(map(re.escape, _NAME.split(route)))) for route in routes
        }
        self._seen: dict[str, str] = {}

    def see(self, text: str) -> None:
        """Remember the links of a page."""
        for link in dict.fromkeys(_LINK.findall(text)):
            self.add(html.unescape(link))

    def add(self, link: str) -> None:
        """The last of a route counts: so people go on from patient to patient."""
        path = link.partition("?")[0]
        route = next((route for route, fit in self._fits.items() if fit.fullmatch(path)), None)
        if route is not None:
            self._seen[route] = link

    def address(self, route: str) -> str | None:
        """Where ``route`` is; None where it needs a name and no link to it was seen."""
        return self._seen.get(route) if _NAME.search(route) else route


def steps(routes: Iterable[str], number: int) -> Iterator[str]:
    """A round without an end, which begins elsewhere for each ``number``; searching follows the form."""
    found: list[str] = []
    for route in routes:
        if route != LIVE:
            found += [route, SEARCHING] if route == SEARCH else [route]
    begin = number % max(1, len(found))
    return cycle(found[begin:] + found[:begin])


class Someone:
    """One person at a browser. All share ``links``, as colleagues do, and ``told``."""

    def __init__(self, url: str, links: Links, told: Told) -> None:
        self._url = URL(url)
        self._links = links
        self._told = told
        self._csrf = ""
        # Browsers, too, trust a worker on their own machine without TLS.
        jar = CookieJar(unsafe=True, treat_as_secure_origin=self._url)
        self._session = ClientSession(cookie_jar=jar, headers=_BROWSER)

    async def aclose(self) -> None:
        await self._session.close()

    async def log_in(self, token: str) -> None:
        """It ends at the overview. Raises PermissionError."""
        async with self._session.get(self._url / "login") as answer:
            self._read(await answer.text())
        sent = {"token": token, "csrf": self._csrf}
        async with self._session.post(self._url / "login", data=sent) as answer:
            if not answer.ok or answer.url.path == "/login":
                raise PermissionError(f"login: {answer.status}")
            self._read(await answer.text())

    async def open(self, route: str) -> bool:
        """Open one page; False where no link to it was seen."""
        link = self._links.address(route)
        if link is None:
            return False
        begun = time.monotonic()
        async with self._session.get(self._address(link)) as answer:
            self._read(await answer.text())
        self._note(route, answer.status, begun)
        return True

    async def search(self, patient: str) -> None:
        """Send the form of the search: one hit leads on by itself."""
        sent = {"text": patient, "authority": "", "csrf": self._csrf}
        begun = time.monotonic()
        async with self._session.post(self._address(SEARCH), data=sent, allow_redirects=False) as answer:
            await answer.read()
            self._links.add(answer.headers.get("Location", ""))
        self._note(SEARCHING, answer.status, begun)

    async def follow(self) -> None:
        """Keep the overview open."""
        async with self._session.get(self._address(LIVE), timeout=None) as answer:
            async for line in answer.content:
                self._told.live += line.startswith(b"retry:")
                self._told.bytes += len(line)

    def _read(self, text: str) -> None:
        self._told.bytes += len(text)
        self._links.see(text)
        if found := _CSRF.search(text):
            self._csrf = found[1]

    def _address(self, link: str) -> URL:
        return self._url.join(URL(link, encoded=True))

    def _note(self, route: str, status: int, begun: float) -> None:
        if status >= 400:
            name = f"{route} {status}"
            self._told.refused[name] = self._told.refused.get(name, 0) + 1
        else:
            self._told.pages.setdefault(route, []).append((time.monotonic() - begun) * 1000)


def routes(settings: Settings) -> list[str]:
    """The pages of a worker of these settings."""
    from streams.app import create_site

    return [path for method, path in create_site(settings).rights() if method == "GET"]


async def visit(asked: Visit, pages: Collection[str]) -> Told:
    """Go round once the worker is ready, until cancelled or until it is gone; what came of it."""
    told, links = Told(), Links(pages)
    with suppress(asyncio.CancelledError):
        await _until_ready(asked.url)
        begun, before = time.monotonic(), time.process_time()
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(asked.people):
                    tasks.create_task(_until_gone(_visitor(asked, pages, number, links, told)))
        finally:
            told.seconds = time.monotonic() - begun
            told.cpu = time.process_time() - before
    return told


async def _visitor(asked: Visit, pages: Collection[str], number: int, links: Links, told: Told) -> None:
    clock = asyncio.get_running_loop().time
    due = clock() + asked.think * number / asked.people
    patients = cycle(asked.patients[number :: asked.people])
    async with aclosing(Someone(asked.url, links, told)) as someone, asyncio.TaskGroup() as tasks:
        await asyncio.sleep(COME_WITHIN * number / asked.people)
        await someone.log_in(asked.token)
        tasks.create_task(someone.follow())
        await asyncio.sleep(max(0.0, due - clock()))
        for step in steps(pages, number):
            if step == SEARCHING:
                await someone.search(next(patients))
            elif not await someone.open(step):
                continue
            due += asked.think
            await asyncio.sleep(max(0.0, due - clock()))


async def _until_gone(visitor: Awaitable[None]) -> None:
    """A worker that is measured is killed in the end."""
    with suppress(*_GONE):
        try:
            await visitor
        except ExceptionGroup as group:
            if others := group.split(_GONE)[1]:
                raise others from None


async def _until_ready(url: str) -> None:
    async with ClientSession() as session:
        while True:
            with suppress(ClientConnectionError):
                async with session.get(f"{url}/readyz") as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.2)


async def _run(asked: Visit, pages: Collection[str]) -> Told:
    task = asyncio.ensure_future(visit(asked, pages))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def main() -> None:
    asked = msgspec.json.decode(sys.argv[1], type=Visit)
    os.nice(NICE)
    told = asyncio.run(_run(asked, routes(Settings.load())))
    Path(asked.told).write_bytes(msgspec.json.encode(told))


if __name__ == "__main__":
    main()
