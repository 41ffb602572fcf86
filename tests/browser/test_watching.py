"""Whoever watches the overview sees what happens, as it happens, and sees when they no longer do."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from streams.local_worker import LocalWorker
from streams.topics import create
from streams.views.rights import Role
from tests.browser.visitor import Visit
from tests.integration.live import both_ready, both_running
from tests.kafka import installation

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

RUNNING = "Perdiem is running"


@pytest.fixture(scope="module")
def started(
    chromium_path: str, brokers: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LocalWorker, LocalWorker]]:
    """Two workers; that one is dead shows as soon as a broker allows."""
    folder = tmp_path_factory.mktemp("pair")
    changed = {"session_timeout": 6.0, "heartbeat": 0.5}
    settings = installation(brokers, folder).model_copy(update=changed)
    asyncio.run(create(settings))
    with both_running(settings, folder) as workers:
        yield workers
        for worker in workers:
            worker.process.stop()


@pytest.fixture
def pair(started: tuple[LocalWorker, LocalWorker]) -> tuple[LocalWorker, LocalWorker]:
    """Both ready, whatever a test before did to them."""
    for worker in started:
        if worker.process.exit_code is not None:
            worker.start()
    both_ready(*started)
    return started


async def test_a_killed_worker_changes_the_verdict_without_a_reload(
    visit: Visit, pair: tuple[LocalWorker, LocalWorker]
) -> None:
    """At once it says what is not told of; then the other worker has it all, and the title says so, too; then
    both share it again. What has the focus keeps it."""
    one, other = pair
    page = (await visit(one, Role.OPERATOR)).page
    verdict = page.get_by_role("status").first
    workers = page.get_by_role("group", name="Workers")
    await expect(verdict).to_have_text(RUNNING)
    await page.evaluate("window.opened = true")
    partitions = page.get_by_role("group", name="Partitions")
    await partitions.focus()
    other.process.kill()
    await expect(verdict).to_contain_text(re.compile("incomplete|rebalancing|restoring"))
    await expect(page).not_to_have_title(RUNNING)
    await expect(verdict).to_have_text(RUNNING)
    await expect(workers).not_to_contain_text(other.url)
    await expect(page).to_have_title(RUNNING)
    other.start()
    await expect(workers).to_contain_text(other.url)
    await expect(verdict).to_have_text(RUNNING)
    await expect(partitions).to_be_focused()
    assert await page.evaluate("window.opened")


async def test_a_page_says_that_it_is_cut_off_and_follows_again(
    visit: Visit, pair: tuple[LocalWorker, LocalWorker]
) -> None:
    """When its worker stops; and by itself it shows what is, when that comes back."""
    one, other = pair
    visitor = await visit(other, Role.VIEWER)
    cut_off = visitor.page.get_by_role("alert")
    await expect(visitor.page.get_by_role("status").first).to_have_text(RUNNING)
    await expect(cut_off).to_be_hidden()
    other.process.stop()
    await expect(cut_off).to_contain_text("This page is cut off from its worker")
    other.start()
    await expect(cut_off).to_be_hidden()
    await expect(visitor.page.get_by_role("status").first).to_have_text(RUNNING)
    await expect(visitor.page.get_by_role("group", name="Workers")).to_contain_text(one.url)
    visitor.forgive("net::ERR_")


async def test_without_scripts_the_overview_is_shown_as_it_was_when_it_was_asked_for(
    visit: Visit, pair: tuple[LocalWorker, LocalWorker]
) -> None:
    """All of it, and it does not claim to follow."""
    page = (await visit(pair[0], Role.VIEWER, java_script_enabled=False)).page
    await expect(page.get_by_role("status").first).to_have_text(RUNNING)
    await expect(page.get_by_role("heading", name="Partitions")).to_be_visible()
    await expect(page.get_by_role("alert")).to_be_hidden()
    await page.get_by_role("link", name="Days").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Days")
