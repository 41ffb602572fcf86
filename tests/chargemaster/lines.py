"""The 270 chargemaster lines that 16 hospitals publish for CAR-T, as messages.

They come from the hospitals' price transparency files and are not in the repository: PERDIEM_TEST_CORPUS is
the folder that holds cdm/cart_cdm_lines.csv. Each message has the charge code, text and revenue code as the
hospital printed them; every second one leaves the CPT code out.
"""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

HERE = Path(__file__).parent
CORPUS = Path(os.environ.get("PERDIEM_TEST_CORPUS") or HERE.parents[2] / "shared" / "corpus")
FACILITIES = HERE / "facilities.toml"
EXPECTED = HERE / "expected.csv"
SENDERS = {"LAB": "lab.procedures", "INFUSION": "infusion.procedures"}


class Line(NamedTuple):
    """One line of the corpus, counted from 1."""

    row: int
    hospital: str
    description: str
    charge_code: str
    revenue_code: str
    cpt: str
    setting: str

    @property
    def cpt_left_out(self) -> bool:
        return self.row % 2 == 0


class Sent(NamedTuple):
    """A message to a source topic, as it goes to Kafka."""

    row: int
    topic: str
    key: bytes
    value: bytes


def lines() -> list[Line]:
    """The corpus; skips the test where it is not there."""
    published = CORPUS / "cdm" / "cart_cdm_lines.csv"
    if not published.exists():
        pytest.skip("PERDIEM_TEST_CORPUS: a folder with cdm/cart_cdm_lines.csv expected")
    with published.open(newline="", encoding="utf-8") as file:
        return [
            Line(
                row,
                line["hospital"],
                line["description"],
                line["cdm_code"],
                line["revenue_code"],
                line["cpt_hcpcs"],
                line["setting"],
            )
            for row, line in enumerate(csv.DictReader(file), start=1)
        ]


def expected() -> list[dict[str, str]]:
    """What should become of each line; made by ``expected.py``."""
    with EXPECTED.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def message(line: Line, *, with_cpt: bool) -> dict[str, Any]:
    """A performed procedure of a patient of its own, on 3 August 2026."""
    sender = list(SENDERS)[line.row // 2 % 2]
    stated = {
        "message_id": f"{line.hospital}-{line.row}",
        "sending_application": sender,
        "sending_facility": line.hospital,
        "patient": {"mrn": f"{line.row:06d}", "assigning_authority": "CDM"},
        "procedure_id": f"line-{line.row}",
        "version": 1,
        "status": "performed",
        "performed": {"start": "2026-08-03T09:00:00"},
        "code": line.cpt if with_cpt else "",
        "charge_code": line.charge_code,
        "description": line.description,
        "revenue_code": line.revenue_code,
        "patient_class": "I" if line.setting == "inpatient" else "O",
    }
    return {name: value for name, value in stated.items() if value != ""}


def chargemaster_events() -> Iterator[Sent]:
    """One message a line."""
    for line in lines():
        stated = message(line, with_cpt=not line.cpt_left_out)
        value = json.dumps(stated).encode()
        yield Sent(line.row, SENDERS[stated["sending_application"]], stated["patient"]["mrn"].encode(), value)
