"""Doors: what is open to who has not shown who they are: the login, files of the pages, other workers."""

import msgspec
from aiohttp import web

from streams.access import Did
from streams.once.failure import where
from streams.views.rights import Right
from streams.views.site import Asked, Shown, Site, log, static, wants_json

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def mount(site: Site) -> None:
    async def login(request: web.Request) -> web.StreamResponse:
        """A form for a token; a one-time link logs in at once."""
        if link := request.query.get("token"):
            return await _enter(site, request, link)
        return await _login(site, request)

    async def enter(request: web.Request) -> web.StreamResponse:
        await site.login.check_form(request, None)
        return await _enter(site, request, str((await request.post()).get("token", "")))

    site.open_form("/login", get=login, post=enter)

    @site.form("/logout", Right.WATCH, "login.html")
    async def leave(asked: Asked) -> Shown:
        await site.login.end(asked.request)
        return web.HTTPSeeOther("/login")

    @site.open("/static/{name}")
    async def file(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        content = static(name)
        if content is None:
            raise web.HTTPNotFound
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        headers = {"Cache-Control": "public, max-age=300"}
        return web.Response(body=content, content_type=kind, headers=headers)

    @site.open("/workers/{question}", "post")
    async def question(request: web.Request) -> web.StreamResponse:
        """What this worker answers another one."""
        shown = request.headers.get("Authorization", "")
        try:
            answer = await site.workers.answer(request.match_info["question"], shown, await request.read())
        except (KeyError, msgspec.MsgspecError) as error:
            # Another version of us, while workers are replaced one by one.
            log.warning("A worker asked what is not known here: %s", where(error))
            raise web.HTTPBadRequest from None
        if answer is None:
            raise web.HTTPUnauthorized
        return web.Response(body=answer, content_type="application/json")


async def _login(site: Site, request: web.Request, said: str = "", status: int = 200) -> web.Response:
    csrf = await site.login.csrf(request)
    target = _target(request)
    return site.html(
        "login.html", request, status=status, csrf_token=csrf, next=target, said=said, issuer=None
    )


async def _enter(site: Site, request: web.Request, token: str) -> web.StreamResponse:
    person = await site.login.with_token(request, token.strip())
    if person is None:
        said = "That token opens nothing here. A link holds once, and ten minutes."
        if wants_json(request):
            raise web.HTTPUnauthorized(reason=said)
        return await _login(site, request, said, 401)
    await site.accesses.write(person.user, person.role, Did.LOGIN, "/login")
    target = (await request.post()).get("next") if request.method == "POST" else None
    return web.HTTPSeeOther(_own(str(target or "/")))


def _target(request: web.Request) -> str:
    return _own(request.query.get("next", "/"))


def _own(path: str) -> str:
    """``path`` if it is one of these pages: nobody is sent elsewhere from here."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
