"""Settings: what can be set, and what is said of what cannot."""

import json
import ssl
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest
from typer.testing import CliRunner
from yarl import URL

from streams.cli import app
from streams.settings import Settings, SettingsError


def complaints(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    """The lines said when the environment holds ``variables``."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    return str(caught.value).splitlines()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting is a PERDIEM_ variable; an empty one counts as not set."""
    monkeypatch.setenv("PERDIEM_PARTITIONS", "12")
    monkeypatch.setenv("PERDIEM_DATA_DIR", "/srv/perdiem")
    monkeypatch.setenv("PERDIEM_SASL_USERNAME", "")
    settings = Settings.load()
    assert (settings.partitions, settings.data_dir) == (12, Path("/srv/perdiem"))
    assert settings.sasl_username is None


def test_every_wrong_setting_has_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line names the variable and what was expected, and never the value."""
    assert complaints(monkeypatch, PERDIEM_PARTITIONS="none", PERDIEM_BROKERS="kafka", PERDIEM_LANES="0") == [
        "PERDIEM_BROKERS: host:port expected, several separated by commas",
        "PERDIEM_PARTITIONS: expected a valid integer, unable to parse string as an integer",
        "PERDIEM_LANES: expected greater than or equal to 1",
    ]


def test_a_misspelt_variable_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typo never leaves a default in force unnoticed."""
    assert complaints(monkeypatch, PERDIEM_PARTITONS="3") == [
        "PERDIEM_PARTITONS: no such setting, perhaps PERDIEM_PARTITIONS"
    ]


def test_variables_of_the_test_suite_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """PERDIEM_TEST_* chooses the broker of the tests and is no typo."""
    monkeypatch.setenv("PERDIEM_TEST_BROKERS", "127.0.0.1:9092")
    Settings.load()


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {"PERDIEM_HEARTBEAT": "4"},
            "PERDIEM_HEARTBEAT: less than a third of PERDIEM_SESSION_TIMEOUT expected",
        ),
        (
            {"PERDIEM_MIN_INSYNC_REPLICAS": "2"},
            "PERDIEM_MIN_INSYNC_REPLICAS: at most PERDIEM_REPLICATION expected",
        ),
        (
            {"PERDIEM_TOPIC_HELD": "billing.events"},
            "PERDIEM_TOPIC_HELD: a name that no other topic has expected",
        ),
        (
            {"PERDIEM_SSL_CAFILE": __file__},
            "PERDIEM_SSL_CAFILE: expected only with PERDIEM_SECURITY_PROTOCOL=SSL or SASL_SSL",
        ),
        (
            {"PERDIEM_SECURITY_PROTOCOL": "SSL", "PERDIEM_SSL_CAFILE": "/nowhere"},
            "PERDIEM_SSL_CAFILE: an existing file expected",
        ),
        (
            {
                "PERDIEM_SECURITY_PROTOCOL": "SASL_SSL",
                "PERDIEM_SASL_MECHANISM": "PLAIN",
                "PERDIEM_SASL_USERNAME": "perdiem",
            },
            "PERDIEM_SASL_PASSWORD: expected with PERDIEM_SECURITY_PROTOCOL=SASL_SSL or SASL_PLAINTEXT,"
            " and only then",
        ),
        ({"PERDIEM_WEB_TOKENS": "t.toml"}, "PERDIEM_WEB_SECRET: expected with PERDIEM_WEB_TOKENS"),
        (
            {"PERDIEM_OIDC_ISSUER": "https://login.example", "PERDIEM_OIDC_CLIENT_ID": "perdiem"},
            "PERDIEM_WEB_SECRET: expected with PERDIEM_OIDC_ISSUER",
        ),
        (
            {"PERDIEM_OIDC_CLIENT_ID": "perdiem"},
            "PERDIEM_OIDC_CLIENT_ID: expected with PERDIEM_OIDC_ISSUER, and only then",
        ),
    ],
)
def test_settings_that_do_not_fit_each_other_are_told(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], line: str
) -> None:
    """What only works together is checked together, before anything connects."""
    assert complaints(monkeypatch, **variables) == [line]


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("WEB_SECRET", "short", "at least 32 characters expected, `perdiem web secret` makes them"),
        ("WEB_URL", "https://example.org/perdiem", "an address without a path, "),
        ("WEB_PROXIES", "10.0.0.0/8, proxy", "addresses or networks expected, 10.0.0.0/8, several "),
        ("WEB_PROXIES", "10.0.0.1/8", "addresses or networks expected, 10.0.0.0/8, several "),
        ("OIDC_ISSUER", "login.example", "an address, https://..., expected"),
        ("OIDC_SCOPES", "profile", "expected String should match pattern"),
    ],
)
def test_what_opens_the_pages_wrongly_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    """Before a worker starts with pages that nobody, or anybody, can open."""
    said = complaints(monkeypatch, **{f"PERDIEM_{variable}": value})
    assert said[0].startswith(f"PERDIEM_{variable}: {expected}")
    assert value not in said[0].removeprefix(f"PERDIEM_{variable}: {expected}")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://127.0.0.1:6066"),
        ({"web_host": "worker-1", "web_port": 8080}, "http://worker-1:8080"),
        ({"web_host": "fd00::1"}, "http://[fd00::1]:6066"),
        ({"web_host": "0.0.0.0"}, f"http://{gethostname()}:6066"),
        ({"web_host": "::"}, f"http://{gethostname()}:6066"),
    ],
)
def test_other_workers_are_told_an_address_that_is_this_ones(given: dict[str, Any], url: str) -> None:
    """A worker that listens on all of its addresses is known by its name."""
    assert URL(Settings.isolated(**given).worker_url) == URL(url)


