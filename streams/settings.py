"""Settings: everything that can be set, in one place, from the environment (``PERDIEM_*``)."""

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from socket import gethostname
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from yarl import URL

from models.expected import expected
from streams.errors import PerdiemError

PREFIX = "PERDIEM_"
TESTS = "PERDIEM_TEST_"
"""Variables of the test suite, which are no settings."""


class SettingsError(PerdiemError):
    """Settings that cannot be used: one line for each, ``PERDIEM_X: what was expected``."""


def _shaped(pattern: str, expected: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(expected)
        return text

    return AfterValidator(check)


Brokers = Annotated[
    str, _shaped(r"[^\s,]+:\d{1,5}(,[^\s,]+:\d{1,5})*", "host:port expected, several separated by commas")
]
# 249 characters are Kafka's own limit.
TopicName = Annotated[
    str, _shaped(r"[A-Za-z0-9._-]{1,249}", "a Kafka topic name expected: letters, digits, dots, _ and -")
]
TopicPrefix = Annotated[str, _shaped(r"[A-Za-z0-9._-]{0,100}", "letters, digits, dots, _ and - expected")]
IssuerUrl = Annotated[
    str, _shaped(r"https?://[^\s/]+(/[^\s]*[^\s/])?/?", "an address, https://..., expected")
]
# Without a path: the cookie holds for all of a host, and the pages lead to one another from its root.
WebUrl = Annotated[
    str,
    _shaped(r"https?://[^\s/]+/?", "an address without a path, https://host or https://host:port, expected"),
]
AppId = Annotated[str, _shaped(r"[A-Za-z0-9._-]{1,100}", "a name expected: letters, digits, dots, _ and -")]


def _networks(text: str) -> str:
    for each in text.split(","):
        try:
            ip_network(each.strip())
        except ValueError:
            raise ValueError(
                "addresses or networks expected, 10.0.0.0/8, several separated by commas"
            ) from None
    return text


Networks = Annotated[str, AfterValidator(_networks)]


def _long(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < 32:
        raise ValueError("at least 32 characters expected, `perdiem web secret` makes them")
    return secret


WebSecret = Annotated[SecretStr, AfterValidator(_long)]


class Settings(BaseSettings):
    """How this installation of Perdiem runs. Times are in seconds.

    ``Settings.load()`` turns what is wrong into a ``SettingsError``; the constructor raises
    pydantic's ``ValidationError``.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    app_id: AppId = Field(
        "perdiem",
        description="Names the consumer groups and transactional ids: never change it on a running system.",
    )
    brokers: Brokers = Field("127.0.0.1:9092", description="Kafka bootstrap servers.")
    facilities: Path | None = Field(None, description="The facilities file (TOML). A worker needs it.")
    data_dir: Path = Field(Path("var/perdiem"), description="Folder of the local stores. May be lost.")

    topic_prefix: TopicPrefix = Field("", description="Put before the name of every topic.")
    topic_lab_procedures: TopicName = Field("lab.procedures", description="Source: the cell lab.")
    topic_infusion_procedures: TopicName = Field(
        "infusion.procedures", description="Source: the infusion unit."
    )
    topic_commands: TopicName = Field("perdiem.commands", description="What people decide.")
    topic_acks: TopicName = Field("billing.acks", description="What billing did with each charge.")
    topic_procedures: TopicName = Field("perdiem.procedures", description="Canonical procedure events.")
    topic_decisions: TopicName = Field("billing.decisions", description="What became of each event, and why.")
    topic_billing_events: TopicName = Field("billing.events", description="Charges and credits.")
    topic_held: TopicName = Field("perdiem.held", description="Records that wait for a person.")
    topic_dead_letters: TopicName = Field("perdiem.dead-letters", description="Records that cannot be read.")
    topic_identifiers: TopicName = Field(
        "perdiem.identifiers", description="Procedures, products and merges, by identifier."
    )
    topic_access: TopicName = Field(
        "perdiem.access", description="Who looked at a patient, who gave a command."
    )
    topic_patient_days: TopicName = Field("perdiem.patient-days", description="Changelog of the ledger.")
    topic_intake_lab: TopicName = Field("perdiem.intake.lab", description="Changelog of intake, cell lab.")
    topic_intake_infusion: TopicName = Field(
        "perdiem.intake.infusion", description="Changelog of intake, infusion unit."
    )
    topic_intake_commands: TopicName = Field(
        "perdiem.intake.commands", description="Changelog of intake, commands."
    )
    topic_intake_acks: TopicName = Field(
        "perdiem.intake.acks", description="Changelog of intake, acknowledgements."
    )
    topic_holds: TopicName = Field("perdiem.holds", description="Changelog of the worklist, what is held.")
    topic_redrives: TopicName = Field(
        "perdiem.redrives", description="Changelog of the worklist, dead letters."
    )
    topic_identities: TopicName = Field("perdiem.identities", description="Changelog of identity.")
    partitions: int = Field(8, ge=1, le=1000, description="Of every topic. Fixed once they are created.")
    replication: int = Field(1, ge=1, le=10, description="Replicas of every topic created here.")
    min_insync_replicas: int = Field(1, ge=1, le=10, description="Replicas that must have every write.")
    create_topics: bool = Field(False, description="A worker creates the topics that are missing.")

    session_timeout: float = Field(
        10, ge=1, le=300, description="Seconds: a worker silent for so long is replaced."
    )
    heartbeat: float = Field(
        2, gt=0, description="Seconds between two signs of life: less than a third of the session timeout."
    )
    transaction_timeout: float = Field(
        24,
        ge=2,
        le=900,
        description="Seconds: the broker aborts a transaction then; a unit of work has half of it.",
    )
    lanes: int = Field(4, ge=1, le=256, description="Partitions whose commits overlap.")
    max_poll_records: int = Field(2000, ge=1, le=100_000, description="Most records in one unit of work.")
    restore_timeout: float = Field(
        60, gt=0, description="Seconds: a restore without progress for so long fails."
    )
    dead_letter_limit: float = Field(
        0.5, gt=0, le=1, description="A larger share of dead letters in the window stops the worker."
    )
    dead_letter_window: int = Field(
        1000, ge=1, description="Latest records of each source partition over which that share is taken."
    )

    retention_years: int = Field(
        6, ge=1, le=100, description="Years that `perdiem forget` keeps of every patient's days."
    )

    web_host: str = Field(
        "127.0.0.1", description="Address that the pages listen on, and that other workers ask at."
    )
    web_port: int = Field(6066, ge=0, le=65535, description="Port of the web pages.")
    web_secret: WebSecret | None = Field(
        None,
        description="What all workers share and nobody else knows; without it the pages are closed.",
    )
    web_tokens: Path | None = Field(None, description="File of who may open the pages (`perdiem web token`).")
    web_url: WebUrl | None = Field(
        None, description="Address of the pages as browsers have it: of what stands in front of the workers."
    )
    web_proxies: Networks | None = Field(
        None, description="Addresses or networks of proxies whose X-Forwarded-For is believed."
    )
    oidc_issuer: IssuerUrl | None = Field(None, description="OpenID Connect issuer that people log in at.")
    oidc_client_id: str | None = Field(None, description="What the issuer knows Perdiem as.")
    oidc_client_secret: SecretStr | None = Field(None, description="Secret of that client, if it has one.")
    oidc_scopes: str = Field(
        "openid profile", pattern=r"^(\S+ )*openid( \S+)*$", description="What the issuer is asked for."
    )
    oidc_user_claim: str = Field("preferred_username", description="Claim that names the person.")
    oidc_roles_claim: str = Field("roles", description="Claim that lists the person's roles.")
    oidc_role_prefix: str = Field(
        "perdiem-", description="Before viewer, analyst, operator: how the issuer names them."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How clients talk to Kafka."
    )
    ssl_cafile: Path | None = Field(None, description="Certificate authorities (PEM), else the system's.")
    ssl_certfile: Path | None = Field(None, description="The client's own certificate (PEM).")
    ssl_keyfile: Path | None = Field(None, description="Key of that certificate (PEM).")
    ssl_key_password: SecretStr | None = Field(None, description="Password of that key.")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, description="How a client proves who it is."
    )
    sasl_username: str | None = Field(None, description="SASL user name.")
    sasl_password: SecretStr | None = Field(None, description="SASL password.")
    secrets_dir: Path | None = Field(
        None, description="Folder of files named as variables, for what no environment should hold."
    )

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Settings from the environment, then from ``PERDIEM_SECRETS_DIR``; ``given`` wins over both.

        Raises ``SettingsError`` for what cannot be used, and for a ``PERDIEM_*`` variable that is no setting.
        """
        unknown = [_unknown(name) for name in sorted(os.environ) if _is_unknown(name)]
        if unknown:
            raise SettingsError("\n".join(unknown))
        secrets = os.environ.get(_variable("secrets_dir")) or None
        if secrets is not None and not Path(secrets).is_dir():
            raise SettingsError(f"{_variable('secrets_dir')}: an existing folder expected")
        try:
            return cls(_secrets_dir=secrets, **given)
        except ValidationError as error:
            raise SettingsError("\n".join(_lines(error))) from None

    @classmethod
    def isolated(cls, **given: Any) -> Self:
        """Settings from ``given`` and the defaults alone: the environment speaks of another installation."""
        return cls(_env_prefix="NOT_FROM_THE_ENVIRONMENT_", **given)

    def kafka(self) -> dict[str, Any]:
        """Keyword arguments of every aiokafka client: where the brokers are, and how to talk to them.

        Raises ``SettingsError`` if certificate or key cannot be loaded.
        """
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.brokers,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.endswith("SSL"):
            arguments["ssl_context"] = self._ssl_context()
        if self.security_protocol.startswith("SASL") and self.sasl_password is not None:
            arguments |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self.sasl_password.get_secret_value(),
            }
        return arguments

    @property
    def public_url(self) -> str:
        """Address of the pages as browsers have it, without a slash at the end."""
        return (self.web_url or self.worker_url).rstrip("/")

    @property
    def worker_url(self) -> str:
        """Address at which the other workers ask this one."""
        # No other worker can ask at "every address of yours".
        host = gethostname() if self.web_host in ("0.0.0.0", "::") else self.web_host  # noqa: S104
        return str(URL.build(scheme="http", host=host, port=self.web_port))

    @property
    def trusted_proxies(self) -> list[str]:
        return [each.strip() for each in (self.web_proxies or "").split(",") if each.strip()]

    def _ssl_context(self) -> Any:
        from aiokafka.helpers import create_ssl_context

        password = self.ssl_key_password
        try:
            return create_ssl_context(
                cafile=self.ssl_cafile,
                certfile=self.ssl_certfile,
                keyfile=self.ssl_keyfile,
                password=password.get_secret_value() if password else "",
            )
        except OSError as error:  # ssl.SSLError is one
            raise SettingsError(
                f"PERDIEM_SSL_*: certificate, key and password that fit expected ({error})"
            ) from None

    @model_validator(mode="after")
    def _fit_each_other(self) -> Self:
        wrong = [f"{_variable(name)}: {expected}" for name, expected in self._misfits()]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _misfits(self) -> Iterator[tuple[str, str]]:
        if self.heartbeat >= self.session_timeout / 3:
            yield "heartbeat", "less than a third of PERDIEM_SESSION_TIMEOUT expected"
        if self.min_insync_replicas > self.replication:
            yield "min_insync_replicas", "at most PERDIEM_REPLICATION expected"
        yield from self._misfits_of_login()
        seen: set[str] = set()
        for name in TOPIC_FIELDS:
            topic = getattr(self, name)
            if topic in seen:
                yield name, "a name that no other topic has expected"
            seen.add(topic)
        yield from self._misfits_of_security()

    def _misfits_of_login(self) -> Iterator[tuple[str, str]]:
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            yield "oidc_client_id", "expected with PERDIEM_OIDC_ISSUER, and only then"
        for name in ("oidc_issuer", "web_tokens"):
            if getattr(self, name) is not None and self.web_secret is None:
                yield "web_secret", f"expected with {_variable(name)}"

    def _misfits_of_security(self) -> Iterator[tuple[str, str]]:
        for name in ("sasl_mechanism", "sasl_username", "sasl_password"):
            if self.security_protocol.startswith("SASL") != (getattr(self, name) is not None):
                yield (
                    name,
                    "expected with PERDIEM_SECURITY_PROTOCOL=SASL_SSL or SASL_PLAINTEXT, and only then",
                )
        for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
            file: Path | None = getattr(self, name)
            if file is not None and not self.security_protocol.endswith("SSL"):
                yield name, "expected only with PERDIEM_SECURITY_PROTOCOL=SSL or SASL_SSL"
            elif file is not None and not file.is_file():
                yield name, "an existing file expected"


TOPIC_FIELDS = [
    name for name in Settings.model_fields if name.startswith("topic_") and name != "topic_prefix"
]


def _variable(field: str) -> str:
    return PREFIX + field.upper()


def _is_unknown(name: str) -> bool:
    name = name.upper()
    return (
        name.startswith(PREFIX)
        and not name.startswith(TESTS)
        and name.removeprefix(PREFIX).lower() not in Settings.model_fields
    )


def _unknown(name: str) -> str:
    near = get_close_matches(name.upper(), [_variable(field) for field in Settings.model_fields], 1)
    return f"{name}: no such setting" + (f", perhaps {near[0]}" if near else "")


def _lines(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        said, place = expected(problem["msg"]), problem["loc"]
        if problem["type"] != "value_error":
            said = f"expected {said}"
        yield f"{_variable(str(place[0]))}: {said}" if place else said
