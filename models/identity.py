"""Identity: one procedure or one product under two patients, which no single patient's ledger can see."""

from hashlib import sha256
from typing import NamedTuple

import msgspec

from models.entries import Moved
from models.news import Product, Stated
from models.procedures import SEPARATOR
from models.worklist import Item, Kind


class Top(msgspec.Struct, array_like=True, frozen=True):
    """The highest statement of a procedure under one patient."""

    order: tuple[str, int, str]
    at: int
    away: bool = False
    """The patient's ledger was told that another one has a higher statement."""


Tops = dict[str, Top]
"""By the patient that the procedure was stated of."""


class Identified(NamedTuple):
    """What one piece of news brings about."""

    tops: Tops
    moved: list[Moved]
    alerts: list[Item]


def identify(tops: Tops, stated: Stated, at: int) -> Identified:
    """Take in that ``stated`` is the highest statement of its procedure under its patient.

    Of a source with unique ids the procedure counts for the patient with the highest statement of all, and
    the others' ledgers are told. Where ids are not unique it may be another one: there is only the alert.
    ``at`` numbers what they are told. Old news changes nothing.
    """
    known = tops.get(stated.patient)
    if known is not None and stated.at <= known.at:
        return Identified(tops, [], [])
    tops = {**tops, stated.patient: Top(stated.order, stated.at, known is not None and known.away)}
    others = tuple(patient for patient in tops if patient != stated.patient)
    alerts = [_alert(stated, others)] if known is None and others else []
    if not stated.unique:
        return Identified(tops, [], alerts)
    highest = max(tops, key=lambda patient: (tops[patient].order, patient))
    moved = []
    for patient, top in tops.items():
        away = patient != highest
        if away != top.away:
            name = SEPARATOR.join((stated.source, stated.procedure_id, patient))
            moved.append(Moved(patient=patient, event_id=stated.event_id, procedure=name, away=away, at=at))
            tops[patient] = msgspec.structs.replace(top, away=away)
    return Identified(tops, moved, alerts)


def share(patients: tuple[str, ...], product: Product) -> tuple[tuple[str, ...], list[Item]]:
    """The patients of a product after this news, and an alert if there is one more than there should be."""
    if product.patient in patients:
        return patients, []
    alerts = []
    if patients:
        alerts.append(
            Item(
                id=_id("product", product.product, product.patient),
                kind=Kind.ALERT,
                patient=product.patient,
                facility=product.facility,
                service_date=product.service_date,
                detail="one product under two patients",
                others=patients,
                product=product.product,
                event_ids=(product.event_id,),
            )
        )
    return (*patients, product.patient), alerts


def _alert(stated: Stated, others: tuple[str, ...]) -> Item:
    return Item(
        id=_id("procedure", stated.source, stated.procedure_id, stated.patient),
        kind=Kind.ALERT,
        patient=stated.patient,
        facility=stated.facility,
        source=stated.source,
        service_date=stated.service_date,
        others=others,
        procedure_id=stated.procedure_id,
        detail="one procedure under two patients"
        + ("" if stated.unique else ": the source's ids are not unique, so nothing was moved"),
        event_ids=(stated.event_id,),
    )


def _id(kind: str, *parts: str) -> str:
    """An id of an alert, the same for the same cause. It shows no patient's id."""
    return f"{kind}:{sha256(SEPARATOR.join(parts).encode()).hexdigest()[:32]}"


encode_tops = msgspec.json.Encoder().encode
decode_tops = msgspec.json.Decoder(Tops).decode
