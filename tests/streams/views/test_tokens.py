"""The tokens file lets in whom it names, for as long as it does."""

from pathlib import Path

import pytest

from streams.views.rights import Role
from streams.views.tokens import Tokens, TokensFileError, digest, new

LINES = '[[token]]\nuser = "{user}"\nrole = "{role}"\nsha256 = "{sha256}"\n'


def written(path: Path, user: str, token: str, role: str = "viewer") -> Path:
    path.write_text(LINES.format(user=user, role=role, sha256=digest(token)))
    return path


def test_a_token_is_known_by_its_digest(tmp_path: Path) -> None:
    """The file does not hold it, and another token is not let in."""
    token = new()
    file = written(tmp_path / "tokens.toml", "anna", token)
    found = Tokens(file).find(token)
    assert found is not None
    assert (found.user, found.role) == ("anna", Role.VIEWER)
    assert Tokens(file).find(new()) is None
    assert token not in file.read_text()


def test_a_token_that_was_taken_out_opens_nothing(tmp_path: Path) -> None:
    """The file is read again when it changes: no restart is needed."""
    token = new()
    tokens = Tokens(written(tmp_path / "tokens.toml", "anna", token))
    written(tmp_path / "tokens.toml", "bela-with-a-longer-name", new())
    assert tokens.find(token) is None


def test_a_file_that_can_no_longer_be_read_lets_nobody_in(tmp_path: Path) -> None:
    """Rather than whoever it named before."""
    token = new()
    file = written(tmp_path / "tokens.toml", "anna", token)
    tokens = Tokens(file)
    file.write_text("not TOML [")
    assert tokens.find(token) is None
    file.unlink()
    assert tokens.find(token) is None


def test_without_a_file_no_token_is_known() -> None:
    """A login by other means may still be."""
    assert Tokens(None).find(new()) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[token]]\nuser = 'a'\nrole = 'viewer'\n", "token.0.sha256"),
        ("[[token]]\nuser = 'a'\nrole = 'boss'\nsha256 = '" + "0" * 64 + "'\n", "token.0.role"),
        ("[[tokens]]\n", "tokens"),
        ("no TOML", "TOML expected"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, text: str, said: str) -> None:
    """Before the worker starts, and without what stands there: it could be a token."""
    file = tmp_path / "tokens.toml"
    file.write_text(text)
    with pytest.raises(TokensFileError, match=said):
        Tokens(file)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    """Nobody would be let in."""
    with pytest.raises(TokensFileError, match="a readable file expected"):
        Tokens(tmp_path / "none.toml")
