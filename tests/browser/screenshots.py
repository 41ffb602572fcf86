"""Screenshots of every page: of an installation in which two weeks went by.

Run with ``tests.browser.clock``, of which it gets the file, and a folder: there it writes each page light and
dark, at a desk and on a phone, and the two pictures of the README.
"""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import FloatRect, Page, async_playwright, expect

from models.billing import Kind
from streams.local_kafka import LocalKafka, free_port
from streams.play import Record, play
from streams.settings import Settings
from streams.simulate import Simulation
from streams.topics import create
from streams.views.rights import Role
from tests.browser.looked import DESKTOP, PHONE
from tests.browser.visitor import link
from tests.integration.live import Live, both_running, said
from tests.integration.pipeline import EXAMPLES
from tests.kafka import Sent
from tests.opened import opened

DAYS = 14
PARTS = 120
"""Of the last hour."""
PATIENTS = 60
TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(1)
MRN, PRODUCT = "20417", "W051226184302"


class Weeks:
    """Two weeks of three hospitals, one day after the other, and the last hour in small parts."""

    def __init__(self, live: Live, clock: Path) -> None:
        self._live = live
        self._clock = clock
        self._acknowledged: set[str] = set()

    async def pass_by(self) -> None:
        patient = a_patient()
        days = {day: [record for _, record in of] for day, of in groupby(dated(), lambda each: each[0])}
        today = days.pop(TODAY)
        for day, records in days.items():
            self._be(datetime(day.year, day.month, day.day, 20, tzinfo=UTC))
            await self._play(records)
            for hour, value in patient.pop(day, []):
                self._be(datetime(day.year, day.month, day.day, hour, tzinfo=UTC))
                await self._live.take([value])
            await self._acknowledge()
        now = datetime.now(UTC)
        for part in range(PARTS):
            self._be(now - timedelta(hours=1) * (1 - part / PARTS))
            await self._play(today[part::PARTS])
        self._clock.write_text("0")

    async def _play(self, records: list[Record]) -> None:
        await play(self._live.settings, records)
        await self._live.processed()

    def _be(self, then: datetime) -> None:
        # datetime asks the system, whatever the clock says.
        self._clock.write_text(str((then - datetime.now(UTC)).total_seconds()))

    async def _acknowledge(self) -> None:
        """Billing answers, most of the time."""
        acks = []
        for number, event in enumerate(await self._live.billing_events()):
            if event.kind is Kind.CHARGE and event.charge_id not in self._acknowledged:
                self._acknowledged.add(event.charge_id)
                status = "refused" if number % 67 == 5 else "on_claim" if number % 5 == 1 else "accepted"
                ack = {"reason": "the account is closed"} if status == "refused" else {}
                ack |= {"charge_id": event.charge_id, "patient": event.patient, "status": status}
                if number % 11:
                    acks.append(Sent("billing.acks", json.dumps(ack).encode(), event.patient.encode()))
        await self._live.take(acks)


def dated() -> Iterator[tuple[date, Record]]:
    """Each record with the day on which it comes."""
    on = first = TODAY - timedelta(DAYS)
    for record in Simulation(PATIENTS, DAYS + 1, 7, first=first, people=True).records():
        message = record.get("value", {})
        if "sent" in message:
            on = min(TODAY, max(on, date.fromisoformat(message["sent"][:10])))
        value = msgspec.json.encode(message) if message else b"MSH|^~\\&|CELLLAB"
        yield on, Record(record["topic"], record["key"].encode(), value, [])


def a_patient() -> dict[date, list[tuple[int, bytes]]]:
    """By day what comes at which hour (UTC): cells are collected twice on a day; the first collection is
    corrected, the second one sent twice."""

    def stated(procedure: str, start: str, day: date = YESTERDAY, **more: Any) -> bytes:
        patient = {"mrn": MRN, "assigning_authority": "LAKE"}
        numbers = {"products": [PRODUCT], "account_number": "70021944", "patient_class": "O"}
        performed = {"start": f"{day}T{start}:00"}
        return said(procedure, **{"patient": patient, "performed": performed, **numbers, **more})

    before = YESTERDAY - timedelta(9)
    return {
        before: [
            (15, stated("APH-3391", "08:30", before)),
            (19, stated("APH-3392", "13:10", before)),
            (22, stated("CRY-3391", "16:00", before, code="38226")),
        ],
        YESTERDAY: [
            (14, stated("APH-3417", "08:40")),
            (16, stated("APH-3417", "08:55", version=2, account_number="70021950")),
            (19, stated("APH-3418", "13:15")),
            (20, stated("APH-3418", "13:15")),
            (21, stated("CRY-3417", "15:20", code="38226")),
            (22, stated("RCV-3417", "16:00", code="38227")),
            (23, stated("RCV-3417", "16:00", code="38227", version=2, status="withdrawn")),
        ],
    }


