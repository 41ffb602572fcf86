"""Mask: what is left out of a page for whoever may not see who a patient is."""

from typing import TypeVar

from msgspec.structs import replace

from models.billing import BillingEvent
from models.procedures import ProcedureEvent
from streams.access import Did
from streams.views.site import Asked
from streams.worklist import masked

HIDDEN = "***"
PATIENTS = ("patient", "stated_patient")
NUMBERS = ("account_number", "encounter_number", "message_id")
"""By which a patient may be found elsewhere."""

T = TypeVar("T", ProcedureEvent, BillingEvent)


async def mask_of(asked: Asked, about: str) -> "Mask":
    """The mask of whoever asks for the page of this opaque name. An unmasked look is noted before it happens.

    Raises ``AccessLogError`` where that fails.
    """
    mask = Mask(asked.person.unmasked)
    if mask.show:
        await asked.note(Did.LOOK, about)
    return mask


class Mask:
    """Shows all, or hides whatever names a patient: the numbers, products and messages. Dates stay."""

    def __init__(self, show: bool) -> None:
        self.show = show

    def patient(self, patient: str) -> str:
        return masked(patient, self.show) or HIDDEN

    def products(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        return ids if self.show else (HIDDEN,) * len(ids)

    def of(self, told: T) -> T:
        """A copy without what is hidden."""
        if self.show:
            return told
        hidden = {name: self.patient(getattr(told, name)) for name in PATIENTS if hasattr(told, name)}
        hidden |= {name: HIDDEN for name in NUMBERS if getattr(told, name, None) is not None}
        return replace(told, product_ids=self.products(told.product_ids), **hidden)
