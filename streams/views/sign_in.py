"""Signing in: the form for a token, one-time links, the way over the identity provider, signing out."""

from aiohttp import web
from yarl import URL

from streams.access import Did
from streams.views.oidc import CALLBACK, Oidc, OidcError
from streams.views.rights import Right
from streams.views.site import Asked, Shown, Site, wants_json


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

    _mount_oidc(site, Oidc(site.settings))

    @site.form("/logout", Right.WATCH, "login.html")
    async def leave(asked: Asked) -> Shown:
        await site.login.end(asked.request)
        return web.HTTPSeeOther("/login")


def _mount_oidc(site: Site, oidc: Oidc) -> None:
    @site.open("/login/oidc")
    async def begin(request: web.Request) -> web.StreamResponse:
        _require(site)
        try:
            return web.HTTPSeeOther(await oidc.begin(request, _target(request)))
        except OidcError as error:
            return await _login(site, request, str(error), 502)

    @site.open(CALLBACK)
    async def end(request: web.Request) -> web.StreamResponse:
        _require(site)
        try:
            user, role, target = await oidc.end(request)
        except OidcError as error:
            return await _login(site, request, str(error), 401)
        await site.accesses.write(user, role, Did.LOGIN, CALLBACK)
        await site.login.begin(request, user, role)
        return web.HTTPSeeOther(_own(target))


async def _login(site: Site, request: web.Request, said: str = "", status: int = 200) -> web.Response:
    csrf = await site.login.csrf(request)
    target = _own(str((await request.post()).get("next") or _target(request)))
    return site.html(
        "login.html", request, status=status, csrf_token=csrf, next=target, said=said, issuer=_host(site)
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


def _require(site: Site) -> None:
    if site.settings.oidc_issuer is None:
        raise web.HTTPNotFound


def _host(site: Site) -> str | None:
    issuer = site.settings.oidc_issuer
    return URL(issuer).host if issuer else None


def _target(request: web.Request) -> str:
    return _own(request.query.get("next", "/"))


def _own(path: str) -> str:
    """``path`` if it is one of these pages: nobody is sent elsewhere from here."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
