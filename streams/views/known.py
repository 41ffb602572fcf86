"""Known: what the agents know of a patient, a charge or a product, asked of whoever owns it."""

from collections.abc import Iterable, Sequence

import msgspec
from aiokafka import TopicPartition

from models.day import PatientDay
from models.news import Product, Stated, news_key
from models.patient import Patient
from streams.identity import Identity
from streams.kept import UNTIL_DATE
from streams.ledger import Ledger, PatientDate
from streams.once.owner import Owner
from streams.partitioning import partition_of
from streams.settings import Settings
from streams.topics import Topics
from streams.views.workers import Missing, Question, Workers, slices


class Named(msgspec.Struct, frozen=True):
    """Asks for what has this name."""

    name: str


class Kept(msgspec.Struct, frozen=True):
    """What the ledger holds of one patient; no patient where it knows none of that name."""

    patient: Patient | None = None
    days: list[PatientDay] = []

    def day(self, service_date: object) -> PatientDay | None:
        return next((day for day in self.days if day.service_date == service_date), None)


class Known:
    """Every question reads single keys, of a patient a few dozen at most, where they are kept.

    Each answer comes with the partitions that nobody answered for.
    """

    def __init__(self, settings: Settings, ledger: Ledger, identity: Identity) -> None:
        self._partitions = settings.partitions
        self._topics = Topics.of(settings)
        self._ledger = ledger
        self._identity = identity.state
        self._patient = Question("patient", Named, Kept, ["ledger"], self._local_patient)
        self._charge = Question("charge", Named, PatientDate | None, ["ledger"], self._local_charge)  # type: ignore[arg-type]
        self._patients = Question("patients", Named, tuple[str, ...], ["identity"], self._local_patients)

    def add_to(self, workers: Workers) -> None:
        self._workers = workers
        for question in (self._patient, self._charge, self._patients):
            workers.add(question)

    async def patient(self, name: str) -> tuple[Kept, list[Missing]]:
        """What is kept of ``authority|MRN``."""
        places = self._places(name.encode(), self._topics.procedures.name)
        answers = await self._workers.ask(self._patient, Named(name), partitions=places)
        return next(iter(answers.found), Kept()), answers.missing

    async def charge(self, charge_id: str) -> tuple[PatientDate | None, list[Missing]]:
        """The patient-day of a charge. Its id does not say whose it is: every partition is asked."""
        answers = await self._workers.ask(self._charge, Named(charge_id))
        return next((found for found in answers.found if found), None), answers.missing

    async def product(self, product: str) -> tuple[tuple[str, ...], list[Missing]]:
        """The patients of whom a product was stated."""
        return await self._named(news_key(Product(product, "", "")))

    async def procedure(self, source: str, procedure_id: str) -> tuple[tuple[str, ...], list[Missing]]:
        """The patients for whom a procedure counts: one, if the source's ids are unique."""
        return await self._named(news_key(Stated(source, procedure_id, "", ("", 0, ""), 0, True, "")))

    async def _named(self, key: bytes) -> tuple[tuple[str, ...], list[Missing]]:
        places = self._places(key, self._topics.identifiers.name)
        answers = await self._workers.ask(self._patients, Named(key.decode()), partitions=places)
        return next(iter(answers.found), ()), answers.missing

    def _places(self, key: bytes, *topics: str) -> Iterable[TopicPartition]:
        return [TopicPartition(topic, partition_of(key, self._partitions)) for topic in topics]

    # What one worker answers

    async def _local_patient(self, owners: Sequence[Owner], asked: Named) -> Kept:
        own = asked.name.encode() + UNTIL_DATE
        patients = [part.get(asked.name) for part in slices(owners, self._ledger.patients)]
        days = [day for part in slices(owners, self._ledger.patient_days) for _, day in part.items(own, own)]
        return Kept(next((patient for patient in patients if patient), None), days)

    async def _local_charge(self, owners: Sequence[Owner], asked: Named) -> PatientDate | None:
        found = [part.get(asked.name) for part in slices(owners, self._ledger.charges)]
        return next((each for each in found if each), None)

    async def _local_patients(self, owners: Sequence[Owner], asked: Named) -> tuple[str, ...]:
        found: list[str] = []
        for names in slices(owners, self._identity.products):
            found += names.get(asked.name) or ()
        for tops in slices(owners, self._identity.procedures):
            found += [patient for patient, top in (tops.get(asked.name) or {}).items() if not top.away]
        return tuple(sorted(found))
