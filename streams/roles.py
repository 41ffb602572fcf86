"""Roles: who connects to the brokers."""

from enum import StrEnum


class Role(StrEnum):
    """Each connects as a principal of its own."""

    WORKER = "worker"
    SOURCE = "source"
    BILLING = "billing"
    DECIDER = "decider"
    """People who decide: what is held, dead letters, overrides, merges."""
    AUDITOR = "auditor"
    CREATOR = "creator"
