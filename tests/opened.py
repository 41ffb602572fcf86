"""Opened: a token for each role, and settings under which the pages of a worker are open to them."""

import json
from pathlib import Path

from pydantic import SecretStr

from streams.settings import Settings
from streams.views.rights import Role
from streams.views.tokens import digest

SECRET = "the secret of an installation of the tests"
TOKENS = {role: f"token-of-the-{role}" for role in Role}


def opened(settings: Settings, folder: Path) -> Settings:
    """``settings`` with a secret and a tokens file in ``folder``."""
    file = folder / "tokens.toml"
    lines = [
        f'[[token]]\nuser = "{role}"\nrole = "{role}"\nsha256 = {json.dumps(digest(token))}\n'
        for role, token in TOKENS.items()
    ]
    file.write_text("\n".join(lines))
    return settings.model_copy(update={"web_secret": SecretStr(SECRET), "web_tokens": file})


def bearer(role: Role = Role.ANALYST) -> dict[str, str]:
    """Headers of a request of ``role``."""
    return {"Authorization": f"Bearer {TOKENS[role]}"}
