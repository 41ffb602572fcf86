"""Whoever runs Perdiem lets people in with two commands."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.errors import PerdiemError
from streams.settings import Settings
from streams.views.rights import Role
from streams.views.tokens import Tokens


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["web", *arguments])


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("user", ["anna", 'a"b\\c', "Åsa Ößlund", "😀"])
def test_a_token_is_let_in_by_the_lines_that_come_with_it(tmp_path: Path, user: str, role: Role) -> None:
    """Lines to append on stdout, so `>> tokens.toml` is enough; the token is shown once, on stderr."""
    made = run("token", "--user", user, "--role", role)
    assert made.exit_code == 0
    token = made.stderr.strip().rpartition(" ")[2]
    assert token not in made.stdout
    file = tmp_path / "tokens.toml"
    file.write_text(made.stdout + run("token", "--user", "bela", "--role", "viewer").stdout)
    found = Tokens(file).find(token)
    assert found is not None
    assert (found.user, found.role) == (user, role)


@pytest.mark.parametrize(
    ("user", "role", "said"),
    [
        ("anna", "boss", "--role: one of viewer, analyst, operator expected"),
        ("", "viewer", "--user: a name of at most 200 characters expected"),
        ("a\nb", "viewer", "--user: a name of at most 200 characters expected"),
        ("x" * 201, "viewer", "--user: a name of at most 200 characters expected"),
    ],
)
def test_what_no_token_can_be_made_of_is_told(user: str, role: str, said: str) -> None:
    """Exit code 2 with what is expected, and nothing that could be appended to a file."""
    made = run("token", "--user", user, "--role", role)
    assert isinstance(made.exception, PerdiemError)
    assert (str(made.exception), made.exception.code) == (said, 2)
    assert made.output == ""


def test_a_secret_is_one_that_the_settings_take() -> None:
    """On stdout alone, new each time."""
    first, second = run("secret").stdout.strip(), run("secret").stdout.strip()
    assert first != second
    settings = Settings.isolated(web_secret=first)
    assert settings.web_secret is not None
    assert first not in repr(settings)
