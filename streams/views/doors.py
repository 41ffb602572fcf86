"""Doors: what is open to who has not shown who they are: files of the pages, and other workers."""

import msgspec
from aiohttp import web

from streams.once.failure import where
from streams.views.site import Site, log, static

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
        shown = request.headers.get("Authorization", "")
        try:
            answer = await site.workers.answer(request.match_info["question"], shown, await request.read())
        except (KeyError, msgspec.MsgspecError) as error:
            # Another version of us, while workers are replaced one by one.
            log.warning("a worker asked what is not known here", extra={"error": where(error)})
            raise web.HTTPBadRequest from None
        if answer is None:
            raise web.HTTPUnauthorized
        return web.Response(body=answer, content_type="application/json")
