"""Products: on which dates each service of a patient's products counts. For warnings, which never block."""

from collections.abc import Iterator, Sequence
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
    """What a person may want to look at of a procedure that counts, as far as is known by now."""
    if event.counts and event.service is not None and event.service_date is not None:
        noticed = across_days(products, event.service, event.service_date, event.product_ids)
        yield from dict.fromkeys(warning for warning, _ in noticed)


def across_days(
    products: Products, service: Service, day: date, ids: Sequence[str]
) -> Iterator[tuple[Warning, tuple[str, ...]]]:
    """What is to be noticed of a service that was performed of the products ``ids``, and of which of them.

    38227 is receipt and preparation, often on two days: for one product it is reported once
    (domain: no source forbids the second, so it is charged).
    """
    if not ids:
        return
    known = {product: products.get(product, {}) for product in sorted(ids)}
    receipts = {
        product: {key for key in on if key.startswith(Service.RECEIPT)} for product, on in known.items()
    }
    if service is Service.RECEIPT:
        for product, found in receipts.items():
            if found - {_key(service, day)}:
                yield Warning.RECEIPT_TWICE, (product,)
    if service is Service.ADMINISTRATION and not any(receipts.values()):
        yield Warning.NO_RECEIPT, (*known,)
    beside = {_key(service, day + timedelta(days=more)) for more in (-1, 1)}
    for product, on in known.items():
        if beside & on.keys():
            yield Warning.ADJACENT_DAYS, (product,)


def _key(service: Service | None, day: date) -> str:
    return f"{service}{SEPARATOR}{day}"
