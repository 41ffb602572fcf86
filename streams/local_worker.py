"""LocalWorker: a worker as a process of its own on this machine, for the demo and the tests."""

import os
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from pydantic import SecretStr

from streams.child import Child
from streams.errors import PerdiemError
from streams.settings import PREFIX, Settings

WORKER = (sys.executable, "-m", "streams.cli", "worker")


class LocalWorkerError(PerdiemError):
    """A worker that did not start: its last line says why."""


class LocalWorker:
    """Runs ``command`` with the environment that ``settings`` stand for; its output goes to ``log``."""

    def __init__(self, settings: Settings, log: Path, command: Sequence[str] = WORKER) -> None:
        self.settings = settings
        self.log = log
        self._command = command
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://{self.settings.web_host}:{self.settings.web_port}"

    @property
    def process(self) -> Child:
        if self._child is None:
            raise LocalWorkerError("the worker was not started")
        return self._child

    def start(self) -> Child:
        self._child = Child(
            self._command, self.log, folder=Path.cwd(), environment=environment(self.settings)
        )
        return self._child

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until its partitions are owned and restored.

        Raises LocalWorkerError if it ends before, or is not ready after ``seconds``.
        """
        try:
            self.process.wait_until(self.ready, seconds)
        except (ChildProcessError, TimeoutError) as error:
            raise LocalWorkerError(f"the worker: {error}: {self.last_line()} (see {self.log})") from None

    def last_line(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def ready(self) -> bool:
        """Whether it says that its partitions are owned and restored."""
        try:
            connection = HTTPConnection(self.settings.web_host, self.settings.web_port, timeout=1)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False


def environment(settings: Settings) -> dict[str, str]:
    """This process's variables, with those that make ``Settings.load`` give ``settings`` and no others."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name, value in settings:
        if value is not None:
            plain = value.get_secret_value() if isinstance(value, SecretStr) else value
            given[f"{PREFIX}{name.upper()}"] = str(plain)
    return given
