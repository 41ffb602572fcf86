"""A command of ``perdiem``, run as a person would, in this process."""

import asyncio
from contextlib import redirect_stdout
from io import StringIO

import pytest

from streams.cli import main
from streams.local_worker import environment
from streams.settings import Settings


async def command(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, *arguments: str
) -> tuple[int | str | None, str]:
    """Its exit code, and what it prints. In a thread: it runs a loop of its own."""
    for name, value in environment(settings).items():
        if name.startswith("PERDIEM_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["perdiem", *arguments])
    with redirect_stdout(StringIO()) as out, pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(main)
    return ended.value.code, out.getvalue()
