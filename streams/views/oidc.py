"""OIDC: a login at the hospital's own identity provider (OpenID Connect Core 1.0, code flow with PKCE)."""

import secrets
import time
from collections.abc import Mapping
from typing import Any

import aiohttp_session
from aiohttp import web
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from httpx2 import HTTPError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from streams.settings import Settings
from streams.views.rights import Role

CALLBACK = "/login/oidc/callback"
_WITHIN = 10.0
"""Seconds for one answer of the issuer."""
_KEPT = 3600.0
"""Seconds for which what the issuer says of itself is kept; its keys are asked for at each login."""
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures of a key pair alone: with a shared secret, or none, whoever knows the client could sign."""
_CLOCKS = 60
"""Seconds that two clocks may differ by."""
_BEGUN = "oidc"


class OidcError(Exception):
    """A login that failed, in words for whoever tries it."""


class Oidc:
    """The issuer that ``settings`` name."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = (settings.oidc_issuer or "").rstrip("/")
        self._settings = settings
        self._known: tuple[float, Mapping[str, Any]] | None = None

    async def begin(self, request: web.Request, target: str) -> str:
        """Where to send the browser. Raises ``OidcError``."""
        async with self._client() as client:
            said = await self._discover(client)
            begun = {
                "nonce": secrets.token_urlsafe(16),
                "verifier": secrets.token_urlsafe(48),
                "next": target,
            }
            url, begun["state"] = client.create_authorization_url(
                said["authorization_endpoint"], nonce=begun["nonce"], code_verifier=begun["verifier"]
            )
        session = await aiohttp_session.get_session(request)
        session[_BEGUN] = begun
        return str(url)

    async def end(self, request: web.Request) -> tuple[str, Role, str]:
        """User, role, and where they wanted to go. Raises ``OidcError``."""
        session = await aiohttp_session.get_session(request)
        begun: dict[str, str] | None = session.pop(_BEGUN, None)
        if begun is None or not secrets.compare_digest(request.query.get("state", ""), begun["state"]):
            raise OidcError("This login was not begun here: begin again.")
        if "code" not in request.query:
            raise OidcError("The identity provider did not let you in.")
        try:
            async with self._client() as client:
                said = await self._discover(client)
                token = await client.fetch_token(
                    said["token_endpoint"], code=request.query["code"], code_verifier=begun["verifier"]
                )
                keys = KeySet.import_key_set((await client.get(said["jwks_uri"], withhold_token=True)).json())
            claims = self._claims(token["id_token"], keys, begun["nonce"])
        except (OAuthError, HTTPError, JoseError, KeyError, ValueError) as error:
            raise OidcError(
                f"The identity provider's answer cannot be used ({type(error).__name__})."
            ) from None
        return (*self._person(claims), begun["next"])

    def _claims(self, token: str, keys: KeySet, nonce: str) -> Mapping[str, Any]:
        claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
        client = self._settings.oidc_client_id or ""
        jwt.JWTClaimsRegistry(
            leeway=_CLOCKS,
            iss={"essential": True, "value": self._issuer_said},
            aud={"essential": True, "value": client},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        if claims.get("azp", client) != client:
            raise ValueError("azp")
        return claims

    def _person(self, claims: Mapping[str, Any]) -> tuple[str, Role]:
        settings = self._settings
        given = claims.get(settings.oidc_roles_claim, ())
        names = {given} if isinstance(given, str) else {*given}
        roles = [role for role in _MOST_FIRST if f"{settings.oidc_role_prefix}{role}" in names]
        if not roles:
            raise OidcError(
                f"You have no role here: {settings.oidc_role_prefix}viewer, -analyst or -operator expected "
                f"in {settings.oidc_roles_claim}."
            )
        return str(claims.get(settings.oidc_user_claim) or claims["sub"]), roles[0]

    def _client(self) -> AsyncOAuth2Client:
        settings = self._settings
        secret = settings.oidc_client_secret
        return AsyncOAuth2Client(
            settings.oidc_client_id,
            secret.get_secret_value() if secret else None,
            scope="openid profile",
            redirect_uri=f"{settings.public_url}{CALLBACK}",
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            timeout=_WITHIN,
        )

    async def _discover(self, client: AsyncOAuth2Client) -> Mapping[str, Any]:
        now = time.monotonic()
        if self._known is None or now - self._known[0] > _KEPT:
            try:
                answer = await client.get(
                    f"{self._issuer}/.well-known/openid-configuration", withhold_token=True
                )
                answer.raise_for_status()
                said = answer.json()
            except (HTTPError, ValueError) as error:
                raise OidcError(f"The identity provider does not answer ({type(error).__name__}).") from None
            if str(said.get("issuer", "")).rstrip("/") != self._issuer:
                raise OidcError("The identity provider says that it is another one.")
            self._known = (now, said)
        return self._known[1]

    @property
    def _issuer_said(self) -> str:
        """As it spells itself: with or without a slash at the end."""
        assert self._known is not None
        return str(self._known[1]["issuer"])


_MOST_FIRST = (Role.ANALYST, Role.OPERATOR, Role.VIEWER)
