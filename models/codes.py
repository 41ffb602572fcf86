"""The four CAR-T services and the codes that report them.

Sources: CPT Category III codes 0537T-0540T were in use from 1 January 2019 to 31 December 2024;
38225-38228 replaced them on 1 January 2025. Revenue codes: CMS SE19009 and NUBC 087x.
No CPT descriptor text stands here: it is the AMA's. The words for the services are our own.
"""

from datetime import date
from enum import StrEnum


class Service(StrEnum):
    """One of the four services, each reported once per patient, per day."""

    COLLECTION = "collection"
    """T cells are collected from the patient (38225, formerly 0537T)."""
    TRANSPORT = "transport"
    """The collected cells are prepared for transport (38226, formerly 0538T)."""
    RECEIPT = "receipt"
    """The product is received and prepared (38227, formerly 0539T)."""
    ADMINISTRATION = "administration"
    """The product is given to the patient (38228, formerly 0540T)."""


CATEGORY_III_FROM = date(2019, 1, 1)
CATEGORY_I_FROM = date(2025, 1, 1)

CATEGORY_III = {
    Service.COLLECTION: "0537T",
    Service.TRANSPORT: "0538T",
    Service.RECEIPT: "0539T",
    Service.ADMINISTRATION: "0540T",
}
CATEGORY_I = {
    Service.COLLECTION: "38225",
    Service.TRANSPORT: "38226",
    Service.RECEIPT: "38227",
    Service.ADMINISTRATION: "38228",
}
SERVICE_OF_CODE = {code: service for codes in (CATEGORY_III, CATEGORY_I) for service, code in codes.items()}

REVENUE_CODES = {
    Service.COLLECTION: "0871",
    Service.TRANSPORT: "0872",
    Service.RECEIPT: "0873",
    Service.ADMINISTRATION: "0874",
}
"""Revenue code of a service where the facility sets no other."""


def code_on(service: Service, service_date: date) -> str | None:
    """The CPT code that reports ``service`` on ``service_date``; None before 2019, when there was none."""
    if service_date >= CATEGORY_I_FROM:
        return CATEGORY_I[service]
    return CATEGORY_III[service] if service_date >= CATEGORY_III_FROM else None
