"""A Kafka that asks who connects: TLS, SCRAM-SHA-512, and ACLs."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import trustme
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import SecretStr

from streams.acls import Acl, Resource, acls
from streams.clients import connected
from streams.local_kafka import LocalKafka
from streams.roles import Role
from streams.settings import Settings
from tests.group import Group
from tests.kafka import installation

ADMIN = "admin"
PASSWORD = "unmistakable-4711"
CONFIG = {
    "listener.security.protocol.map": "CLIENTS:SASL_SSL,BROKERS:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "listener.name.clients.scram-sha-512.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
    "ssl.keystore.type": "PEM",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    # The broker itself comes over loopback, and has no name there.
    "super.users": f"User:{ADMIN};User:ANONYMOUS",
}
# Kafka's codes.
RESOURCES = {Resource.TOPIC: 2, Resource.GROUP: 3, Resource.TRANSACTIONAL_ID: 5}
LITERAL, PREFIXED, ALLOW = 3, 4, 3


class Secured:
    """An installation on such a Kafka: ``as_role`` says how each party connects."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def as_role(self, role: Role | str) -> Settings:
        return self._settings.model_copy(update={"sasl_username": str(role)})

    async def grant(self, role: Role, acl: Acl) -> None:
        await self._change(CreateAclsRequest, role, acl)

    @asynccontextmanager
    async def without(self, role: Role, acl: Acl) -> AsyncIterator[None]:
        """It is taken away meanwhile. A worker that this ended is taken out of its group."""
        await self._change(DeleteAclsRequest, role, acl)
        try:
            yield
        finally:
            await self.grant(role, acl)
            await Group(self.as_role(ADMIN)).bury()

    async def grant_all(self) -> None:
        """Each role gets what it needs, and nothing else."""
        for role in Role:
            for acl in acls(self._settings, role):
                await self.grant(role, acl)

    async def _change(
        self, request: type[CreateAclsRequest] | type[DeleteAclsRequest], role: Role, acl: Acl
    ) -> None:
        pattern = PREFIXED if acl.prefixed else LITERAL
        async with connected(self.as_role(ADMIN), AIOKafkaAdminClient) as admin:
            for name in acl.names:
                for operation in acl.operations:
                    what = (RESOURCES[acl.resource], name, pattern, f"User:{role}", "*", operation, ALLOW)
                    answer = await admin._send_to_controller(request(*what))
                    _, [told] = answer.to_object().values()
                    assert for_code(told["error_code"]) is NoError


@contextmanager
def secured_kafka(folder: Path) -> Iterator[Secured]:
    """Started in ``folder``, with a user for each role; each has the same password, and no leave yet."""
    ca = trustme.CA()
    certificate = ca.issue_cert("127.0.0.1")
    # Java reads keys as PKCS 8 only.
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem += b"".join(part.bytes() for part in certificate.cert_chain_pems)
    (folder / "broker.pem").write_bytes(pem)
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    config = CONFIG | {"ssl.keystore.location": str(folder / "broker.pem")}
    users = dict.fromkeys([ADMIN, *Role], PASSWORD)
    with LocalKafka(folder / "kafka", config=config, users=users) as kafka:
        yield Secured(
            installation(kafka.brokers, folder).model_copy(
                update={
                    "security_protocol": "SASL_SSL",
                    "ssl_cafile": folder / "ca.pem",
                    "sasl_mechanism": "SCRAM-SHA-512",
                    "sasl_password": SecretStr(PASSWORD),
                    "partitions": 2,  # each asks for connections, and SCRAM takes its time
                    "session_timeout": 6.0,
                    "heartbeat": 1.0,
                }
            )
        )
        kafka.kill()  # nobody reads this folder again, and a clean stop takes seconds
