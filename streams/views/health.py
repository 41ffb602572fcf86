"""Health: does the process live, is it ready. For whoever restarts or routes."""

from typing import Any

from faust.web import Request, Response, View

from streams.once import OnceApp


def mount(app: OnceApp) -> None:
    @app.page("/healthz")
    async def healthz(view: View, request: Request) -> Response:
        """The process lives and its loop turns."""
        return view.json({"status": "alive"})

    @app.page("/readyz")
    async def readyz(view: View, request: Request) -> Response:
        """200 when every partition of this worker is owned and restored, otherwise 503."""
        ready = app.tables.ready
        body: dict[str, Any] = {"status": "ready" if ready else "not ready"}
        return view.json(body, status=200 if ready else 503)
