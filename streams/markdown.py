"""Markdown: a page that ends in a table, as those of docs/ that the code writes."""

from collections.abc import Iterable, Sequence


def page(text: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """``text``, then a row for each of ``rows`` under ``columns``."""
    return "\n".join([text, "", _row(columns), "|---" * len(columns) + "|", *map(_row, rows), ""])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
