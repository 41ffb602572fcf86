"""JSON Schemas of what goes in and comes out. ``python -m streams.schemas`` writes them to docs/schemas."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from models.acks import Ack
from models.billing import BillingEvent, Decision
from models.commands import command
from models.messages import ProcedureMessage
from models.procedures import ProcedureEvent
from models.worklist import Item

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path("docs/schemas")


def schemas() -> dict[str, dict[str, Any]]:
    """Every published schema by name."""
    records: dict[str, type[msgspec.Struct]] = {
        "procedure-event": ProcedureEvent,
        "billing-event": BillingEvent,
        "decision": Decision,
        "item": Item,
    }
    found = {name: msgspec.json.schema(record) for name, record in records.items()}
    found["procedure-message"] = ProcedureMessage.model_json_schema()
    found["command"] = command.json_schema()
    found["ack"] = Ack.model_json_schema()
    plain: dict[str, dict[str, Any]] = json.loads(json.dumps(found))
    return {name: {"$schema": DIALECT} | schema for name, schema in plain.items()}


def write(folder: Path) -> None:
    """Write each schema to a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / f"{name}.schema.json").write_text(json.dumps(schema, indent=2) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
