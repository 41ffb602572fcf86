"""Products: on which dates each service of a patient's products counts. For warnings, which never block."""

from collections.abc import Iterator
from datetime import date, timedelta

from models.billing import Warning  # noqa: A004 - the design's word
from models.codes import Service
from models.procedures import SEPARATOR, ProcedureEvent, Status

Products = dict[str, dict[str, int]]
"""By product id: how many procedures were performed, by ``service|date``, reported or not."""


def changed(products: Products, before: ProcedureEvent | None, after: ProcedureEvent | None) -> Products:
    """The products after one procedure's highest statement has changed, or it came or went."""
    if before is after or not ((before and before.product_ids) or (after and after.product_ids)):
        return products
    counts = dict(products)
    for statement, more in ((before, -1), (after, 1)):
        for product in statement.product_ids if statement else ():
            on = counts[product] = dict(counts.get(product, {}))
            if statement and statement.status is Status.PERFORMED and statement.service_date:
                key = _key(statement.service, statement.service_date)
                on[key] = on.get(key, 0) + more
                if on[key] <= 0:
                    del on[key]
    return counts


def notices(products: Products, event: ProcedureEvent) -> Iterator[Warning]:
    """What a person may want to look at of a procedure that counts, as far as is known by now.

    38227 is receipt and preparation, often on two days: for one product it is reported once
    (domain: no source forbids the second, so it is charged).
    """
    day, service = event.service_date, event.service
    if not event.counts or day is None or service is None or not event.product_ids:
        return
    known = [on for product in event.product_ids if (on := products.get(product))]
    if service in (Service.RECEIPT, Service.ADMINISTRATION):
        receipts = {key for on in known for key in on if key.startswith(Service.RECEIPT)}
        if service is Service.RECEIPT and receipts - {_key(service, day)}:
            yield Warning.RECEIPT_TWICE
        if service is Service.ADMINISTRATION and not receipts:
            yield Warning.NO_RECEIPT
    if known:
        beside = (_key(service, day - timedelta(days=1)), _key(service, day + timedelta(days=1)))
        if any(key in on for on in known for key in beside):
            yield Warning.ADJACENT_DAYS


def _key(service: Service | None, day: date) -> str:
    return f"{service}{SEPARATOR}{day}"
