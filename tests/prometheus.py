"""Prometheus for the tests: its programs, and a server that scrapes and judges a worker."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from streams.child import Child
from streams.local_kafka import free_port
from tests.kafka import ROOT

CONFIG = ROOT / "deploy" / "prometheus" / "prometheus.yml"
ALERTS = CONFIG.with_name("alerts.yml")
_UNPACKED = ROOT / "build" / "prometheus" / "usr" / "bin"
_EVERY = "1s"


def program(name: str) -> str:
    """The path of one of Prometheus' programs; where it is missing, the test is skipped."""
    found = shutil.which(name) or shutil.which(name, path=str(_UNPACKED))
    if found is None:
        pytest.skip(f"{name} is missing: `make tools` gets it on Debian")
    return found


def promtool(*arguments: str | Path, given: bytes = b"") -> tuple[int, str]:
    """Exit code and all that it said."""
    command = [program("promtool"), *map(str, arguments)]
    ended = subprocess.run(
        command, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return ended.returncode, ended.stdout.decode()


class Prometheus:
    """A running server, asked over its API."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that ``expression`` gives now. Raises ``ValueError`` for what cannot be evaluated."""
        found: list[dict[str, Any]] = self._ask("query", query=expression)["result"]
        return found

    def alerts(self) -> list[dict[str, Any]]:
        """Its alerting rules, with their health and state."""
        groups = self._ask("rules", type="alert")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def targets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("targets", state="active")["activeTargets"]
        return found

    def ready(self) -> bool:
        try:
            with urlopen(f"{self._url}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, HTTPException):
            return False

    def _ask(self, what: str, **arguments: str) -> Any:
        try:
            with urlopen(f"{self._url}/api/v1/{what}?{urlencode(arguments)}", timeout=10) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            raise ValueError(f"{what} {arguments}: {error.read().decode()}") from None


@contextmanager
def scraping(address: str, token: str, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus with the settings of ``deploy/prometheus``, but for this worker, and every second."""
    server = program("prometheus")
    secret, port = folder / "token", free_port()
    secret.write_text(token)
    config = CONFIG.read_text()
    for said, instead in (
        ("15s", _EVERY),
        ("/run/secrets/perdiem-metrics-token", str(secret)),
        ('"worker-1:6066", "worker-2:6066"', f'"{address}"'),
        ("[alerts.yml]", f"[{ALERTS}]"),
    ):
        assert said in config
        config = config.replace(said, instead)
    (folder / "prometheus.yml").write_text(config)
    command = (
        server,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    child, prometheus = Child(command, folder / "prometheus.log", folder=folder), Prometheus(port)
    try:
        child.wait_until(prometheus.ready, 30)
        yield prometheus
    finally:
        child.kill()
