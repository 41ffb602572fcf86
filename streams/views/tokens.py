"""Tokens: who may open the pages with a bearer token. The file holds digests, never tokens."""

import logging
import secrets
import tomllib
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.expected import expected
from streams.errors import PerdiemError
from streams.views.rights import Role

LONGEST = 200
"""Characters of a person's name: it stands in a cookie, and browsers keep 4 kB."""

log = logging.getLogger(__name__)


class TokensFileError(PerdiemError):
    """A tokens file that cannot be used: one line for each problem."""


class Token(BaseModel):
    """One token: whose it is, and the SHA-256 of it in hex."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    user: str = Field(min_length=1, max_length=LONGEST)
    role: Role
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    token: list[Token] = []


class Tokens:
    """The tokens of a file, read again when it changes: a token taken out opens nothing any more."""

    def __init__(self, path: Path | None) -> None:
        """Raises ``TokensFileError``."""
        self._path = path
        self._read_at: tuple[int, ...] | None = None
        self._tokens: tuple[Token, ...] = ()
        if path is not None:
            self._tokens = read_tokens(path)
            self._read_at = _state(path)

    def find(self, given: str) -> Token | None:
        """The token that ``given`` is."""
        return self.of_digest(digest(given))

    def of_digest(self, wanted: str) -> Token | None:
        """The token whose digest is ``wanted``. All are compared, in constant time."""
        found = None
        for token in self._all():
            if compare_digest(token.sha256, wanted):
                found = token
        return found

    def _all(self) -> tuple[Token, ...]:
        if self._path is None:
            return ()
        state = _state(self._path)
        if state != self._read_at:
            self._read_at = state
            try:
                self._tokens = read_tokens(self._path)
            except TokensFileError as error:
                self._tokens = ()
                log.error("No token opens the pages any more: %s", str(error).replace("\n", "; "))
        return self._tokens


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Raises ``TokensFileError``."""
    try:
        return tuple(_File.model_validate(tomllib.loads(path.read_text())).token)
    except OSError as error:
        raise TokensFileError(f"{path}: a readable file expected: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise TokensFileError(f"{path}: TOML expected") from None
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise TokensFileError(
            "\n".join(
                f"{path}: {'.'.join(map(str, p['loc']))}: expected {expected(p['msg'])}" for p in problems
            )
        ) from None


def new() -> str:
    """A token of 256 random bits. It cannot be guessed: its digest needs no salt and no stretching."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _state(path: Path) -> tuple[int, ...]:
    """What differs once the file does; empty while there is none."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
