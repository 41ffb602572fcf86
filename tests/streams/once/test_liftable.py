"""The engine could be taken out as a library: it knows nothing of what it is used for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def imported(package: str) -> Iterator[tuple[str, str]]:
    """File and module of every import in ``package``, also those inside functions."""
    for file in sorted((ROOT / package).rglob("*.py")):
        name = str(file.relative_to(ROOT))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                # `from streams import settings` names a module, too.
                yield from ((name, f"{module}.{alias.name}") for alias in node.names)


@pytest.mark.parametrize(
    ("package", "allowed"),
    [("streams/once", ("streams.once.", "streams.kafka.")), ("streams/kafka", ("streams.kafka.",))],
)
def test_the_engine_imports_nothing_of_the_house_but_itself_and_what_lies_beneath(
    package: str, allowed: tuple[str, ...]
) -> None:
    """It stands on streams/kafka, which stands on nothing of ours."""
    imports = [*imported(package)]
    assert imports
    ours = [(file, module) for file, module in imports if module.split(".")[0] in ("", "streams", "models")]
    assert [(file, module) for file, module in ours if not f"{module}.".startswith(allowed)] == []
