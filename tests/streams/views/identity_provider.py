"""A real identity provider (Canaille) with everything in memory: ``python -m ... PORT REDIRECT_URI...``."""

import sys
from datetime import UTC, datetime

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT = "perdiem"
CLIENT_SECRET = "the secret of the client perdiem"
PASSWORD = "correct horse battery staple"
GROUPS = {"vera": "perdiem-viewer", "anna": "perdiem-analyst", "otto": "perdiem-operator", "nemo": "others"}
"""By user: the group that tells their role, if it is one of ours."""


def serve(port: int, redirect_uris: list[str]) -> None:
    key = RSAKey.generate_key(2048, auto_kid=True)
    app = create_app(
        {
            "SECRET_KEY": "the secret of the provider",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "SMTP": None, "JAVASCRIPT": False},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)]},
        }
    )
    with app.app_context(), Backend.instance.session():
        _fill(redirect_uris)
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


def _fill(redirect_uris: list[str]) -> None:
    for name, group in GROUPS.items():
        user = models.User(
            user_name=name,
            display_name=name,
            formatted_name=name,
            family_name=name,
            emails=[f"{name}@example.org"],
            password=PASSWORD,
        )
        Backend.instance.save(user)
        Backend.instance.save(models.Group(display_name=group, members=[user]))
    client = models.Client(
        client_id=CLIENT,
        client_name=CLIENT,
        client_secret=CLIENT_SECRET,
        client_id_issued_at=datetime.now(UTC),
        client_uri="http://127.0.0.1",  # one that it trusts: nobody is asked for consent
        redirect_uris=redirect_uris,
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "profile", "groups"],
        token_endpoint_auth_method="client_secret_basic",
    )
    Backend.instance.save(client)
    client.audience = [client]  # only one that is known already
    Backend.instance.save(client)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2:])
