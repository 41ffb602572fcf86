"""Patients as people name them to a command."""

from models.procedures import SEPARATOR
from streams.errors import PerdiemError
from streams.facilities import read_facilities
from streams.settings import Settings


class PatientError(PerdiemError):
    """What names no patient. The text never repeats it."""


def one_patient(settings: Settings, stated: str, name: str) -> str:
    """``stated`` in its one spelling, if PERDIEM_FACILITIES names the file; else as it is, if it can be one.

    ``name`` is that of the argument. Raises ``PatientError``; ``FacilitiesFileError``.
    """
    if stated.count(SEPARATOR) != 1 or not all(part.strip() for part in stated.split(SEPARATOR)):
        raise PatientError(f"{name}: expected AUTHORITY{SEPARATOR}MRN")
    if settings.facilities is None:
        return stated
    spelled = read_facilities(settings.facilities).patient(stated)
    if spelled is None:
        raise PatientError(f"{name}: expected an authority of the facilities file, and a number")
    return spelled
