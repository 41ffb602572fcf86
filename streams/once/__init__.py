"""Faust made exactly-once: one transaction per batch holds state, outputs and source offset.

Knows nothing of procedures. The promise is `UnitOfWork.commit` in ``unit.py``.
"""

from streams.once.app import OnceApp
from streams.once.engine import Engine
from streams.once.failure import Refused, die
from streams.once.observer import Observer, Observers, Silent, Step
from streams.once.table import Codec, Table
from streams.once.unit import UnitOfWork

__all__ = [
    "Codec",
    "Engine",
    "Observer",
    "Observers",
    "OnceApp",
    "Refused",
    "Silent",
    "Step",
    "Table",
    "UnitOfWork",
    "die",
]
