"""An issuer that says whatever a test has it say: a real one does not misbehave."""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import RSAKey
from yarl import URL

CLIENT = "perdiem"
CLIENT_SECRET = "the secret of the client of the tests"
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})


class Issuer:
    """Signs ``claims``, beside or instead of right ones, with ``alg`` and ``key``.

    ``answer`` is what it says instead of a token.
    """

    url: URL

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        """None: without it."""
        self.shifted: dict[str, int] = {}
        """Claims that are times: seconds from now."""
        self.alg = "RS256"
        self.key: Any = KEY
        self.answer: Any = None
        self.discovered: dict[str, Any] = {}
        """Said of itself beside, or instead of, what is true."""
        self.asked: dict[str, str] = {}
        """What the browser brought from Perdiem."""

    @asynccontextmanager
    async def served(self) -> AsyncIterator["Issuer"]:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discover)
        app.router.add_get("/jwks", self._jwks)
        app.router.add_post("/token", self._token)
        async with TestServer(app, host="127.0.0.1") as server:
            self.url = server.make_url("/")
            yield self

    def consent(self, to: str) -> str:
        """What the browser brings back: the path of the callback. ``to``: where Perdiem sent it."""
        self.asked = dict(URL(to).query)
        return str(URL("/login/oidc/callback").with_query(code="code", state=self.asked["state"]))

    async def _discover(self, request: web.Request) -> web.Response:
        base = str(self.url).rstrip("/")
        said = {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/jwks",
        }
        return web.json_response(said | self.discovered)

    async def _jwks(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": [KEY.as_dict(private=False)]})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        verifier = sha256(str(form["code_verifier"]).encode()).digest()
        known = (
            self.asked["code_challenge"] == _part(verifier) and self.asked["code_challenge_method"] == "S256"
        )
        if not known or not request.headers.get("Authorization", "").startswith("Basic "):
            return web.json_response({"error": "invalid_grant"}, status=400)
        if self.answer is not None:
            return web.json_response(self.answer)
        return web.json_response(
            {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token()}
        )

    def id_token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": str(self.url).rstrip("/"),
            "aud": CLIENT,
            "sub": "4711",
            "preferred_username": "anna",
            "roles": ["perdiem-analyst"],
            "nonce": self.asked["nonce"],
            "iat": now,
            "exp": now + 60,
        }
        claims |= {name: now + by for name, by in self.shifted.items()}
        claims = {name: value for name, value in (claims | self.claims).items() if value is not None}
        if self.alg in ("none", "HS256"):  # the library would not do what attackers do
            signed = f"{_part(msgspec.json.encode({'alg': self.alg}))}.{_part(msgspec.json.encode(claims))}"
            signature = b"" if self.alg == "none" else hmac.digest(self.key, signed.encode(), "sha256")
            return f"{signed}.{_part(signature)}"
        return jwt.encode({"alg": self.alg, "kid": "one"}, claims, self.key, algorithms=[self.alg])


def _part(said: bytes) -> str:
    return urlsafe_b64encode(said).rstrip(b"=").decode()