class Camera:
    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self._folder = folder

    async def take(self, name: str, path: str | None = None) -> None:
        """The page at ``path``, or the one that is open, in all its looks."""
        if path is not None:
            await self.page.goto(path)
        for size, at in ((PHONE, "phone"), (DESKTOP, "desktop")):
            await self.page.set_viewport_size(size)
            for scheme in ("dark", "light"):
                await self.page.emulate_media(color_scheme=scheme)
                await self.page.screenshot(path=self._folder / f"{name}-{at}-{scheme}.png", full_page=True)

    async def picture(self, name: str, width: int, last: str) -> None:
        """The page down to the section with this heading, for the README."""
        await self.page.set_viewport_size({"width": width, "height": 900})
        box = await self.page.locator(f"section:has(> {last})").bounding_box()
        assert box is not None
        clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": box["y"] + box["height"] + 16}
        await self.page.screenshot(path=self._folder / f"{name}.png", full_page=True, clip=clip)

    async def follow(self, name: str, link: str) -> None:
        """The first page that a link of this beginning leads to."""
        found = self.page.locator(f"main a[href^='{link}']").first
        await found.click()
        await self.take(name)


async def look(live: Live, folder: Path) -> None:
    chromium = shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium)
        page = await browser.new_page(base_url=live.worker.url)
        camera = Camera(page, folder)
        await camera.take("sign-in", "/login")
        await page.goto(link(live.worker, Role.ANALYST))
        await expect(page.get_by_text("Perdiem is running")).to_be_visible()
        await camera.take("overview")
        await camera.picture("overview", 1200, "#hour")
        await camera.take("days", "/days")
        await camera.take("day", f"/days/{TODAY - timedelta(3)}")
        await camera.take("find", "/find")
        await page.get_by_label("Look for").fill(f"LAKE|{MRN}")
        await page.get_by_role("button", name="Find").click()
        await camera.take("patient")
        await camera.follow("patient-day", "/patient-days/")
        await camera.picture("patient-day", 1040, "#line-1")
        await page.get_by_role("link", name="The course of the therapy").click()
        await camera.take("episode")
        await camera.take("worklist", "/holds")
        await camera.take("worklist-of-one-kind", "/holds?kind=held")
        for kind in ("correction", "refused_charge", "alert"):
            await page.goto(f"/holds?kind={kind}")
            if await page.locator("main tbody a").count():
                await camera.follow(f"item-{kind}", "/holds/")
        await page.goto("/holds?reason=unknown_authority")
        await camera.follow("item-held", "/holds/")
        await page.get_by_label("patient.assigning_authority", exact=True).fill("LAKE")
        await page.get_by_label("Reason").fill("The lab wrote the name of the ward")
        await page.get_by_role("button", name="Release").click()
        await camera.take("preview")
        await page.get_by_role("button", name="Release").click()
        await camera.take("decided")
        await page.goto("/holds?state=released")
        await camera.follow("item-released", "/holds/")
        await camera.take("dead-letters", "/dead-letters")
        await camera.follow("dead-letter", "/dead-letters/")
        await camera.take("not-found", "/patients/nobody")
        await browser.close()


def main(clock: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made, LocalKafka(Path(made) / "kafka") as kafka:
        settings = Settings.isolated(
            brokers=kafka.brokers,
            facilities=EXAMPLES / "facilities.toml",
            data_dir=Path(made) / "data",
            partitions=2,
            web_port=free_port(),
        )
        settings = opened(settings, Path(made))
        asyncio.run(create(settings))
        command = (sys.executable, "-m", "tests.browser.clock", str(clock), "streams.cli", "worker")
        with both_running(settings, Path(made), command) as (one, _):
            live = Live(one)
            asyncio.run(Weeks(live, clock).pass_by())
            asyncio.run(look(live, folder))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
