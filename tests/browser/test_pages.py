"""Every page that links lead to can be read: by whoever sees badly, on a phone, in the dark."""

from collections import Counter

import pytest
from playwright.async_api import expect

from streams.views.rights import Role
from tests.browser.filled import MRN, Filled
from tests.browser.looked import flaws
from tests.browser.visitor import Visit, Visitor

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

EACH = {
    Role.ANALYST: {"", "days", "find", "holds", "dead-letters", "patients", "patient-days", "episodes"},
    Role.VIEWER: {"", "days", "find", "holds", "patients", "patient-days", "episodes"},
    Role.OPERATOR: {"", "days", "dead-letters"},
}


OF_PATIENTS = {"patients", "patient-days", "episodes"}
"""Of two patients the title may be the same: none names a patient."""


def kind(address: str) -> str:
    """The first part of its path."""
    return address.split("/")[3].partition("?")[0]


async def crawl(visitor: Visitor, *starts: str, briefly: bool) -> dict[str, tuple[str, list[str]]]:
    """By address: title and flaws of every page that links lead to from ``starts``."""
    page, seen, ahead = visitor.page, dict[str, tuple[str, list[str]]](), [*starts]
    while ahead:
        address = ahead.pop().partition("#")[0]
        if address in seen or not address.startswith(visitor.worker.url):
            continue
        await page.goto(address)
        ahead += await page.eval_on_selector_all("a[href]:not([download])", "all => all.map(a => a.href)")
        seen[address] = (await page.title(), await flaws(page, briefly=briefly))
    return seen


@pytest.mark.parametrize("role", Role)
async def test_every_page_can_be_read_by_everybody(visit: Visit, filled: Filled, role: Role) -> None:
    """axe finds nothing, light and dark, at a desk and on a phone; no page is wider than a phone; each has a
    title of its own, which names no patient. No link leads nowhere, nothing fails, and nothing is asked of
    another machine. Others see an analyst's pages with less on them: these are looked at briefly."""
    visitor = await visit(filled.one, role)
    starts = [visitor.page.url]
    if role is not Role.OPERATOR:
        starts.append(await patient(visitor))
    seen = await crawl(visitor, *starts, briefly=role is not Role.ANALYST)
    assert {kind(address) for address in seen} == EACH[role]
    assert {address: found for address, (_, found) in seen.items() if found} == {}
    assert MRN not in "".join(title for title, _ in seen.values())
    titles = Counter(title for address, (title, _) in seen.items() if kind(address) not in OF_PATIENTS)
    assert [title for title, count in titles.items() if count > 1] == []


async def patient(visitor: Visitor) -> str:
    """The address of the patient's page, found by search."""
    page = visitor.page
    await page.get_by_role("link", name="Find").click()
    await page.get_by_label("Look for").fill(f"LAKE|{MRN}")
    await page.get_by_role("button", name="Find").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Patient")
    return page.url
