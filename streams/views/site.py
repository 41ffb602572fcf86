"""Site: the pages, each with its JSON twin, and the guard that every request passes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import Any, NamedTuple

import aiohttp_session
import msgspec
from aiohttp import web
from faust.web import View
from yarl import URL

from streams.access import AccessLog, AccessLogError, Did
from streams.once import OnceApp
from streams.once.failure import where
from streams.settings import Settings
from streams.views.links import Links
from streams.views.login import Login, sessions
from streams.views.person import Person
from streams.views.proxies import Proxies
from streams.views.render import render
from streams.views.rights import Right
from streams.views.secret import Secret
from streams.views.tokens import Tokens
from streams.views.turns import Turns
from streams.views.workers import Workers

log = logging.getLogger(__name__)

HEADERS = {
    # Nothing from elsewhere, nothing inline, in nobody's frame.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    # What runs here, and which version of it, is nobody's business.
    "Server": "perdiem",
}
OPEN = frozenset(
    {
        *("/healthz", "/readyz", "/static/{name}", "/workers/{question}"),
        *("/login", "/login/oidc", "/login/oidc/callback"),
    }
)
"""What nobody need log in for; workers show one another who they are (``Workers``)."""


@dataclass(frozen=True)
class Asked:
    """A request, and who made it."""

    site: "Site"
    request: web.Request
    person: Person
    path: str
    """The page's path with names for what differs."""
    names: Mapping[str, str] = field(default_factory=dict)

    async def note(self, did: Did, about: str | None = None) -> None:
        """Note the look or act before it happens. Raises ``AccessLogError`` where that fails."""
        await self.site.accesses.write(self.person.user, self.person.role, did, self.path, about)


Shown = msgspec.Struct | web.StreamResponse
Handler = Callable[[Asked], Awaitable[Shown]]


class _Page(NamedTuple):
    handler: Handler
    right: Right
    template: str


