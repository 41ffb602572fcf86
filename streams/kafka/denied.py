"""Denied: what Kafka's ACLs do not allow, in words."""

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

_DENIALS = (
    ClusterAuthorizationFailedError,
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)


def denied(
    error: BaseException | None,
    *,
    topic: str = "Read",
    group: str = "Read",
    source: str = "",
    transactional_id: str = "",
) -> str | None:
    """Operation and resource, if an ACL is what ``error`` or a cause of it is about; else None.

    Kafka tells only the resource: ``topic`` and ``group`` are what was tried with one, but ``source``, whose
    offset was committed, is read. aiokafka does not always tell even that: then it is ``source``, or
    ``transactional_id``.
    """
    while error is not None and not isinstance(error, _DENIALS):
        error = error.__cause__
    if error is None:
        return None
    named = error.args[0] if error.args else ""
    name = named if isinstance(named, str) else ", ".join(sorted(named))
    match error:
        case ClusterAuthorizationFailedError():
            return "not allowed: Write on any topic"  # enough to write idempotently since Kafka 3.0
        case TopicAuthorizationFailedError():
            tried = "Read" if source and name in ("", source) else topic
            return f"not allowed: {tried} on topic {name or source}"
        case GroupAuthorizationFailedError():
            return f"not allowed: {group} on group {name}"
    return f"not allowed: Write on transactional id {name or transactional_id}"
