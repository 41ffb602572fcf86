"""Hrefs: where the pages about patients live: under names that only this installation can read."""

from datetime import date

from aiohttp import web

from models.worklist import Kind
from streams.views.listing import name_of
from streams.views.site import Site

_PATIENT, _DAY = "patient", "patient-day"


class Hrefs:
    """No patient's id stands in any of them."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def patient(self, patient: str) -> str:
        return f"/patients/{self._site.keys.opaque(_PATIENT, patient)}"

    def episodes(self, patient: str) -> str:
        return f"/episodes/{self._site.keys.opaque(_PATIENT, patient)}"

    def day(self, patient: str, service_date: date | None) -> str:
        return f"/patient-days/{self._site.keys.opaque(_DAY, patient, str(service_date or ''))}"

    def item(self, item_id: str, kind: Kind | None = None) -> str:
        page = "dead-letters" if kind is Kind.DEAD_LETTER else "holds"
        return f"/{page}/{name_of(self._site.keys, item_id)}"

    def patient_of(self, opaque: str) -> str:
        """The patient of a page. Raises ``HTTPNotFound``."""
        (patient,) = self._named(opaque, _PATIENT, 1)
        return patient

    def day_of(self, opaque: str) -> tuple[str, date | None]:
        """Patient and service date of a page. Raises ``HTTPNotFound``."""
        patient, service_date = self._named(opaque, _DAY, 2)
        return patient, date.fromisoformat(service_date) if service_date else None

    def _named(self, opaque: str, kind: str, count: int) -> tuple[str, ...]:
        try:
            found, *parts = self._site.keys.named(opaque)
        except ValueError:
            raise web.HTTPNotFound from None
        if found != kind or len(parts) != count:
            raise web.HTTPNotFound
        return tuple(parts)