def test_clients_are_told_how_to_talk_to_kafka() -> None:
    """TLS and SASL reach every client: verified certificates, mechanism, user and password."""
    settings = Settings.load(
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="perdiem",
        sasl_password="hush",
    )
    arguments = settings.kafka()
    context = arguments.pop("ssl_context")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert arguments == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "perdiem",
        "sasl_plain_password": "hush",
    }


def test_a_certificate_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    """A file that is no certificate is one line, not a traceback of OpenSSL."""
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    settings = Settings.load(security_protocol="SSL", ssl_cafile=wrong)
    with pytest.raises(
        SettingsError, match=r"^PERDIEM_SSL_\*: certificate, key and password that fit expected"
    ):
        settings.kafka()


@pytest.mark.parametrize("arguments", [["settings"], ["settings", "--json"]])
def test_secrets_are_masked_when_printed(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """`perdiem settings` shows everything but what must stay secret."""
    monkeypatch.setenv("PERDIEM_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("PERDIEM_SASL_MECHANISM", "PLAIN")
    monkeypatch.setenv("PERDIEM_SASL_USERNAME", "perdiem-user")
    monkeypatch.setenv("PERDIEM_SASL_PASSWORD", "hush-hush")
    printed = CliRunner().invoke(app, arguments).output
    assert "perdiem-user" in printed
    assert "hush" not in printed
    assert "****" in printed
    if "--json" in arguments:
        assert set(json.loads(printed)) == set(Settings.model_fields)


def test_allowed_values_are_shown_and_no_line_breaks_in_a_pipe() -> None:
    """Whoever sets something sees what may stand there; whoever greps finds a setting in one line."""
    lines = CliRunner().invoke(app, ["settings"]).output.splitlines()
    assert len(lines) == 1 + len(Settings.model_fields)
    [mechanism] = [line for line in lines if line.startswith("PERDIEM_SASL_MECHANISM")]
    assert mechanism.rstrip().endswith("One of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512.")


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As Docker and Kubernetes hand secrets over: a file with the variable's name; the environment wins."""
    (tmp_path / "PERDIEM_SSL_KEY_PASSWORD").write_text("hush\n")
    monkeypatch.setenv("PERDIEM_SECRETS_DIR", str(tmp_path))
    loaded = Settings.load().ssl_key_password
    assert loaded is not None
    assert loaded.get_secret_value() == "hush"
    monkeypatch.setenv("PERDIEM_SSL_KEY_PASSWORD", "another")
    assert Settings.load().ssl_key_password != loaded
    missing = str(tmp_path / "none")
    assert complaints(monkeypatch, PERDIEM_SECRETS_DIR=missing) == [
        "PERDIEM_SECRETS_DIR: an existing folder expected"
    ]
