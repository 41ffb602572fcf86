"""What Kafka's ACLs do not allow is said with operation and resource."""

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from streams.kafka.denied import denied

TRIED = {"topic": "Write", "source": "lab.procedures", "transactional_id": "perdiem-intake-lab.procedures-0"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TopicAuthorizationFailedError("billing.events"), "Write on topic billing.events"),
        (TopicAuthorizationFailedError({"b", "a"}), "Write on topic a, b"),
        (TopicAuthorizationFailedError("lab.procedures"), "Read on topic lab.procedures"),
        (TopicAuthorizationFailedError(), "Read on topic lab.procedures"),
        (GroupAuthorizationFailedError("perdiem"), "Read on group perdiem"),
        (TransactionalIdAuthorizationFailed("x-0"), "Write on transactional id x-0"),
        (
            TransactionalIdAuthorizationFailed(),
            "Write on transactional id perdiem-intake-lab.procedures-0",
        ),
        (ClusterAuthorizationFailedError(), "Write on any topic"),
    ],
)
def test_a_denial_names_operation_and_resource(error: KafkaError, said: str) -> None:
    """Also where the client tells one no more than that something was denied, or wraps it."""
    wrapped = KafkaError("Unexpected error during batch delivery")
    wrapped.__cause__ = error
    assert denied(error, **TRIED) == denied(wrapped, **TRIED) == f"not allowed: {said}"


def test_what_is_no_denial_is_not_told_as_one() -> None:
    """Whoever asks goes on to say what it is."""
    assert denied(KafkaError("timed out")) is None
