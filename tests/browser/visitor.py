"""Visitor: a person's browser on the pages of a worker. Whatever goes wrong in it is kept."""

from collections.abc import Awaitable, Callable

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

from streams.local_worker import LocalWorker
from streams.views.rights import Role
from streams.views.secret import Secret
from tests.opened import SECRET

_MOST = 80
"""Presses of the tabulator after which something cannot be reached."""


class Visitor:
    """One page of a browser; ``wrong`` is what its console said, what failed, and what left the worker."""

    def __init__(self, context: BrowserContext, page: Page, worker: LocalWorker) -> None:
        self.page = page
        self.worker = worker
        self.wrong: list[str] = []
        context.on("console", self._said)
        context.on("weberror", lambda error: self.wrong.append(f"script: {error.error}"))
        context.on("request", self._asked)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(f"{self.worker.url}/"):
            self.wrong.append(f"elsewhere: {request.url}")

    def _failed(self, request: Request) -> None:
        # Whoever leaves a page no longer waits for what it asked for: that is no failure.
        if request.failure != "net::ERR_ABORTED":
            self.wrong.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.status}: {response.url}")

    def forgive(self, *said: str) -> None:
        """Forget what a test brought about by itself."""
        self.wrong = [wrong for wrong in self.wrong if not any(each in wrong for each in said)]

    async def tab_to(self, wanted: Locator) -> None:
        """Press the tabulator until ``wanted`` has the focus."""
        await expect(wanted).to_be_visible()
        for _ in range(_MOST):
            if await wanted.evaluate("element => element === document.activeElement"):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError("it cannot be reached by the keyboard")


Visit = Callable[..., Awaitable[Visitor]]
"""``visit(worker, role, **of_the_context)``: a browser of its own that is signed in as ``role``, by default
an analyst, and shows the overview; with None it shows the sign-in page."""


def link(worker: LocalWorker, role: Role) -> str:
    """Signs in once."""
    return f"{worker.url}/login?token={Secret(SECRET).link('ada', role)}"
