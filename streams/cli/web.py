"""``perdiem web``: who may open the pages of the workers."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import app
from streams.errors import PerdiemError

if TYPE_CHECKING:
    from streams.views.rights import Role as _Role

web = typer.Typer(help="The web pages of the workers.", no_args_is_help=True)
app.add_typer(web, name="web")


class WebError(PerdiemError):
    """What is missing to let somebody in."""


def _role(text: str) -> "_Role":
    from streams.views.rights import Role

    try:
        return Role(text)
    except ValueError:
        raise WebError(f"--role: one of {', '.join(Role)} expected") from None


@web.command()
def token(
    user: Annotated[str, typer.Option(help="Whose it is: it stands in the record of accesses.")],
    role: Annotated[str, typer.Option(help="viewer: patients masked; analyst; operator: no patients.")],
) -> None:
    """Make a token, and the lines of PERDIEM_WEB_TOKENS that let it in. It is shown this once."""
    import json

    from streams.views.tokens import LONGEST, digest, new

    given, made = _role(role), new()
    if not user or len(user) > LONGEST or not user.isprintable():
        raise WebError(f"--user: a name of at most {LONGEST} characters expected")
    typer.echo(f"The token, for {user} alone: {made}", err=True)
    print(
        f"[[token]]\nuser = {json.dumps(user, ensure_ascii=False)}\n"
        f"role = {json.dumps(given)}\nsha256 = {json.dumps(digest(made))}"
    )


@web.command()
def secret() -> None:
    """Make a PERDIEM_WEB_SECRET, which all workers of an installation share."""
    from streams.views.tokens import new

    print(new())
