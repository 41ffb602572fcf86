"""The three hospitals of examples/facilities.toml, as their systems spell things."""

from zoneinfo import ZoneInfo

from models.codes import Service
from streams.story import INFUSION, LAB, Hospital, System

LAKESIDE = ("lakeside", "LUH", "LUH^2.16.840.1.113883.3.9001.1^ISO")

HOSPITALS = (
    Hospital(
        id="lakeside",
        systems={LAB: System(("CELLLAB",), LAKESIDE), INFUSION: System(("INFUSE", "INFUSE2"), LAKESIDE)},
        authorities=("LAKE", "LAKE^2.16.840.1.113883.3.9001^ISO", "Lakeside"),
        mrns=("{}", "{:08}"),
        zone=ZoneInfo("America/New_York"),
        charge_codes={
            Service.COLLECTION: ("8713822501", "8713822502"),
            Service.TRANSPORT: ("8723822601",),
            Service.RECEIPT: ("8733822701",),
            Service.ADMINISTRATION: ("8743822801",),
        },
    ),
    Hospital(
        id="bayview",
        systems={
            LAB: System(("STEMLAB",), ("BCC", "BCC-LAB")),
            INFUSION: System(("EHR",), ("bayview", "BCC")),
        },
        authorities=("BAY", "BAY^2.16.840.1.113883.3.9002^ISO"),
        mrns=("{:08}", "{}"),
        zone=ZoneInfo("America/Los_Angeles"),
        charge_codes={
            Service.COLLECTION: ("36200017",),
            Service.TRANSPORT: ("36200019", "36200024"),
            Service.RECEIPT: ("36200023", "36200032"),
            Service.ADMINISTRATION: ("36200018",),
        },
        professional="PR-ADMN",
        inpatients=False,
    ),
    Hospital(
        id="palmetto",
        systems={
            LAB: System(("LIS",), ("palmetto", "PGH")),
            INFUSION: System(("MAR",), ("palmetto", "PGH")),
        },
        authorities=("PALM", "PALM^2.16.840.1.113883.3.9003^ISO"),
        mrns=("M-{}", "m-{}"),
        zone=ZoneInfo("America/Chicago"),
        charge_codes={
            Service.COLLECTION: ("76105370", "87138225"),
            Service.TRANSPORT: ("49005380", "87238226"),
            Service.RECEIPT: ("31005390", "87338227"),
            Service.ADMINISTRATION: ("49005400", "87438228"),
        },
        unreported=frozenset({Service.COLLECTION, Service.TRANSPORT, Service.RECEIPT}),
    ),
)
