"""Signing in: the form for a token, one-time links, the way over the identity provider, signing out."""

import logging
import re

from aiohttp import web
from yarl import URL

from streams.access import Did
from streams.views.login import Known
from streams.views.oidc import CALLBACK, Oidc, OidcError
from streams.views.rights import Right
from streams.views.site import Asked, Shown, Site, wants_json

log = logging.getLogger(__name__)

_OWN = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path of ours. Browsers take // and /\\ for another host, and read over what does not print."""


def mount(site: Site) -> None:
    async def login(request: web.Request) -> web.StreamResponse:
        """A form for a token; a one-time link logs in at once."""
        # Whoever asks for the head alone looks where a link leads, and would use it up.
        if request.method == "GET" and (link := request.query.get("token")):
            return await _enter(site, request, await site.login.with_link(request, link.strip()), "/")
        return await _login(site, request, _target(request))

    async def enter(request: web.Request) -> web.StreamResponse:
        await site.login.check_form(request, None)
        form = await request.post()
        # Never from the address, where logs and histories keep it.
        known = site.login.with_token(request, str(form.get("token", "")).strip())
        return await _enter(site, request, known, str(form.get("next", "/")))

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
            return web.HTTPSeeOther(await oidc.begin(request, _own(_target(request))))
        except OidcError as error:
            log.warning("No login over the identity provider: %s", error.why)
            return await _login(site, request, _target(request), str(error), 502)

    @site.open(CALLBACK)
    async def end(request: web.Request) -> web.StreamResponse:
        _require(site)
        site.login.check(request)
        try:
            user, role, target = await oidc.end(request)
        except OidcError as error:
            log.warning("A login over the identity provider failed: %s", error.why)
            site.login.failed(request)
            return await _login(site, request, "/", str(error), 401)
        return await _begin(site, request, Known(user, role), target)


async def _login(
    site: Site, request: web.Request, target: str, said: str = "", status: int = 200
) -> web.Response:
    csrf, target = await site.login.csrf(request), _own(target)
    return site.html(
        "login.html", request, status=status, csrf_token=csrf, next=target, said=said, issuer=_host(site)
    )


async def _enter(site: Site, request: web.Request, known: Known | None, target: str) -> web.StreamResponse:
    if known is None:
        said = "That token opens nothing here. A link holds once, and ten minutes."
        if wants_json(request):
            raise web.HTTPUnauthorized(reason=said)
        return await _login(site, request, target, said, 401)
    return await _begin(site, request, known, target)


async def _begin(site: Site, request: web.Request, known: Known, target: str) -> web.StreamResponse:
    """No session of a login that is not noted."""
    await site.accesses.write(known.user, known.role, Did.LOGIN, request.path)
    await site.login.begin(request, known)
    return web.HTTPSeeOther(_own(target))


def _require(site: Site) -> None:
    if site.settings.oidc_issuer is None:
        raise web.HTTPNotFound


def _host(site: Site) -> str | None:
    issuer = site.settings.oidc_issuer
    return URL(issuer).host if issuer else None


def _target(request: web.Request) -> str:
    return request.query.get("next", "/")


def _own(path: str) -> str:
    """``path`` if it is one of these pages: nobody is sent elsewhere from here."""
    return path if _OWN.fullmatch(path) else "/"
