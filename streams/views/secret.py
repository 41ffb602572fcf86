"""Secret: what the workers of an installation share, and every key that the pages are made with."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cached_property
from hashlib import sha256
from hmac import compare_digest

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PEERS_WITHIN = 60
"""Seconds for which what one worker says to another holds: more than clocks differ."""
LINK_WITHIN = 600
"""Seconds for which a one-time link holds."""


class Secret:
    """Keys for each use, derived from one text that all workers of an installation have.

    All stay the same while the text does, so opaque ids and sessions outlive a worker.
    """

    def __init__(self, text: str) -> None:
        self._text = text.encode()

    @cached_property
    def session(self) -> Fernet:
        """Encrypts the sessions that browsers keep."""
        return self._fernet("session")

    def opaque(self, *parts: str) -> str:
        """A name, fit for a URL, that tells nobody else what it stands for: AES-SIV (RFC 5297).

        The same parts have the same name.
        """
        said = "\x1f".join(parts).encode()
        return urlsafe_b64encode(self._ids.encrypt(said, None)).rstrip(b"=").decode()

    def named(self, opaque: str) -> tuple[str, ...]:
        """What ``opaque`` stands for. Raises ``ValueError`` for what was not named here."""
        try:
            padded = opaque.encode() + b"=" * (-len(opaque) % 4)
            return tuple(self._ids.decrypt(urlsafe_b64decode(padded), None).decode().split("\x1f"))
        except (InvalidTag, ValueError):
            raise ValueError("no name of this installation") from None

    def seal(self, about: bytes, said: bytes) -> bytes:
        """``said`` for other workers alone to read, for a minute, where they expect it: ``about``."""
        return self._peers.encrypt(sha256(about).digest() + said)

    def unseal(self, about: bytes, sealed: bytes) -> bytes:
        """What ``seal`` was given. Raises ``ValueError`` for what is not of our workers, late, or not about
        that."""
        try:
            opened = self._peers.decrypt(sealed, ttl=_PEERS_WITHIN)
        except InvalidToken:
            raise ValueError("sealed here within a minute expected") from None
        if not compare_digest(opened[:32], sha256(about).digest()):
            raise ValueError("about something else")
        return opened[32:]

    def link(self, user: str, role: str) -> str:
        """A token that logs ``user`` in once, within ten minutes."""
        return self._links.encrypt(f"{role} {user}".encode()).decode()

    def linked(self, token: str) -> tuple[str, str]:
        """User and role that ``link`` named. Raises ``ValueError``."""
        try:
            role, user = self._links.decrypt(token, ttl=LINK_WITHIN).decode().split(" ", 1)
        except (InvalidToken, ValueError):
            raise ValueError("a link that was made here within ten minutes expected") from None
        return user, role

    @cached_property
    def _ids(self) -> AESSIV:
        return AESSIV(self._key("opaque ids", 64))

    @cached_property
    def _peers(self) -> Fernet:
        return self._fernet("peers")

    @cached_property
    def _links(self) -> Fernet:
        return self._fernet("links")

    def _fernet(self, use: str) -> Fernet:
        return Fernet(urlsafe_b64encode(self._key(use, 32)))

    def _key(self, use: str, length: int) -> bytes:
        kdf = HKDF(algorithm=SHA256(), length=length, salt=None, info=f"perdiem {use}".encode())
        return kdf.derive(self._text)
