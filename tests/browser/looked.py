"""Looked at: what keeps people from reading a page: light and dark, at a desk and on a phone."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page, ViewportSize

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
_ALL = {"resultTypes": ["violations"]}
_COLOURS = _ALL | {"runOnly": ["color-contrast"]}
"""What else axe looks at is the same in the dark."""


async def flaws(page: Page, *, briefly: bool = False) -> list[str]:
    """A line for each; the page is left at a desk and light. ``briefly``: only on a phone, in the light."""
    found: list[str] = []
    await page.evaluate(AXE_SCRIPT)
    await page.set_viewport_size(PHONE)
    wide = await page.evaluate("document.documentElement.scrollWidth")
    if wide > PHONE["width"]:
        found.append(f"{wide} pixels wide on a phone")
    found += await _violations(page, _ALL)
    await page.set_viewport_size(DESKTOP)
    if briefly:
        return found
    found += await _violations(page, _ALL)
    await page.emulate_media(color_scheme="dark")
    found += await _violations(page, _COLOURS)
    await page.emulate_media(color_scheme="light")
    return found


async def _violations(page: Page, options: dict[str, Any]) -> list[str]:
    ran: Any = await page.evaluate("options => axe.run(options)", options)
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in ran["violations"]
        for node in each["nodes"]
    ]