class Site:
    """Pages are added with ``page``, forms with ``form``. What was not added cannot be opened.

    Raises ``TokensFileError``.
    """

    app: OnceApp

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.turns = Turns()
        self.accesses = AccessLog(settings)
        secret = settings.web_secret
        self.secret = Secret(secret.get_secret_value()) if secret else None
        self._tokens = Tokens(settings.web_tokens)
        self._closing = asyncio.Event()
        self._pages: dict[tuple[str, str], _Page] = {}

    def begin(self, app: OnceApp) -> None:
        """Belong to ``app``, whose web application has ``middlewares``."""
        self.app = app
        server: Any = app.web
        server.web_app.on_startup.append(self._tell)
        server.web_app.on_shutdown.append(self._close)
        if self.secret is not None:
            self.login  # noqa: B018  it answers other workers, too

    async def _tell(self, web_app: Any) -> None:
        if self.secret is None:
            log.warning(
                "The pages are closed: PERDIEM_WEB_SECRET is not set (`perdiem web secret` makes one)"
            )
        elif self.settings.web_tokens is None and self.settings.oidc_issuer is None:
            log.warning(
                "Nobody can log in to the pages: neither PERDIEM_WEB_TOKENS (`perdiem web token`) nor "
                "PERDIEM_OIDC_ISSUER is set"
            )

    async def _close(self, web_app: Any) -> None:
        """Ends what browsers listen to: a stop would wait for them."""
        self._closing.set()
        await self.accesses.close()

    @cached_property
    def keys(self) -> Secret:
        """The installation's secret. Raises ``HTTPServiceUnavailable`` where none is set."""
        if self.secret is None:
            raise web.HTTPServiceUnavailable(reason="PERDIEM_WEB_SECRET is not set: the pages are closed")
        return self.secret

    @cached_property
    def login(self) -> Login:
        proxies = Proxies(self.settings.trusted_proxies)
        return Login(self._tokens, Links(self.keys, self.workers), proxies)

    @cached_property
    def workers(self) -> Workers:
        return Workers(self.app, self.secret, self.turns)

    @property
    def middlewares(self) -> list[Any]:
        """For the web application: they see every request, in this order."""
        if self.secret is None:
            return [self._guard]
        return [aiohttp_session.session_middleware(sessions(self.secret)), self._guard]

    # Adding pages

    def page(self, path: str, right: Right, template: str) -> Callable[[Handler], Handler]:
        """Add what ``GET path`` shows to whoever has ``right``: JSON or ``template``."""
        return self._adding("get", path, right, template)

    def form(self, path: str, right: Right, template: str) -> Callable[[Handler], Handler]:
        """Add what ``POST path`` does for whoever has ``right``."""
        return self._adding("post", path, right, template)

    def _adding(self, verb: str, path: str, right: Right, template: str) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            self._pages[verb.upper(), path] = _Page(handler, right, template)
            self._mount(path, verb)
            return handler

        return add

    def open(self, path: str, method: str = "get") -> Callable[[Callable[..., Any]], Any]:
        """Add what is among ``OPEN``: a handler that takes the request alone."""
        if path not in OPEN:
            raise ValueError(f"{path} is open to nobody without a login")

        def add(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
            self._view(path, {method: handler})
            return handler

        return add

    def open_form(self, path: str, get: Callable[..., Any], post: Callable[..., Any]) -> None:
        """Add an open page with a form of its own."""
        self._view(path, {"get": get, "post": post})

    def rights(self) -> dict[tuple[str, str], Right]:
        """By method and path: what each page asks for."""
        return {route: page.right for route, page in self._pages.items()}

    def _mount(self, path: str, method: str) -> None:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._show(path, request)

        self._view(path, {method: handle})

    def _view(self, path: str, handlers: Mapping[str, Callable[..., Any]]) -> None:
        def method(handler: Callable[..., Any]) -> Callable[..., Any]:
            async def call(view: View, request: Any, **names: str) -> Any:
                return await handler(request)

            return call

        # By itself every view has HEAD, and no second one may: a page and its form share a path.
        answered = {verb.upper() for verb in handlers} | ({"HEAD"} if "get" in handlers else set())
        name = f"{'-'.join(handlers)} {path}"
        made = {verb: method(handler) for verb, handler in handlers.items()}
        view = type(name, (View,), {**made, "get_methods": lambda view: answered})
        self.app.page(path, name=name)(view)

    # Showing pages

    async def _show(self, path: str, request: web.Request) -> web.StreamResponse:
        method = "GET" if request.method == "HEAD" else request.method
        page = self._pages[method, path]
        asked = Asked(self, request, request[PERSON], path, request.match_info)
        shown = await page.handler(asked)
        if not isinstance(shown, msgspec.Struct):
            return shown
        async with self.turns:
            if wants_json(request):
                return web.Response(body=msgspec.json.encode(shown), content_type="application/json")
            return self.html(page.template, request, page=shown)

    def html(self, template: str, request: web.Request, *, status: int = 200, **values: Any) -> web.Response:
        """A page of ``template``; it knows who looks, and which page it is."""
        person: Person | None = request.get(PERSON)
        text = render(template, person=person, path=request.path, rights=Right, **values)
        return web.Response(text=text, content_type="text/html", status=status)

    async def stream(
        self, asked: Asked, renewal: Callable[[], Awaitable[bytes]], *, every: float
    ) -> web.StreamResponse:
        """What ``renewal`` gives, again and again, until the session ends or changes; each an ``event``."""
        request = asked.request
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        with suppress(ConnectionResetError), _logged("a page that stays open failed"):
            while await self.login.person(request) == asked.person:
                await response.write(await renewal())
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), every)
                if self._closing.is_set():
                    break
        return response

    # The guard

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            response: web.StreamResponse = await self._guarded(request, handler)
        except web.HTTPException as raised:
            response = raised
        except AccessLogError as error:
            response = web.HTTPServiceUnavailable(reason=str(error))
        except Exception as error:
            log.error("a page failed", extra={"error": where(error)})
            response = web.HTTPInternalServerError()
        if isinstance(response, web.HTTPException):
            response = self._told(request, response)
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        resource = request.match_info.route.resource
        path = resource.canonical if resource else None
        if path is None:
            raise request.match_info.http_exception or web.HTTPNotFound()
        if path in OPEN:
            return await handler(request)  # type: ignore[no-any-return]
        method = "GET" if request.method == "HEAD" else request.method
        page = self._pages.get((method, path))
        person = await self.login.person(request)
        if person is None:
            raise self._unknown(request)
        request[PERSON] = person
        if page is None:
            raise web.HTTPMethodNotAllowed(request.method, [m for m, p in self._pages if p == path])
        if not person.may(page.right):
            raise web.HTTPForbidden(reason=f"The right to {page.right.replace('_', ' ')} is needed here")
        if method == "POST":
            await self.login.check_form(request, person)
        return await handler(request)  # type: ignore[no-any-return]

    def _unknown(self, request: web.Request) -> web.HTTPException:
        browser = "text/html" in request.headers.get("Accept", "")
        if not browser or request.method not in ("GET", "HEAD"):
            return web.HTTPUnauthorized(reason="A token expected", headers={"WWW-Authenticate": "Bearer"})
        return web.HTTPSeeOther(URL("/login").with_query(next=request.rel_url.raw_path_qs))

    def _told(self, request: web.Request, refused: web.HTTPException) -> web.Response:
        """A redirect, or a refusal as a page or its JSON twin."""
        kept = {name: refused.headers[name] for name in _KEPT if name in refused.headers}
        if refused.status < 400:
            return web.Response(status=refused.status, headers=kept)
        if wants_json(request):
            body = msgspec.json.encode({"status": refused.status, "error": refused.reason})
            return web.Response(
                body=body, status=refused.status, content_type="application/json", headers=kept
            )
        shown = self.html(
            "error.html", request, status=refused.status, code=refused.status, said=refused.reason
        )
        shown.headers.update(kept)
        return shown


@contextmanager
def _logged(what: str) -> Iterator[None]:
    """Whatever fails once an answer has begun is told in the log alone."""
    try:
        yield
    except (ConnectionResetError, asyncio.CancelledError):
        raise
    except Exception as error:
        log.error(what, extra={"error": where(error)})


PERSON = web.RequestKey("person", Person)
_KEPT = ("Location", "Retry-After", "WWW-Authenticate", "Allow")


def wants_json(request: web.Request) -> bool:
    """Whether a program asks, and not a person's browser."""
    accepted = request.headers.get("Accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def event(template: str, page: Any) -> bytes:
    """A server-sent event: ``template`` filled in, which knows nothing of who looks."""
    lines = "".join(f"data: {line}\n" for line in render(template, page=page).splitlines())
    return f"retry: 2000\n{lines}\n".encode()


def static(name: str) -> bytes | None:
    """A file of the pages; None if there is none of that name."""
    folder = resources.files("streams.views") / "static"
    return next((file.read_bytes() for file in folder.iterdir() if file.name == name), None)
