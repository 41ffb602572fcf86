"""Fixtures of a real browser, and of an installation with something on every page."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from streams.local_worker import LocalWorker
from streams.topics import create
from streams.views.rights import Role
from tests.browser.filled import Filled, fill
from tests.browser.looked import DESKTOP
from tests.browser.visitor import Visit, Visitor, link
from tests.integration.live import Live, both_running
from tests.kafka import installation

expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The machine's own; where it is missing, the test is skipped."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is missing: `make tools` gets it on Debian")
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visit(chromium: Browser) -> AsyncIterator[Visit]:
    """Opens browsers; in the end nothing may have gone wrong in any of them."""
    visitors: list[Visitor] = []
    async with AsyncExitStack() as stack:

        async def begin(worker: LocalWorker, role: Role | None = Role.ANALYST, **how: Any) -> Visitor:
            context = await chromium.new_context(**({"viewport": DESKTOP} | how))
            stack.push_async_callback(context.close)
            visitor = Visitor(context, await context.new_page(), worker)
            visitors.append(visitor)
            await visitor.page.goto(worker.url if role is None else link(worker, role))
            return visitor

        yield begin
    assert [wrong for visitor in visitors for wrong in visitor.wrong] == []


@pytest.fixture(scope="package")
def filled(chromium_path: str, brokers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """For all of these tests."""
    folder = tmp_path_factory.mktemp("filled")
    settings = installation(brokers, folder)
    asyncio.run(create(settings))
    with both_running(settings, folder) as (one, other):
        live = Live(one)
        asyncio.run(fill(live))
        yield Filled(live, one, other)
