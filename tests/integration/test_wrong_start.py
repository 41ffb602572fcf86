"""A worker that cannot start says why in one line, whichever way it is started."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from streams.local_kafka import free_port
from streams.local_worker import LocalWorker
from streams.settings import Settings
from tests.integration.test_worker import STARTS
from tests.kafka import BOUND, ROOT

pytestmark = pytest.mark.integration

Fault = Callable[[Path], tuple[dict[str, Any], str]]
"""Given a folder: what to set, and how the line begins."""


def no_facilities(folder: Path) -> tuple[dict[str, Any], str]:
    return {"facilities": None}, "PERDIEM_FACILITIES: the path of a facilities file expected"


def missing_facilities(folder: Path) -> tuple[dict[str, Any], str]:
    file = folder / "none.toml"
    return {"facilities": file}, f"PERDIEM_FACILITIES: {file}: a readable file expected"


def wrong_facilities(folder: Path) -> tuple[dict[str, Any], str]:
    file = folder / "facilities.toml"
    right = (ROOT / "examples" / "facilities.toml").read_text()
    file.write_text(right.replace("America/Chicago", "America/Nowhere"))
    expected = "facility palmetto, time_zone: expected the IANA name of a time zone"
    return {"facilities": file}, f"PERDIEM_FACILITIES: {file}: {expected}"


def missing_tokens(folder: Path) -> tuple[dict[str, Any], str]:
    file = folder / "none.toml"
    return {"web_tokens": file}, f"PERDIEM_WEB_TOKENS: {file}: a readable file expected"


def wrong_tokens(folder: Path) -> tuple[dict[str, Any], str]:
    file = folder / "wrong.toml"
    file.write_text('[[token]]\nuser = "anna"\nrole = "boss"\nsha256 = "' + "0" * 64 + '"\n')
    return {"web_tokens": file}, f"PERDIEM_WEB_TOKENS: {file}: token.0.role: expected "


def short_secret(folder: Path) -> tuple[dict[str, Any], str]:
    return {"web_secret": SecretStr("short")}, "PERDIEM_WEB_SECRET: at least 32 characters expected, "


def half_an_issuer(folder: Path) -> tuple[dict[str, Any], str]:
    issuer = {"oidc_issuer": "https://login.example"}
    return issuer, "PERDIEM_OIDC_CLIENT_ID: expected with PERDIEM_OIDC_ISSUER, and only then"


def no_kafka(folder: Path) -> tuple[dict[str, Any], str]:
    brokers = f"127.0.0.1:{free_port()}"
    return {"brokers": brokers}, f"PERDIEM_BROKERS: no Kafka answers at {brokers}"


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    "fault",
    [
        *(no_facilities, missing_facilities, wrong_facilities, no_kafka),
        *(missing_tokens, wrong_tokens, short_secret, half_an_issuer),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    settings: Settings, tmp_path: Path, start: str, fault: Fault
) -> None:
    """The setting is named, and what was expected; the exit code is not 0; no traceback."""
    wrong, line = fault(tmp_path)
    assert refusal(settings.model_copy(update=wrong), tmp_path, start).startswith(f"perdiem: {line}")


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize("start", STARTS)
async def test_a_port_that_is_taken_is_told_in_one_line(
    settings: Settings, tmp_path: Path, start: str
) -> None:
    """Two workers on one machine need a web port each."""
    with socket.create_server((settings.web_host, settings.web_port)):
        line = refusal(settings, tmp_path, start)
    assert line.startswith("perdiem: PERDIEM_WEB_PORT: a free port expected")


def refusal(settings: Settings, folder: Path, start: str) -> str:
    """Start a worker that ends by itself; the one line that says why."""
    worker = LocalWorker(settings, folder / "worker.log", STARTS[start])
    assert worker.start().wait(BOUND) != 0
    said = worker.log.read_text()
    assert "Traceback" not in said
    assert said.count("perdiem: ") == 1
    return worker.last_line()
