"""Writes expected.csv by a rule on the printed CPT column alone: ``python -m tests.chargemaster.expected``.

- 38225, 38226, 38227, 38228: that service, reported under that code (the service date is in 2026).
- 0537T, 0538T, 0539T, 0540T: the same four services in the same order, under the code that replaced theirs.
- Q codes: the product itself, not ours.
- Revenue code: as printed, made four digits; where none is printed 0871 to 0874, by service.

The rule knows nothing of charge codes and texts. Lines whose CPT code the message leaves out, and of which a
reader of charge code and text cannot tell the service either, must be held; they are listed by hand.
"""

import csv

from tests.chargemaster.lines import EXPECTED, Line, lines

SERVICES = ("collection", "transport", "receipt", "administration")
NEW = dict(zip(("38225", "38226", "38227", "38228"), SERVICES, strict=True))
OLD = dict(zip(("0537T", "0538T", "0539T", "0540T"), SERVICES, strict=True))
CODE = {service: code for code, service in NEW.items()}
REVENUE = dict(zip(SERVICES, ("0871", "0872", "0873", "0874"), strict=True))

CANNOT_TELL = {
    18: "no charge code; the text names the cells but not what is done with them",
}
"""Rows by number, each with the reason."""

FIELDS = (
    "row",
    "hospital",
    "charge_code",
    "cpt_left_out",
    "outcome",
    "reason",
    "service",
    "code",
    "revenue_code",
    "why",
)


def expectation(line: Line) -> dict[str, str]:
    """What should become of a line."""
    found = {
        "row": str(line.row),
        "hospital": line.hospital,
        "charge_code": line.charge_code,
        "cpt_left_out": "yes" if line.cpt_left_out else "no",
    }
    if line.cpt.startswith("Q"):
        return found | {"outcome": "not_ours"}
    if line.cpt_left_out and line.row in CANNOT_TELL:
        return found | {"outcome": "held", "reason": "unmapped_code", "why": CANNOT_TELL[line.row]}
    service = NEW.get(line.cpt) or OLD[line.cpt]
    revenue_code = line.revenue_code.zfill(4) if line.revenue_code else REVENUE[service]
    return found | {
        "outcome": "reported",
        "service": service,
        "code": CODE[service],
        "revenue_code": revenue_code,
    }


def main() -> None:
    with EXPECTED.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, FIELDS, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(expectation(line) for line in lines())


if __name__ == "__main__":
    main()
