"""OIDC: a login at the hospital's own identity provider (OpenID Connect Core 1.0, code flow with PKCE)."""

import secrets
import time
from collections.abc import Mapping
from typing import Any

import aiohttp_session
import msgspec
from aiohttp import web
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from httpx2 import HTTPError, InvalidURL
from joserfc import jwt
from joserfc.errors import InvalidClaimError, JoseError
from joserfc.jwk import KeySet

from streams.settings import Settings
from streams.views.rights import Role
from streams.views.tokens import LONGEST

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
    """A login that failed, in words for whoever tries it; ``why`` is for whoever runs Perdiem."""

    def __init__(self, said: str, why: str = "") -> None:
        super().__init__(said)
        self.why = why or said


class _Issuer(msgspec.Struct, frozen=True):
    """What an issuer says of itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    """As it spells itself: with or without a slash at the end."""
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class Oidc:
    """The issuer that ``settings`` name."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = (settings.oidc_issuer or "").rstrip("/")
        self._settings = settings
        self._known: tuple[float, _Issuer] | None = None

    async def begin(self, request: web.Request, target: str) -> str:
        """Where to send the browser. Raises ``OidcError``."""
        async with self._client() as client:
            issuer = await self._discover(client)
            begun = {
                "nonce": secrets.token_urlsafe(16),
                "verifier": secrets.token_urlsafe(48),
                "next": target,
            }
            url, begun["state"] = client.create_authorization_url(
                issuer.authorization_endpoint, nonce=begun["nonce"], code_verifier=begun["verifier"]
            )
        session = await aiohttp_session.get_session(request)
        session[_BEGUN] = begun
        return str(url)

    async def end(self, request: web.Request) -> tuple[str, Role, str]:
        """User, role, and where they wanted to go. Raises ``OidcError``."""
        session = await aiohttp_session.get_session(request)
        begun: dict[str, str] | None = session.pop(_BEGUN, None)
        state = request.query.get("state", "")
        if begun is None or not secrets.compare_digest(state.encode(), begun["state"].encode()):
            raise OidcError("This login was not begun here: begin again.")
        if "code" not in request.query:
            raise OidcError("The identity provider did not let you in.")
        try:
            async with self._client() as client:
                issuer = await self._discover(client)
                token = await client.fetch_token(
                    issuer.token_endpoint, code=request.query["code"], code_verifier=begun["verifier"]
                )
                answer = await client.request("GET", issuer.jwks_uri, withhold_token=True)
                keys = KeySet.import_key_set(answer.json())
            claims = self._claims(str(token["id_token"]), keys, issuer, begun["nonce"])
        except (OAuthError, HTTPError, InvalidURL, JoseError, KeyError, TypeError, ValueError) as error:
            raise OidcError("The identity provider's answer cannot be used.", _why(error)) from None
        return (*self._person(claims), begun["next"])

    def _claims(self, token: str, keys: KeySet, issuer: _Issuer, nonce: str) -> Mapping[str, Any]:
        claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
        client = self._settings.oidc_client_id or ""
        jwt.JWTClaimsRegistry(
            leeway=_CLOCKS,
            iss={"essential": True, "value": issuer.issuer},
            aud={"essential": True, "value": client},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        if claims.get("azp", client) != client:
            raise InvalidClaimError("azp")
        return claims

    def _person(self, claims: Mapping[str, Any]) -> tuple[str, Role]:
        settings = self._settings
        given = claims.get(settings.oidc_roles_claim)
        names = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        roles = [role for role in _MOST_FIRST if f"{settings.oidc_role_prefix}{role}" in names]
        if not roles:
            raise OidcError(
                f"You have no role here: {settings.oidc_role_prefix}viewer, -analyst or -operator expected "
                f"in {settings.oidc_roles_claim}.",
                f"no role in the claim {settings.oidc_roles_claim}",
            )
        user = claims.get(settings.oidc_user_claim) or claims.get("sub")
        if not isinstance(user, str):
            raise OidcError(
                "The identity provider does not say who you are.", f"no claim {settings.oidc_user_claim}"
            )
        return user[:LONGEST], roles[0]

    def _client(self) -> AsyncOAuth2Client:
        settings = self._settings
        secret = settings.oidc_client_secret
        return AsyncOAuth2Client(
            settings.oidc_client_id,
            secret.get_secret_value() if secret else None,
            scope=settings.oidc_scopes,
            redirect_uri=f"{settings.public_url}{CALLBACK}",
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            timeout=_WITHIN,
        )

    async def _discover(self, client: AsyncOAuth2Client) -> _Issuer:
        now = time.monotonic()
        if self._known is None or now - self._known[0] > _KEPT:
            try:
                answer = await client.request(
                    "GET", f"{self._issuer}/.well-known/openid-configuration", withhold_token=True
                )
                answer.raise_for_status()
                issuer = msgspec.json.decode(answer.content, type=_Issuer)
            except (HTTPError, msgspec.MsgspecError) as error:
                raise OidcError("The identity provider does not answer as it should.", _why(error)) from None
            if issuer.issuer.rstrip("/") != self._issuer:
                raise OidcError(
                    "The identity provider says that it is another one.",
                    f"PERDIEM_OIDC_ISSUER: {issuer.issuer} calls itself so",
                )
            self._known = (now, issuer)
        return self._known[1]


def _why(error: Exception) -> str:
    """Its kind, and the claim that it is about: never a value."""
    claim = getattr(error, "claim", None)
    return f"{type(error).__name__} ({claim})" if claim else type(error).__name__


_MOST_FIRST = (Role.ANALYST, Role.OPERATOR, Role.VIEWER)
