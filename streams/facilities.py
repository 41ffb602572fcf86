"""The facilities file as it lies on disk."""

from hashlib import sha256
from pathlib import Path

from models.facilities import Facilities
from models.facilities_file import FacilitiesError, parse
from streams.errors import PerdiemError


class FacilitiesFileError(PerdiemError):
    """A facilities file that cannot be used: one line for each problem, each naming the file."""


def read_facilities(path: Path) -> Facilities:
    """The facilities that the file at ``path`` describes. Raises ``FacilitiesFileError``."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FacilitiesFileError(f"{path}: a readable file expected: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FacilitiesFileError(f"{path}: text in UTF-8 expected") from None
    except FacilitiesError as error:
        raise FacilitiesFileError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None


def digest_of(path: Path) -> str:
    """Names the content of a file: 12 hex digits. Raises ``FacilitiesFileError``."""
    try:
        return sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise FacilitiesFileError(f"{path}: a readable file expected: {error.strerror}") from None
