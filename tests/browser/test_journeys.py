"""What people come for: why something was not charged, to have it charged, to be let in and to leave."""

import re

import pytest
from playwright.async_api import expect

from streams.views.rights import Role
from tests.browser.filled import DATE, MRN, Filled, stated
from tests.browser.looked import flaws
from tests.browser.visitor import Visit, link
from tests.integration.live import said
from tests.opened import TOKENS

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_an_analyst_finds_out_why_by_keyboard_alone(visit: Visit, filled: Filled) -> None:
    """From the sign-in to the sentence that says which procedure is charged instead."""
    visitor = await visit(filled.other, None)
    page, keyboard = visitor.page, visitor.page.keyboard
    await visitor.tab_to(page.get_by_label("Token"))
    await keyboard.type(TOKENS[Role.ANALYST])
    await keyboard.press("Enter")
    await visitor.tab_to(page.get_by_role("link", name="Find"))
    await keyboard.press("Enter")
    await visitor.tab_to(page.get_by_label("Look for"))
    await keyboard.type(MRN)
    await visitor.tab_to(page.get_by_label("which is"))
    await keyboard.type("a record number of L")
    await visitor.tab_to(page.get_by_role("button", name="Find"))
    await keyboard.press("Enter")
    await visitor.tab_to(page.get_by_role("link", name=DATE))
    await keyboard.press("Enter")
    await visitor.tab_to(page.get_by_role("link", name="collection of cells"))
    await keyboard.press("Enter")
    procedure = page.get_by_role("list").filter(has=page.get_by_text("already reported"))
    await expect(procedure).to_be_in_viewport()
    await expect(procedure).to_contain_text("What is charged is procedure C1 of lakeside-lab.")


async def test_a_hold_is_released_and_its_charge_appears(visit: Visit, filled: Filled) -> None:
    """With what was missing. What would be written is shown first, and nothing is; then it is there."""
    [event] = await filled.live.take([said("R1", patient={"mrn": "815", "assigning_authority": "WARD 7"})])
    page = (await visit(filled.one)).page
    await page.get_by_role("link", name="Worklist").click()
    await page.get_by_role("link", name=event).click()
    await page.get_by_label("patient.assigning_authority", exact=True).fill("LAKE")
    await page.get_by_label("Reason").fill("The lab wrote the ward")
    await page.get_by_role("button", name="Release").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Release: what would come of it")
    await expect(page.get_by_text("charge 38225 collection of cells")).to_be_visible()
    assert await flaws(page) == []
    assert not [charge for charge in await filled.live.billing_events() if charge.event_id == event]
    await page.get_by_role("button", name="Release").click()
    await expect(page.get_by_text("Its charge stands.")).to_be_visible()
    assert await flaws(page) == []
    await page.get_by_role("link", name=re.compile("^charge ")).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("of patient LAKE|815")
    await expect(page.get_by_role("row", name="collection of cells")).to_contain_text("Charged once.")
    [charge] = [charge for charge in await filled.live.billing_events() if charge.event_id == event]
    await expect(page.locator(":target")).to_contain_text(charge.charge_id)


async def test_an_analyst_redrives_a_dead_letter_corrected(visit: Visit, filled: Filled) -> None:
    """Its record is put right on the page; it is read, and charged."""
    [event] = await filled.live.take([stated("D1", 9, "4715", status="done")])
    page = (await visit(filled.other)).page
    await page.get_by_role("link", name="Dead letters").click()
    await page.get_by_role("link", name=event).click()
    record = page.get_by_label("The record as it should have been")
    await record.fill((await record.input_value()).replace('"done"', '"performed"'))
    await page.get_by_label("Reason").fill("The lab has a new interface")
    await page.get_by_role("button", name="Redrive corrected").click()
    await expect(page.get_by_text("Read as: collection of cells")).to_be_visible()
    await page.get_by_role("button", name="Redrive corrected").click()
    await expect(page.get_by_text("Its charge stands.")).to_be_visible()
    await page.get_by_role("link", name="To the list").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dead letters")
    await expect(page.get_by_role("link", name=event)).to_have_count(0)


async def test_an_operator_has_a_dead_letter_tried_again_without_seeing_it(
    visit: Visit, filled: Filled
) -> None:
    """What would come of it is said, the record is not shown, and there is nothing to correct."""
    [event] = await filled.live.take([stated("D2", 9, "4716", status="done")])
    page = (await visit(filled.one, Role.OPERATOR)).page
    await page.get_by_role("link", name="Dead letters").click()
    await page.get_by_role("link", name=event).click()
    await expect(page.get_by_text("What the source sent is shown only to")).to_be_visible()
    await expect(page.get_by_role("button", name="Redrive corrected")).to_have_count(0)
    await page.get_by_label("Reason").fill("A new version reads more")
    await page.get_by_role("button", name="Redrive as it is").click()
    await expect(page.get_by_text("It would not be carried out.")).to_be_visible()
    assert "4716" not in await page.content()


async def test_a_token_lets_in_to_where_one_was_going(visit: Visit, filled: Filled) -> None:
    """A wrong one is said to be wrong, and can be put right."""
    visitor = await visit(filled.one, None)
    page = visitor.page
    title = page.get_by_role("heading", level=1)
    await page.goto(f"{filled.one.url}/days")
    await expect(title).to_have_text("Sign in")
    await page.get_by_label("Token").fill("no such token")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("That token opens nothing here.")
    assert await flaws(page) == []
    await page.get_by_label("Token").fill(TOKENS[Role.VIEWER])
    await page.get_by_role("button", name="Sign in").click()
    await expect(title).to_have_text("Days")
    visitor.forgive("401")


async def test_a_link_lets_in_once_and_who_signed_out_is_out(visit: Visit, filled: Filled) -> None:
    """Neither the link nor a page that was open opens again."""
    visitor = await visit(filled.one, None)
    page = visitor.page
    title = page.get_by_role("heading", level=1)
    once = link(filled.one, Role.VIEWER)
    await page.goto(once)
    await page.get_by_role("link", name="Days").click()
    await expect(title).to_have_text("Days")
    await page.get_by_role("button", name="Sign out").click()
    await expect(title).to_have_text("Sign in")
    await page.go_back()
    await expect(title).to_have_text("Sign in")
    await page.goto(once)
    await expect(page.get_by_role("alert")).to_contain_text("That token opens nothing here.")
    visitor.forgive("401")
