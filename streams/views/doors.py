"""Doors: what is open to who has not shown who they are: files of the pages, and other workers."""

import logging

from aiohttp import web

from streams.views.site import Site, static
from streams.views.workers import NotKnownError, NotOursError

log = logging.getLogger(__name__)

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def mount(site: Site) -> None:
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
        name = request.match_info["question"]
        try:
            answer = await site.workers.answer(name, await request.read())
        except NotKnownError:
            log.warning("A worker of another version asked what is not known here: %s", name)
            raise web.HTTPBadRequest from None
        except NotOursError:
            raise web.HTTPUnauthorized from None
        return web.Response(body=answer, content_type="application/octet-stream")
